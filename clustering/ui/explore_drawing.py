"""Draws the maps of the Explore page, and keeps what a person does on them: a lasso, a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.ui import (
    explore_beside,
    explore_cut,
    explore_film,
    explore_newcomers,
    explore_state,
    latent_map,
    routes,
)
from clustering.ui.explore_state import ITEM, MAP, WORKS, Shown
from clustering.ui.explore_view import BY_GROUP, Column, Filters, colouring, masks_of, visible_items
from clustering.ui.kept_layers import layer_address
from clustering.ui.latent_map.selection import selected_items
from clustering.workspace.records import ProjectionRecord

KEY = "explore"  # of the map component
SAMPLE = "explore-film"  # of the one for a film of some of the items
HEIGHT = 660
PAIRED = 560  # of two maps side by side


def maps(
    shown: Shown,
    record: ProjectionRecord,
    columns: Sequence[Column],
    filters: Filters,
    colour: str,
    film: explore_film.Film | None,
) -> None:
    """Draw a finished map or a frame of its film, and another seed beside it where it is wanted."""
    trust = explore_state.trust_of(record.id)
    visible = None
    if filters.active:
        visible = visible_items(masks_of(shown.items, filters, shown.groups, trust), shown.n)
    other = explore_beside.shown_beside(record)
    place, second = st.columns(2, gap="small") if other is not None else (st.container(), None)
    with place:
        if other is not None:
            st.markdown(f"**Seed {record.seed}**")
        picture = _picture(shown, columns, colour, trust, visible)
        at = explore_film.frame(record, film)
        if film is None or at is None:
            picture = replace(picture, positions=explore_state.positions_of(record.id))
            news = _drawn_map(shown, record, picture, KEY, PAIRED if other else HEIGHT)
        else:
            news = _drawn_frame(shown, record, picture, film, at)
    sampled = film is not None and at is not None and not film.whole
    _take(SAMPLE if sampled else KEY, news)
    if other is not None and second is not None:
        with second:
            st.markdown(f"**Seed {other.told['seed']}**")
            dressed = _picture(shown, columns, colour, other.trust, visible)
            dressed = replace(dressed, positions=other.positions, made=other.stamp)
            _take(explore_beside.KEY, _drawn_map(shown, record, dressed, explore_beside.KEY, PAIRED))


@dataclass(frozen=True)
class _Picture:
    """What a map looks like, and what a gesture on it is tested against."""

    legend: latent_map.Legend
    codes: NDArray[np.int64]
    confidence: NDArray[np.float32]
    visible: NDArray[np.bool_] | None
    positions: NDArray[np.float32] | None = None
    made: str = ""


def _picture(
    shown: Shown, columns: Sequence[Column], colour: str, trust: NDArray[np.float32] | None, visible: Any
) -> _Picture:
    choice = st.session_state.get("palette") or "auto"
    theme_name = explore_state.theme_name()
    legend, codes = colouring(
        colour,
        shown.items,
        columns,
        explore_cut.groups_for(shown, colour),
        theme_name,
        choice,
        trust,
    )
    return _Picture(legend, codes, shown.groups.confidence, visible)


def _drawn_map(
    shown: Shown, record: ProjectionRecord, picture: _Picture, key: str, height: int
) -> latent_map.MapSelection:
    """Draw a finished map: the one looked at, or the same from another seed."""
    first = key == KEY
    served = routes.are_served()
    address = routes.map_address(record.id) if first else routes.seed_address(record.id, picture.made)
    near = routes.near_address(record.id, shown.run.id) if served and first else ""
    return _mounted(
        shown,
        record,
        picture,
        key,
        address,
        title=f"Map of {shown.record.name}{'' if first else ', another seed'}",
        space=record.id if first else f"{record.id}-seed",
        near_url=near,
        marks=explore_newcomers.marks(shown, record) if first else (),
        height=height,
    )


def _drawn_frame(
    shown: Shown, record: ProjectionRecord, picture: _Picture, film: explore_film.Film, at: int
) -> latent_map.MapSelection:
    """Draw an epoch of the training; of a large collection the sample that was kept, on a map of its own."""
    codes = np.asarray(film.labels[at])
    by_group = picture.legend.title == BY_GROUP
    if not by_group:
        codes = picture.codes[film.rows]
    visible = None if picture.visible is None else picture.visible[film.rows]
    picture = _Picture(
        explore_film.dressed(picture.legend, codes) if by_group else picture.legend,
        codes,
        np.asarray(film.confidences[at]),
        visible,
        np.asarray(film.positions[at]),
    )
    if not film.whole:
        picture = replace(picture, legend=replace(picture.legend, medoids=()))
    return _mounted(
        shown,
        record,
        picture,
        KEY if film.whole else SAMPLE,
        routes.frame_address(record.id, at, film.stamp),
        title=f"Map of {shown.record.name}, {film.name(at)}",
        space=record.id,
        bounds=film.bounds,
        rows=None if film.whole else film.rows,
        height=HEIGHT,
    )


def _mounted(
    shown: Shown,
    record: ProjectionRecord,
    picture: _Picture,
    key: str,
    address: str,
    *,
    title: str,
    space: str,
    near_url: str = "",
    marks: Sequence[latent_map.Mark] = (),
    bounds: Sequence[float] | None = None,
    rows: NDArray[np.int64] | None = None,
    height: int,
) -> latent_map.MapSelection:
    """Mount the component; with ``rows`` its points are only these items of the collection."""
    sample = rows is not None
    version, sent = (0, None) if sample else explore_state.told(shown.record.id, key)
    layer = latent_map.layer_sections(picture.codes, picture.confidence, picture.visible, sent)
    kept = {
        "shown": shown,
        "map": record.id,
        "codes": picture.codes,
        "visible": picture.visible,
        "positions": picture.positions,
        "rows": rows,
    }
    st.session_state[_kept(key)] = kept
    points: Any = latent_map.point_sections(picture.positions if picture.positions is not None else [])
    dressed: Any = layer
    pictures, card, edges = None, "", ""
    if routes.are_served():
        points, dressed = address, layer_address(latent_map.pack(layer))
        if not sample:
            edges = routes.links_address(shown.collection)
            card = f"/studio/collections/{shown.record.id}/items/{{index}}/card"
            if shown.collection.pictured:
                pictures = latent_map.PictureSource(**routes.atlas_source(shown.collection))
    return latent_map.latent_map(
        points,
        dressed,
        picture.legend,
        key=key,
        items=f"{shown.record.id}-sample" if sample else shown.record.id,
        space=space,
        title=title,
        pictures=pictures,
        card_url=card,
        near_url=near_url,
        near_space=record.space,
        edges_url=edges,
        marks=marks,
        bounds=bounds,
        selection_version=version,
        selectable=not sample,
        height=height,
        on_gesture=partial(_drawn, key),
        on_click=partial(_opened, key),
    )


def _kept(key: str) -> str:
    return "_explore-map" if key == KEY else f"_{key}-map"


def _take(key: str, news: latent_map.MapSelection) -> None:
    """Keep what was done on a map."""
    kept = st.session_state.get(_kept(key))
    if kept is None or (news.gesture is None and news.clicked is None):
        return
    shown: Shown = kept["shown"]
    rows, clicked = kept["rows"], news.clicked
    if news.gesture is not None and rows is None:  # a sample cannot be selected on
        current = explore_state.selection(shown.record.id)
        found = selected_items(news.gesture, current, kept["positions"], kept["codes"], kept["visible"])
        explore_state.drawn(shown.record.id, found, key)
    if clicked is not None and clicked < (shown.n if rows is None else len(rows)):
        st.session_state["explore-open"] = clicked if rows is None else int(rows[clicked])


def _drawn(key: str) -> None:
    _take(key, latent_map.news(key))
    paired = [MAP] if explore_beside.KEY in st.session_state else []  # a selection in one is one in both
    explore_state.run_again([*paired, WORKS, explore_state.BASKET])


def _opened(key: str) -> None:
    _take(key, latent_map.news(key))
    explore_state.run_again([ITEM])
