"""A tree of clusters, written down as a history of merges: who is in a branch, and what a cut makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError


@dataclass(frozen=True)
class MergeTree:
    """Which clusters were joined, one pair after the other, until all items were in one.

    Nodes are numbered as in scikit-learn and SciPy: 0..u-1 are the leaves, u + i is what merge i made, and
    2u - 2 is the root. A divisive method writes its splits in reverse.

    Parameters
    ----------
    children : int64 array (u - 1, 2)
        The two nodes of each merge. The order of the merges alone says what a cut makes.
    heights : float64 array (u - 1,)
        How far apart the two were, in the method's own measure.
    leaf_of : int64 array (n,)
        The leaf of each item; a leaf may hold several items (twins, or items that joined a sampled one).
    memberships : float32 array (n, u), optional
        How much of each item each leaf holds, where that is a matter of degree. An item is then in the group
        of a cut that holds most of it, which need not be the one its leaf is in.

    Raises
    ------
    StudioError
        When the merges make no tree.
    """

    children: NDArray[np.int64]
    heights: NDArray[np.float64]
    leaf_of: NDArray[np.int64]
    memberships: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        merges = len(self.children)
        fits = self.children.shape == (merges, 2) and self.heights.shape == (merges,)
        each_once = fits and np.array_equal(np.sort(self.children, axis=None), np.arange(2 * merges))
        in_order = each_once and bool((self.children < self.n_leaves + np.arange(merges)[:, None]).all())
        if not (in_order and self.leaf_of.min(initial=0) >= 0 and self.leaf_of.max(initial=0) <= merges):
            raise StudioError(
                "The merges make no tree: each node but the last must be joined once, after it was made.",
                "Train the run again.",
            )

    @property
    def n_leaves(self) -> int:
        """How many leaves there are, u; no cut has more groups."""
        return len(self.children) + 1

    @property
    def root(self) -> int:
        """The node that holds every item."""
        return 2 * len(self.children)

    def size(self, node: int) -> int:
        """Return how many items are in a branch."""
        start, end = self._range(node)
        return end - start

    def members(self, node: int) -> NDArray[np.int64]:
        """Return the items of a branch, ascending."""
        start, end = self._range(node)
        return np.sort(self._items[start:end])

    def height(self, node: int) -> float:
        """Return how far apart the two halves of a branch are; 0 for a leaf."""
        return float(self.heights[node - self.n_leaves]) if node >= self.n_leaves else 0.0

    def halves(self, node: int) -> tuple[int, int] | None:
        """Return the two branches a branch was joined from, the larger first; None for a leaf."""
        if node < self.n_leaves:
            return None
        first, second = self.children[node - self.n_leaves].tolist()
        return (first, second) if self.size(first) >= self.size(second) else (second, first)

    def path(self, node: int) -> list[int]:
        """Return the nodes from the root down to ``node``."""
        found = [node]
        while found[-1] != self.root:
            found.append(int(self._parents[found[-1]]))
        return found[::-1]

    def branches(self, n_clusters: int) -> NDArray[np.int64]:
        """Return the nodes that are left when the last merges are undone, (K,), in leaf order.

        Raises
        ------
        StudioError
            When there are not so many leaves.
        """
        if not 1 <= n_clusters <= self.n_leaves:
            raise StudioError(
                f"A tree with {self.n_leaves:,} leaves cannot be cut into {n_clusters:,} groups.",
                f"Choose from 1 to {self.n_leaves:,}.",
            )
        made = self.root + 1 - (n_clusters - 1)  # nodes that are there before the last K - 1 merges
        whole = np.flatnonzero(self._parents[:made] >= made)
        return whole[np.argsort(self._starts[whole])] if n_clusters > 1 else np.array([self.root])

    def parts(self, node: int, most: int) -> list[int]:
        """Return the branches that a branch falls into when its last merges are undone, at most so many."""
        found = [node]
        while len(found) < most and (last := max(found)) >= self.n_leaves:
            found.remove(last)
            found += self.children[last - self.n_leaves].tolist()
        return found

    def cut(self, n_clusters: int) -> NDArray[np.int64]:
        """Return each item's group when the tree is cut into ``n_clusters``, (n,).

        Groups are numbered by their first leaf. Those of a finer cut lie within those of a coarser one, but
        for items of which several leaves hold a part.
        """
        if self.memberships is None:
            return self.cut_leaves(n_clusters)[self.leaf_of]
        return self.held(n_clusters).argmax(axis=1).astype(np.int64)

    def held(self, n_clusters: int) -> NDArray[np.float32]:
        """Return how much of each item each group of a cut holds, (n, K); whole items where leaves are."""
        groups = self.cut_leaves(n_clusters)
        held = np.zeros((len(self.leaf_of), n_clusters), dtype=np.float32)
        if self.memberships is None:
            held[np.arange(len(held)), groups[self.leaf_of]] = 1
            return held
        for leaf, group in enumerate(groups):
            held[:, group] += self.memberships[:, leaf]
        return held

    def leaves(self, node: int) -> NDArray[np.int64]:
        """Return the leaves of a branch, ascending."""
        start, own = self._starts[node], self._starts[: self.n_leaves]
        return np.flatnonzero((own >= start) & (own < start + self._leaves[node]))

    def mass(self, node: int) -> float:
        """Return how much a branch holds, counted in items; its size where leaves are whole."""
        if self.memberships is None:
            return float(self.size(node))
        return float(self.memberships[:, self.leaves(node)].sum(dtype=np.float64))

    def cut_leaves(self, n_clusters: int) -> NDArray[np.int64]:
        """Return each leaf's group when the tree is cut into ``n_clusters``, (u,)."""
        branches = self.branches(n_clusters)
        ranked = np.repeat(np.arange(n_clusters), self._leaves[branches])  # in the order of the drawn tree
        groups = ranked[self._starts[: self.n_leaves]]
        _, first = np.unique(groups, return_index=True)
        return np.argsort(np.argsort(first)).astype(np.int64)[groups]

    def _range(self, node: int) -> tuple[int, int]:
        start = self._starts[node]
        return int(self._before[start]), int(self._before[start + self._leaves[node]])

    @cached_property
    def _parents(self) -> NDArray[np.int64]:
        """The node each node was joined into, (2u - 1,); the root's is one beyond it."""
        parents = np.full(self.root + 1, self.root + 1, dtype=np.int64)
        parents[self.children] = self.n_leaves + np.arange(len(self.children))[:, None]
        return parents

    @cached_property
    def _leaves(self) -> NDArray[np.int64]:
        """How many leaves each node has, (2u - 1,)."""
        leaves = [1] * self.n_leaves
        for first, second in self.children.tolist():
            leaves.append(leaves[first] + leaves[second])
        return np.array(leaves, dtype=np.int64)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The place of each node's first leaf when the tree is drawn without crossings, (2u - 1,)."""
        starts, leaves = [0] * (self.root + 1), self._leaves.tolist()
        for at in range(len(self.children) - 1, -1, -1):
            first, second = self.children[at].tolist()
            starts[first] = starts[self.n_leaves + at]
            starts[second] = starts[first] + leaves[first]
        return np.array(starts, dtype=np.int64)

    @cached_property
    def _items(self) -> NDArray[np.intp]:
        """All items in the order of the drawn tree, so that every branch is one piece, (n,)."""
        return np.argsort(self._starts[self.leaf_of], kind="stable")

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """How many items lie before each place of the drawn tree, (u + 1,)."""
        held = np.bincount(self._starts[self.leaf_of], minlength=self.n_leaves)
        return np.concatenate([[0], np.cumsum(held)])


def with_leaves(
    children: ArrayLike, heights: ArrayLike, kept: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the merges that are left of a history when only some leaves are kept.

    Parameters
    ----------
    children : int array-like (m - 1, 2)
    heights : float array-like (m - 1,)
    kept : bool array-like (m,)
        At least one of them.

    Returns
    -------
    children : int64 array (u - 1, 2)
        The kept leaves are numbered 0..u-1 in their old order.
    heights : float64 array (u - 1,)
    """
    chosen = np.asarray(kept, dtype=bool)
    renumbered: list[int] = np.where(chosen, np.cumsum(chosen) - 1, -1).tolist()  # -1: nothing kept within
    made, left = int(chosen.sum()), list[tuple[int, int, float]]()
    merges: Any = zip(np.asarray(children).tolist(), np.asarray(heights).tolist(), strict=True)
    for (first, second), height in merges:
        one, other = renumbered[first], renumbered[second]
        if one >= 0 and other >= 0:
            left.append((one, other, height))
            renumbered.append(made)
            made += 1
        else:
            renumbered.append(max(one, other))
    pairs = np.array([merge[:2] for merge in left], dtype=np.int64).reshape(-1, 2)
    return pairs, np.array([merge[2] for merge in left], dtype=np.float64)
