"""The links of a node on its card: how many neighbours, in which groups, and the way to each of them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.collections.links import neighbours
from clustering.ui.explore_state import Shown
from clustering.ui.gallery import gallery
from clustering.ui.group_bars import group_bars
from clustering.ui.trouble import plain
from clustering.words import several

PAGE = 12  # neighbours shown at once
BARS = 6  # groups told of the neighbours


def show(shown: Shown, index: int) -> int | None:
    """Show the neighbours of a node and their groups; return the one a person opened."""
    near = neighbours(np.asarray(shown.collection.edges()), index)
    if not len(near):
        st.caption("No link leads to this node: only its features say where it belongs.")
        return None
    labels = shown.groups.labels[near]
    own = int(shown.groups.labels[index])
    st.markdown(plain(sentence(shown, own, labels)))
    st.html(_bars(shown, labels, own))
    order = np.lexsort((near, labels != own))  # those of another group are what one looks for: they come last
    return gallery(
        shown.collection,
        near[order],
        key=f"drawer-links-{index}",
        title="Neighbours by links",
        height=66,
        page_size=PAGE,
        colours=shown.item_colours(),
        notes={int(item): shown.groups.name(int(shown.groups.labels[item])) for item in near},
    )


def sentence(shown: Shown, own: int, labels: NDArray[np.int64]) -> str:
    """Say how many neighbours a node has, and how many are of its own group."""
    count = len(labels)
    if own < 0:
        return f"{several(count, 'neighbour')} by links."
    inside = int((labels == own).sum())
    if inside == count:
        same = "its group" if count == 1 else "all in its group"
        return f"{several(count, 'neighbour')} by links, {same} ({shown.groups.name(own)})."
    return (
        f"{several(count, 'neighbour')} by links, {inside} of them in its group ({shown.groups.name(own)})."
    )


def _bars(shown: Shown, labels: NDArray[np.int64], own: int) -> str:
    found, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:BARS]
    rows = [(int(found[at]), counts[at] / len(labels), f"{counts[at]:,}") for at in order]
    return group_bars(shown, rows, own, "Groups of its neighbours")
