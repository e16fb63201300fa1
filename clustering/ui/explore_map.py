"""The map of the Explore page: choosers above it, the map, and below it what the map is worth."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from clustering.projections.turning import WITH_AXES
from clustering.ui import explore_cut, explore_drawing, explore_film, explore_state, jobs, state
from clustering.ui.explore_filters import heading
from clustering.ui.explore_state import MAP, Shown
from clustering.ui.explore_view import (
    BY_CONFIDENCE,
    BY_CUT,
    BY_GROUP,
    BY_TRUST,
    Column,
    Filters,
    honesty_figures,
    space_words,
)
from clustering.ui.trouble import guarded, plain
from clustering.workspace.records import ProjectionRecord

FIRST = ("umap", "tsne")  # of several maps the one shown until a person chooses
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
        [
            BY_GROUP,
            *([BY_CUT] if explore_cut.tree_of(shown.run.id) else []),
            BY_CONFIDENCE,
            *([BY_TRUST] if trusted else []),
            *(one.name for one in columns),
        ],
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
        st.skeleton(explore_drawing.HEIGHT - 160)
        return
    with st.container(
        border=True,
        horizontal_alignment="center",
        height=explore_drawing.HEIGHT - 160,
        vertical_alignment="center",
    ):
        st.markdown(
            f"There is no {title} map of the {space_words(space)} of this run yet.", text_alignment="center"
        )
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


def show(
    shown: Shown, record: ProjectionRecord, columns: Sequence[Column], filters: Filters, colour: str
) -> None:
    """Draw the map, its film below and another seed beside it where a person has asked for them.

    A lasso runs only the gallery again, a click only the drawer, and a running film only the map.
    """
    ticks = explore_film.PACE if explore_film.playing(record) else None

    @st.fragment(key=MAP, run_every=ticks)
    @guarded
    def block() -> None:
        film = explore_film.of(record, shown)
        explore_film.advance(record, film, ticks is not None)
        explore_drawing.maps(shown, record, columns, filters, colour, film)
        if film is not None:
            explore_film.scrubber(shown, record, film)
        if explore_film.playing(record) != (ticks is not None):
            st.rerun()  # only a run of the whole page can set or stop the clock of a fragment

    block()


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
