"""The latent map: our WebGL2 component, mounted through Streamlit, with points in and a drawn line out.

`latent_map` is called by a page; the browser's part lies in ``js/`` and ``map.css`` and is passed to
Streamlit as text. What comes back is a `MapSelection`: a gesture (at most 1 KB) and the item clicked, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from numpy.typing import NDArray

from clustering.ui.latent_map.blob import layer_sections, pack, point_sections, unpack
from clustering.ui.latent_map.legend import Legend, ramp_codes
from clustering.ui.latent_map.selection import Gesture, inside_polygon, selected_items

__all__ = [
    "Gesture",
    "Legend",
    "MapSelection",
    "Mark",
    "PictureSource",
    "inside_polygon",
    "latent_map",
    "layer_sections",
    "news",
    "pack",
    "point_sections",
    "ramp_codes",
    "selected_items",
    "unpack",
]

_HERE = Path(__file__).parent
_PARTS = (
    "base",
    "camera",
    "search",
    "shaders",
    "gl",
    "flat",
    "pictures",
    "groups",
    "overlay",
    "panel",
    "links",
    "edges",
    "marks",
    "input",
    "questions",
    "doing",
    "main",
)


@dataclass(frozen=True)
class MapSelection:
    """What a person did on the map since the last run.

    Parameters
    ----------
    gesture : Gesture or None
        A lasso, box or clearing.
    clicked : int or None
        Index of the item opened.
    """

    gesture: Gesture | None = None
    clicked: int | None = None


@dataclass(frozen=True)
class Mark:
    """Something on the map that is none of its items.

    Parameters
    ----------
    number : int
        Written on it.
    title : str
    x, y : float
        In map coordinates.
    colour : str
    picture : str
        A ``data:`` address of a small picture; empty for none.
    """

    number: int
    title: str
    x: float
    y: float
    colour: str
    picture: str = ""


@dataclass(frozen=True)
class PictureSource:
    """Where the map finds pictures.

    Parameters
    ----------
    picture : str
        Address of one picture, with ``{index}`` and ``{size}`` in it.
    atlas : str
        Address of an atlas sheet, with ``{size}`` and ``{sheet}`` in it; empty when there is none.
    sizes : mapping
        The ``sizes`` of ``atlas.json``: columns, items a sheet, sheets, by cell size.
    """

    picture: str
    atlas: str = ""
    sizes: Mapping[str, Mapping[str, int]] | None = None

    def options(self) -> dict[str, Any]:
        """Return the source as the browser reads it."""
        sizes = {size: dict(shape) for size, shape in (self.sizes or {}).items()}
        return {"picture": self.picture, "atlas": self.atlas, "sizes": sizes if self.atlas else {}}


@lru_cache(maxsize=1)
def script() -> str:
    """Return the browser's part as one module."""
    return "\n".join((_HERE / "js" / f"{name}.js").read_text("utf-8") for name in _PARTS)


@lru_cache(maxsize=1)
def _component() -> Any:
    styles = (_HERE / "map.css").read_text("utf-8")
    return st.components.v2.component("deep_clustering_studio.latent_map", css=styles, js=script())


def latent_map(
    points: Mapping[str, NDArray[Any]] | str,
    layer: Mapping[str, NDArray[Any]] | str,
    legend: Legend,
    *,
    key: str,
    items: str = "",
    space: str = "",
    title: str = "Map",
    pictures: PictureSource | None = None,
    cards: Sequence[Sequence[str]] | None = None,
    card_url: str = "",
    near_url: str = "",
    near_space: str = "latent",
    edges_url: str = "",
    marks: Sequence[Mark] = (),
    bounds: Sequence[float] | None = None,
    selection_version: int = 0,
    height: int = 620,
    live: bool = False,
    selectable: bool = True,
    scroll_zoom: bool = True,
    on_gesture: Callable[[], None] | None = None,
    on_click: Callable[[], None] | None = None,
) -> MapSelection:
    """Show a map and return what was done on it.

    Parameters
    ----------
    points : mapping of arrays, or str
        What `point_sections` returns, or the address of such a blob.
    layer : mapping of arrays, or str
        What `layer_sections` returns, or the address of such a blob. Both are arrays or both addresses.
    legend : Legend
    key : str
        Names the map; view, tool and toggles are kept under it.
    items : str
        Names the set of items (the collection): a selection outlives a change of projection within it.
    space : str
        Names the coordinates (the projection): each has its own view.
    title : str
        Said to screen readers.
    pictures : PictureSource, optional
    cards : sequence of (title, line, …), optional
        Texts of the hover card, for small collections; otherwise `card_url`.
    card_url : str
        Address of the JSON text of one card, with ``{index}`` in it.
    near_url : str
        Address of the JSON with an item's neighbours by space (``latent``, ``features``, ``map``), with
        ``{index}`` in it; with it a person can have lines drawn to them.
    near_space : {"latent", "features"}
        The space whose neighbours are shown until a person chooses.
    edges_url : str
        Address of a blob with the links of a graph, ``edges`` uint32 (2 e); with it a person can have them
        drawn, those of one item or all.
    marks : sequence of Mark
        What is placed beside the items.
    bounds : sequence of four floats, optional
        Left, bottom, right, top of what *fit* shows; by default the box around all points.
    selection_version : int
        Counts the selections made on the server; when it grows, the flags of the layer replace the selection
        a person has drawn.
    height : int
        Pixels; less on narrow screens.
    live : bool
        Positions come anew about every second: no pictures, the view follows until a person moves it.
    selectable : bool
        False leaves out lasso and box.
    scroll_zoom : bool
        False lets the wheel scroll the page until the map has the focus.
    on_gesture, on_click : callable, optional
        Called before the rerun that a gesture or a click causes; `news` tells what it was.

    Returns
    -------
    MapSelection
    """
    options: dict[str, Any] = {
        "key": key,
        "items": items,
        "space": space,
        "title": title,
        "legend": legend.options(),
        "pictures": pictures.options() if pictures else None,
        "card_url": card_url,
        "near_url": near_url,
        "near_space": near_space,
        "edges_url": edges_url,
        "marks": [vars(mark) for mark in marks],
        "selection_version": selection_version,
        "height": height,
        "live": live,
        "selectable": selectable,
        "scroll_zoom": scroll_zoom,
        "confidence": not (isinstance(layer, Mapping) and "confidence" not in layer),
    }
    if cards is not None:
        options["cards"] = [[str(text) for text in card] for card in cards]
    if bounds is not None:
        options["bounds"] = [float(value) for value in bounds]
    result = _component()(
        key=key,
        data=_data(points, layer, options),
        on_gesture_change=on_gesture or _nothing,
        on_clicked_change=on_click or _nothing,
    )
    return _news(key, result)


def news(key: str) -> MapSelection:
    """Return what was done on the map called ``key`` since it was last asked; for use in a callback."""
    sent = st.session_state.get(key)
    return _news(key, sent if isinstance(sent, Mapping) else {})


def _data(
    points: Mapping[str, NDArray[Any]] | str, layer: Mapping[str, NDArray[Any]] | str, options: dict[str, Any]
) -> bytes | dict[str, Any]:
    if isinstance(points, str) and isinstance(layer, str):
        options |= {"points_url": points, "layer_url": layer, "positions": points}
        options["signature"] = _digest(repr(options).encode())
        return options
    if isinstance(points, str) or isinstance(layer, str):
        raise TypeError("points and layer must both be arrays or both be addresses")
    options["positions"] = _digest(points["xy"].tobytes())
    raw = b"".join(values.tobytes() for values in layer.values())
    options["signature"] = _digest(repr(options).encode() + raw)
    return pack({**points, **layer}, options)


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


def _nothing() -> None:
    """Stand in for a callback: its presence makes a state name known to Streamlit."""


def _news(key: str, result: Any) -> MapSelection:
    """Return the gesture and click whose tokens were not seen before."""
    seen = st.session_state.setdefault(f"{key}.seen", {})
    gesture = Gesture.read(result.get("gesture"))
    if gesture is not None and seen.get("gesture") == gesture.token:
        gesture = None
    if gesture is not None:
        seen["gesture"] = gesture.token
    sent = result.get("clicked")
    clicked = sent.get("index") if isinstance(sent, Mapping) else None
    if not isinstance(clicked, int) or clicked < 0 or seen.get("clicked") == sent["token"]:
        return MapSelection(gesture)
    seen["clicked"] = sent["token"]
    return MapSelection(gesture, clicked)
