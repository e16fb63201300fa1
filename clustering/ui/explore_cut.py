"""The tree of a run and the groups of the cut that a person tries on it, before it is kept."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.merge_tree import MergeTree
from clustering.training.events import Generated
from clustering.ui import explore_state, state
from clustering.ui.explore_state import Shown
from clustering.ui.explore_view import BY_CUT
from clustering.ui.groups import Groups
from clustering.workspace.records import RunArrays


@st.cache_resource(show_spinner=False, max_entries=8)
def tree_of(run_id: str) -> MergeTree | None:
    """Return the tree of a run that has one with at least one branching."""
    tree = state.workspace().tree(run_id)
    return tree if tree is not None and tree.n_leaves > 1 else None


@st.cache_resource(show_spinner=False, max_entries=64)
def generated_at(run_id: str, merge: int) -> Generated | None:
    """Return what the generators made of the two halves of a merge; None where nothing of it was kept."""
    return state.workspace().generated(run_id, merge)


def cut_key(shown: Shown) -> str:
    """Return under which key the number of groups is kept."""
    return f"tree-cut-{shown.run.id}"


def n_groups(shown: Shown) -> int:
    """Return into how many groups a person wants to cut; at first as many as the run has."""
    return int(st.session_state.get(cut_key(shown)) or own_groups(shown))


def own_groups(shown: Shown) -> int:
    """Return at how many groups the run itself cuts its tree; some of them may hold no item."""
    tree = tree_of(shown.run.id)
    assert tree is not None
    return min(int(shown.run.parameters["n_clusters"]), tree.n_leaves)


def groups_for(shown: Shown, colour: str) -> Groups:
    """Return the groups that a map is coloured by: those of the run, or of the cut being tried."""
    if colour != BY_CUT or tree_of(shown.run.id) is None:
        return shown.groups
    return cut_groups(shown.run.id, n_groups(shown))


@st.cache_resource(show_spinner=False, max_entries=8)
def cut_groups(run_id: str, n_clusters: int) -> Groups:
    """Return the groups of a cut, each in the colour of the run's group that it shares most items with."""
    tree, arrays = tree_of(run_id), state.run_arrays(run_id)
    assert tree is not None
    labels = tree.cut(n_clusters)
    nothing = np.empty((len(labels), 0), dtype=np.float32)  # a cut that is tried has no soft assignments
    held = [np.flatnonzero(labels == j) for j in range(n_clusters)]
    centers = np.stack(
        [np.asarray(arrays.latents[some if len(some) else slice(None)]).mean(axis=0) for some in held]
    )
    return explore_state.in_colours_of(
        Groups(RunArrays(labels, nothing, arrays.latents, centers), {}), run_id
    )


def glimpse(shown: Shown, tree: MergeTree, node: int, most: int) -> list[int]:
    """Return the most typical item of each of the parts that a branch falls into first, large parts first."""
    parts = sorted(tree.parts(node, most), key=tree.size, reverse=True)
    return [int(typical_first(shown, tree.members(part))[0]) for part in parts if tree.size(part)]


def typical_first(shown: Shown, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return items ordered by their distance from the middle of them all, in latent space."""
    latents = np.asarray(shown.groups.arrays.latents)[members]
    apart = np.square(latents - latents.mean(axis=0)).sum(axis=1)
    return members[np.argsort(apart, kind="stable")]
