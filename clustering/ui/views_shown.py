"""What the chosen views make of eight works of one's own: the work, and another look at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.jobs.catalogue import Entry
from clustering.neighbors.one import nearest_to
from clustering.ui import state
from clustering.ui.captions import Captions
from clustering.ui.folding import folded
from clustering.ui.trouble import plain
from clustering.workspace import CollectionRecord

if TYPE_CHECKING:
    from clustering.collections import Collection
    from clustering.views.recipes import PictureKind

WORKS = 8
SIDE = 96  # pixels: larger than most networks see them, so that a person sees what changes
NEIGHBOURS = 10
OF_PICTURES = ("digits", "artworks", "photographs")


def show(record: CollectionRecord, entry: Entry, settings: Mapping[str, Any], feature_id: str | None) -> None:
    """Draw a folded block with eight works before and after, for a method that learns from such views."""
    values = {parameter.name: parameter.default for parameter in entry.parameters} | dict(settings)
    kind, strength = values.get("views"), values.get("strength")
    if kind not in (*OF_PICTURES, "neighbours", "noise") or strength is None or record.kind != "images":
        return
    block = folded("What another look shows", "views-shown", icon=":material/visibility:")
    if block is None:
        return
    with block:
        if kind in OF_PICTURES:
            _moved(state.open_collection(record.id), kind, float(strength))
        elif kind == "neighbours":
            _neighbours(state.open_collection(record.id), feature_id, float(strength))
        else:
            st.caption("Noise falls on the features; a picture cannot show it.")


def chosen(n_items: int) -> list[int]:
    """Return the items shown: eight, spread evenly over the collection."""
    return np.unique(np.linspace(0, n_items - 1, min(WORKS, n_items)).round().astype(int)).tolist()


def seen_anew(
    pictures: NDArray[np.uint8], kind: PictureKind, strength: float, seed: int
) -> NDArray[np.uint8]:
    """Return a view of each picture, uint8 (n, side, side, 3)."""
    import torch

    from clustering.views.pictures import PictureViews
    from clustering.views.pixels import PictureShape
    from clustering.views.recipes import RECIPES

    n, side = pictures.shape[:2]
    views = PictureViews(PictureShape(3, side, side), RECIPES[kind].scaled(strength))
    rows = torch.from_numpy(pictures.reshape(n, -1).astype(np.float32) / 255)
    seen = views(rows, torch.Generator().manual_seed(seed))
    return (seen.numpy() * 255).round().astype(np.uint8).reshape(pictures.shape)


def _moved(collection: Collection, kind: PictureKind, strength: float) -> None:
    items = chosen(collection.n_items)
    before = _pictures(collection, items)
    with st.spinner("Looking again"):
        after = seen_anew(before, kind, strength, st.session_state.get("views-again", 0))
    _pairs(collection, items, before, after)
    if st.button("Look again", icon=":material/refresh:", key="views-look-again"):
        st.session_state["views-again"] = st.session_state.get("views-again", 0) + 1
        st.rerun(scope="app")
    st.caption(
        "Above each work, below what the network is shown as the same work; it draws another look every "
        "time. If you could not tell what a work is from it, choose less strength."
    )


def _neighbours(collection: Collection, feature_id: str | None, strength: float) -> None:
    if feature_id is None:
        st.caption("Which works lie near one another is known once the features are computed.")
        return
    count = round(NEIGHBOURS * strength)
    if count == 0:
        st.caption("Without strength every work stands for itself alone.")
        return
    points, items = state.workspace().features(feature_id), chosen(collection.n_items)
    rng = np.random.default_rng(0)
    found = (nearest_to(points, np.asarray(points[item]), count, without=item)[0] for item in items)
    near = [int(rng.choice(neighbours)) for neighbours in found]
    _pairs(collection, items, _pictures(collection, items), _pictures(collection, near), near)
    st.caption(
        f"Above each work, below one of its {count} nearest by these features, which the network takes for "
        "another look at it. If most pairs are of one kind, it learns well."
    )


def _pictures(collection: Collection, items: list[int]) -> NDArray[np.uint8]:
    from clustering.features.pictures import Square

    square = Square(SIDE, fit="letterbox")
    return np.stack([square.of(collection, item) for item in items])


def _pairs(
    collection: Collection,
    items: list[int],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    others: list[int] | None = None,
) -> None:
    captions = Captions.of(collection)
    with st.container(horizontal=True, gap="small", key="views-pairs"):
        for at, item in enumerate(items):
            title = captions.caption(item).title
            other = f"Another look at {title}" if others is None else captions.caption(others[at]).title
            with st.container(width=SIDE, gap="xxsmall"):
                st.image(before[at], width=SIDE, alt=plain(title))
                st.image(after[at], width=SIDE, alt=plain(other))
