"""Galleries: works in justified rows with true proportions, or rows of a table; a click returns the item.

Row heights agree without a measured width: a picture's width and its share of the space left over are both in
proportion to its aspect (see ``gallery.css``), so the same wall fits 1440 and 390 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from clustering.ui import routes
from clustering.ui.captions import OPENING, Captions, shown

if TYPE_CHECKING:
    from clustering.collections import Collection

Badge = tuple[str, bool, str]  # shape (circle, square, triangle), filled or not, what it means
PAGE = 60  # works shown at once
_MOST_SHEETS = 4  # atlas sheets worth fetching for the first glimpse of a wall
_DETAILS = 4  # columns told in a row
_HERE = Path(__file__).parent


def gallery(
    collection: Collection,
    indices: ArrayLike,
    *,
    key: str,
    title: str = "Works",
    height: int = 150,
    page_size: int = PAGE,
    colours: Sequence[str] | None = None,
    notes: Mapping[int, str] | None = None,
    badges: Mapping[int, Sequence[Badge]] | None = None,
    strip: bool = False,
) -> int | None:
    """Show items and return the index of the one opened since the last run.

    Parameters
    ----------
    collection : Collection
        What has pictures becomes a wall, of the items of other kinds rows of words.
    indices : int array-like
        Items in the order shown.
    key : str
    title : str
        What the list is called by a screen reader.
    height : int
        Wanted height of a row in pixels.
    page_size : int
        Items a page; more are turned to by numbers below.
    colours : sequence of str, optional
        Colour of every item of the collection, drawn as a thin bar.
    notes : mapping of int to str, optional
        A few words under some items, such as a distance.
    badges : mapping of int to badges, optional
        Small shapes under some items.
    strip : bool
        One line that scrolls sideways where it is too long, instead of rows.
    """
    chosen = np.asarray(indices, dtype=np.int64)
    pages = max(1, ceil(len(chosen) / page_size))
    page = min(int(st.session_state.get(f"{key}.page", 1)), pages)
    here = chosen[(page - 1) * page_size : page * page_size]
    wall = wall_data(collection, here, title, height, colours, notes or {}, badges or {}, strip)
    result = _component()(key=key, data=wall, on_clicked_change=_nothing)
    if pages > 1:
        st.pagination(pages, key=f"{key}.page", default=1)
    return _news(key, result.get("clicked"))


def contact_sheet(collection: Collection, indices: ArrayLike, *, key: str, height: int = 104) -> None:
    """Show works as a still wall: captions and proportions as in a gallery, nothing to open."""
    wall = wall_data(collection, np.asarray(indices, dtype=np.int64), "Works", height, None, {})
    _component()(key=key, data={**wall, "still": True}, on_clicked_change=_nothing)


def wall_data(
    collection: Collection,
    indices: NDArray[np.int64],
    title: str,
    height: int,
    colours: Sequence[str] | None,
    notes: Mapping[int, str],
    badges: Mapping[int, Sequence[Badge]] | None = None,
    strip: bool = False,
) -> dict[str, Any]:
    """Return what the browser needs to draw some items: words, proportions, addresses."""
    captions = Captions.of(collection)
    pictures = collection.pictured
    aspects = aspects_of(collection, indices)
    entries = []
    for index, aspect in zip(indices.tolist(), aspects, strict=True):
        caption = captions.caption(index)
        note = notes.get(index, "")
        if not pictures and (
            not note or (collection.kind == "tokens" and not strip)
        ):  # a word alone says little
            note = " · ".join(part for part in (note, _details(captions, index)) if part)
        colour = colours[index] if colours is not None else ""
        entry = [index, round(aspect, 3), caption.line if pictures else caption.title, colour, note]
        entries.append(
            [*entry, [list(one) for one in badges[index]]] if badges and index in badges else entry
        )
    data: dict[str, Any] = {"title": title, "height": height, "rows": not pictures, "items": entries}
    data |= {"collection": collection.id} | ({"strip": True} if strip else {})
    if pictures and routes.are_served():
        source = routes.atlas_source(collection)
        data["picture"] = source["picture"].replace("{size}", "256")
        atlas = glimpse(source, indices)
        if atlas is not None:
            data["atlas"] = atlas
    return data


def glimpse(source: Mapping[str, Any], indices: NDArray[np.int64]) -> dict[str, Any] | None:
    """Return the finest atlas size whose sheets for these items are few enough to fetch first, or None."""
    for size, shape in sorted(source["sizes"].items(), key=lambda entry: -int(entry[0])):
        if len(np.unique(indices // shape["per_sheet"])) <= _MOST_SHEETS:
            address = source["atlas"].replace("{size}", size)
            return {"url": address, "size": int(size), **dict(shape)}
    return None


def aspects_of(collection: Collection, indices: NDArray[np.int64]) -> list[float]:
    """Return width over height of each picture, kept between 0.35 and 3; 1 where it is not known."""
    items = collection.items
    if "aspect" not in items.columns:
        return [1.0] * len(indices)
    values = items["aspect"].to_numpy(dtype=np.float64)[indices]
    return [float(value) for value in np.nan_to_num(values, nan=1.0).clip(0.35, 3.0)]


def _details(captions: Captions, index: int) -> str:
    if OPENING in captions.items:  # a text, or a word in its sentence
        return shown(captions.items[OPENING].iloc[index])
    told = [(name, value) for name, value in captions.metadata(index) if name != captions.title]
    return " · ".join(f"{name} {shown(value)}" for name, value in told[:_DETAILS])


@lru_cache(maxsize=1)
def _component() -> Any:
    styles = (_HERE / "gallery.css").read_text("utf-8")
    script = (_HERE / "gallery.js").read_text("utf-8")
    return st.components.v2.component("deep_clustering_studio.gallery", css=styles, js=script)


def _nothing() -> None:
    """Stand in for a callback: its presence makes a state name known to Streamlit."""


def _news(key: str, sent: Any) -> int | None:
    index = sent.get("index") if isinstance(sent, Mapping) else None
    if not isinstance(index, int) or index < 0 or st.session_state.get(f"{key}.seen") == sent.get("token"):
        return None
    st.session_state[f"{key}.seen"] = sent.get("token")
    return index
