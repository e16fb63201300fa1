"""The tree of a run whose method keeps one, read from its saved model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from clustering.merge_tree import MergeTree
from clustering.training.events import Generated

PARTS = ("children_", "heights_", "places_")  # fitted attributes of a method with a tree, as `MergeTree` has
DEGREES = "memberships_"  # and of one whose leaves hold items by degrees
MADE = ("generated_", "nearest_")  # and of one whose splits are made by generators


def tree_in(model: Path) -> MergeTree | None:
    """Return the tree in a saved model's folder; None where its method made none."""
    with _opened(model, PARTS) as arrays:
        if arrays is None:
            return None
        parts = [*PARTS, *({DEGREES} & set(arrays.keys()))]
        return MergeTree(*(arrays.get_tensor(part) for part in parts))


def generated_in(model: Path, merge: int) -> Generated | None:
    """Return what generators made of the two children of a merge, by the model in a folder."""
    with _opened(model, MADE) as arrays:
        if arrays is None:
            return None
        items, nearest = (np.asarray(arrays.get_slice(name)[merge]) for name in MADE)
    return Generated(items, nearest) if (nearest >= 0).all() else None


@contextmanager
def _opened(model: Path, parts: Sequence[str]) -> Iterator[Any]:
    """Open the arrays in a saved model's folder; None where some of ``parts`` are not among them."""
    from safetensors import safe_open

    file = model / "arrays.safetensors"
    if not file.exists():
        yield None
        return
    with safe_open(file, framework="numpy") as arrays:
        yield arrays if set(parts) <= set(arrays.keys()) else None
