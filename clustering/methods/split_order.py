"""How splits are told: one after the other, each dividing a leaf, and what that makes of a tree's numbers.

Leaf 0 is the whole collection. Split t divides the leaf ``parents[t]``: its left half keeps the number, its
right half becomes leaf t + 1. A half is written down as the split it came from and the side, 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Half = tuple[int, int] | None  # a split and its side; None is the whole collection
SPLIT = "splits."  # how the names of the weights of a split begin
TOLD = ("parents", "masses", "refined")  # arrays with a row a split
SHOWN = ("fakes", "like")  # likewise, of trees that keep them


class Halves(NamedTuple):
    """Which half is which.

    Parameters
    ----------
    divided : list of Half
        What each split divides.
    leaves : list of Half
        What each leaf is.
    """

    divided: list[Half]
    leaves: list[Half]


def halves(parents: Sequence[int]) -> Halves:
    """Return what each split divides and what each leaf is."""
    divided: list[Half] = []
    leaves: list[Half] = [None]
    for split, leaf in enumerate(parents):
        divided.append(leaves[leaf])
        leaves[leaf] = (split, 0)
        leaves.append((split, 1))
    return Halves(divided, leaves)


def half_at(parents: Sequence[int], node: int) -> Half:
    """Return which half a node of a `MergeTree` is: its leaves come first, then the splits in reverse."""
    told = halves(parents)
    return told.leaves[node] if node <= len(parents) else told.divided[2 * len(parents) - node]


def within(parents: Sequence[int], half: Half) -> list[int]:
    """Return the splits of a half: that which divides it, and those further down."""
    divided = halves(parents).divided
    found: list[int] = []
    for split, one in enumerate(divided):
        if one == half or (one is not None and one[0] in found):
            found.append(split)
    return found


def heaviest_first(parents: Sequence[int], masses: Sequence[float]) -> list[int]:
    """Return the order in which no split comes before the one above it, nor divides more than an earlier one.

    Parameters
    ----------
    masses : sequence of float
        What each split divides.
    """
    divided, order = halves(parents).divided, list[int]()
    while len(order) < len(parents):
        ready = [
            split
            for split, one in enumerate(divided)
            if split not in order and (one is None or one[0] in order)
        ]
        order.append(max(ready, key=lambda split: masses[split]))
    return order


def numbered(parents: Sequence[int], order: Sequence[int]) -> tuple[list[int], dict[Half, int]]:
    """Return the parents of some splits told in another order, and the leaf that each half then ends as.

    Parameters
    ----------
    order : sequence of int
        Splits, none before the one above it; what lies below those left out goes with them.
    """
    divided, leaf_of, found = halves(parents).divided, dict[Half, int](), list[int]()
    leaf_of[None] = 0
    for number, split in enumerate(order):
        found.append(leaf_of.pop(divided[split]))  # what is divided is no leaf any more
        leaf_of[split, 0], leaf_of[split, 1] = found[-1], number + 1
    return found, leaf_of


def in_order(weights: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    """Return the weights of some splits and what is told of each, by name, told in another order."""
    place = {split: number for number, split in enumerate(order)}
    found = {name: weights[name][list(order)] for name in (*TOLD, *SHOWN) if len(weights.get(name, ()))}
    found["parents"] = np.array(numbered(weights["parents"].tolist(), order)[0], dtype=np.int64)
    for name, value in weights.items():
        if name.startswith(SPLIT):
            split, _, rest = name.removeprefix(SPLIT).partition(".")
            if int(split) in place:
                found[f"{SPLIT}{place[int(split)]}.{rest}"] = value
    return found


def merges(parents: Sequence[int], masses: Sequence[float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return splits as a history of merges, (u - 1, 2) and (u - 1,): the last split is the first merge.

    Parameters
    ----------
    parents : sequence of int
    masses : sequence of float
        What each divided leaf held: the height of the merge. No split divides a heavier leaf than the one
        before.
    """
    node_of = list(range(len(parents) + 1))
    children = []
    for split in reversed(range(len(parents))):
        leaf = parents[split]
        children.append((node_of[leaf], node_of[split + 1]))
        node_of[leaf] = len(parents) + len(children)
    return np.array(children, dtype=np.int64).reshape(-1, 2), np.array(masses[::-1], dtype=np.float64)
