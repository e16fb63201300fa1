"""The map of the Explore page: choosers above it, the map, and below it what the map is worth."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st
from numpy.typing import NDArray

from clustering.ui import explore_state, jobs, latent_map, routes, state
from clustering.ui.explore_filters import heading
from clustering.ui.explore_state import ITEM, MAP, WORKS, Shown
from clustering.ui.explore_view import (
    BY_CONFIDENCE,
    BY_GROUP,
    BY_TRUST,
    Column,
    Filters,
    colouring,
    honesty_figures,
    masks_of,
    space_words,
    visible_items,
)
from clustering.ui.latent_map.selection import selected_items
from clustering.ui.latent_map.turning import WITH_AXES
from clustering.ui.trouble import guarded, plain
from clustering.workspace.records import ProjectionRecord

KEY = "explore"  # of the map component
FIRST = ("umap", "tsne")  # of several maps the one shown until a person chooses
HEIGHT = 660
TRUST = (
    "Trust in this place: of an item's nearest neighbours in truth, the share that is near it on this map. "
    "Where it is low, the map has torn neighbours apart, and what lies beside an item says little about it."
)
UNMEASURED = "Trust in this place was not measured when this map was drawn; groups are shown instead."


def choosers(shown: Shown, columns: Sequence[Column]) -> tuple[str, str, str]:
    """Draw the choices above the map; return the colouring, the projection and the space."""
    maps = explore_state.maps_of(shown.run)
    first = min(maps, key=_preference, default=None)
    titles = explore_state.projection_titles(maps)
    trusted = any(explore_state.trust_of(one.id) is not None for one in maps)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="explore-choices")
    chosen = row.selectbox(
        "Colour by",
        [BY_GROUP, BY_CONFIDENCE, *([BY_TRUST] if trusted else []), *(one.name for one in columns)],
        key="explore-colour",
        format_func=heading,
        persist_state="session",
        width=190,
    )
    projection = row.segmented_control(
        "Map",
        list(titles),
        default=first.projection
        if first
        else next((name for name in FIRST if name in titles), next(iter(titles))),
        format_func=titles.__getitem__,
        required=True,
        key=f"explore-projection-{shown.run.id}",
        persist_state="session",
    )
    where = row.segmented_control(
        "Of",
        ("latent", "features"),
        default=first.space if first else "latent",
        format_func={"latent": "Latent space", "features": "Features"}.__getitem__,
        required=True,
        help="The latent space is what the method learned; the features are what it was given.",
        key=f"explore-space-{shown.run.id}",
        persist_state="session",
    )
    return str(chosen or BY_GROUP), str(projection), str(where)


def _preference(one: ProjectionRecord) -> tuple[bool, int, bool]:
    known = one.projection in FIRST
    place = FIRST.index(one.projection) if known else len(FIRST)
    return one.space != "latent", place, one.projection in WITH_AXES


def chosen_map(shown: Shown, projection: str, space: str) -> ProjectionRecord | None:
    """Return the newest map of that kind and space, if there is one."""
    return next(
        (
            one
            for one in explore_state.maps_of(shown.run)
            if one.projection == projection and one.space == space
        ),
        None,
    )


def missing(shown: Shown, projection: str, space: str) -> None:
    """Offer to draw a map that is not there yet, or show how far its drawing is."""
    place = f"map-{shown.run.id}-{projection}-{space}"
    waiting = [
        job.id
        for job in jobs.open_jobs(shown.record.id, kinds=("project",))
        if job.parameters.get("projection") == projection
        and (job.parameters.get("space") or "latent") == space
        and job.parameters.get("run") in (shown.run.id, None)
    ]
    title = explore_state.projection_titles(explore_state.maps_of(shown.run)).get(projection, projection)
    jobs.watch(waiting, place)
    if waiting:
        st.skeleton(HEIGHT - 160)
        return
    with st.container(
        border=True, horizontal_alignment="center", height=HEIGHT - 160, vertical_alignment="center"
    ):
        st.markdown(f"There is no {title} map of the {space_words(space)} of this run yet.")
        if st.button("Draw it", type="primary", key="map-draw"):
            wanted = {
                "collection": shown.record.id,
                "run": shown.run.id,
                "projection": projection,
                "space": space,
            }
            job = state.workspace().submit("project", wanted, title=f"Draw a {title} map")
            jobs.ensure(state.workspace())
            jobs.remember(place, [job.id])
            st.rerun()


@st.fragment(key=MAP)
@guarded
def show(
    shown: Shown, record: ProjectionRecord, columns: Sequence[Column], filters: Filters, colour: str
) -> None:
    """Draw the map; a lasso runs only the gallery again, a click only the drawer."""
    items = shown.collection.items
    trust = explore_state.trust_of(record.id)
    legend, codes = colouring(
        colour,
        items,
        columns,
        shown.groups,
        explore_state.theme_name(),
        st.session_state.get("palette") or "auto",
        trust,
    )
    visible = None
    if filters.active:
        visible = visible_items(masks_of(items, filters, shown.groups, trust), shown.n)
    version, sent = explore_state.told(shown.record.id)
    layer = latent_map.layer_sections(codes, shown.groups.confidence, visible, sent)
    kept = {"shown": shown, "map": record.id, "codes": codes, "visible": visible}
    st.session_state["_explore-map"] = kept
    points, dressed, pictures, card = _sources(shown, record, layer)
    news = latent_map.latent_map(
        points,
        dressed,
        legend,
        key=KEY,
        items=shown.record.id,
        space=record.id,
        title=f"Map of {shown.record.name}",
        pictures=pictures,
        card_url=card,
        near_url=routes.near_address(record.id, shown.run.id) if routes.are_served() else "",
        near_space=record.space,
        selection_version=version,
        height=HEIGHT,
        on_gesture=_drawn,
        on_click=_opened,
    )
    _take(news)


def _sources(
    shown: Shown, record: ProjectionRecord, layer: dict[str, NDArray[Any]]
) -> tuple[Any, Any, Any, str]:
    if not routes.are_served():
        return latent_map.point_sections(explore_state.positions_of(record.id)), layer, None, ""
    pictures = None
    if shown.record.kind == "images":
        pictures = latent_map.PictureSource(**routes.atlas_source(shown.collection))
    card = f"/studio/collections/{shown.record.id}/items/{{index}}/card"
    return routes.map_address(record.id), routes.layer_address(latent_map.pack(layer)), pictures, card


def _take(news: latent_map.MapSelection) -> bool:
    """Keep what was done on the map; return whether the rest of the page should know."""
    kept = st.session_state.get("_explore-map")
    if kept is None or (news.gesture is None and news.clicked is None):
        return False
    shown: Shown = kept["shown"]
    if news.gesture is not None:
        found = selected_items(
            news.gesture,
            explore_state.selection(shown.record.id),
            explore_state.positions_of(kept["map"]),
            kept["codes"],
            kept["visible"],
        )
        explore_state.drawn(shown.record.id, found)
    if news.clicked is not None and news.clicked < shown.n:
        st.session_state["explore-open"] = news.clicked
    return True


def _drawn() -> None:
    _take(latent_map.news(KEY))
    explore_state.run_again([WORKS, explore_state.BASKET])


def _opened() -> None:
    _take(latent_map.news(KEY))
    explore_state.run_again([ITEM])


def honesty(record: ProjectionRecord, colour: str) -> None:
    """Write under the map what it is worth and what not to read into it."""
    if colour == BY_TRUST:
        measured = explore_state.trust_of(record.id) is not None
        st.caption(TRUST if measured else UNMEASURED)
    figures = honesty_figures(state.workspace().projection_quality(record.id))
    spans = "".join(
        f'<div class="studio-fact" title="{escape(words, quote=True)}"><b>{escape(value)}</b> '
        f"<span>{escape(title)}</span></div>"
        for title, value, words in figures
    )
    sentence = explore_state.projection_info(record.projection).get("honesty", "")
    said = f"{record.title} of the {space_words(record.space)}, seed {record.seed}, {record.engine}."
    st.html(f'<div class="studio-facts">{spans}</div>' if spans else "<div></div>")
    st.caption(plain(f"{sentence} {said}".strip()))
