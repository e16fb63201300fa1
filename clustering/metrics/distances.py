"""Distances from some items to all others, a block at a time: memory does not grow with their square."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS_AT_ONCE = 2**22
_PAIRWISE_UP_TO = 2e9  # multiplications; above, a matrix product, ten times quicker and a little less exact
_WIDE_UP_TO = 1.2e8  # numbers that may be held as float64


class Distances:
    """Squared distances from some rows of an array to all of them, the way there chosen by size.

    Parameters
    ----------
    points : array (n, d)
    n_anchors : int
        Rows that will be asked for in all.
    """

    def __init__(self, points: NDArray[Any], n_anchors: int) -> None:
        self.pairwise = float(n_anchors) * points.size <= _PAIRWISE_UP_TO
        middle = points.mean(axis=0, dtype=np.float64)
        wide = points.size <= _WIDE_UP_TO
        self.points = (points - middle).astype(np.float64 if wide else np.float32)
        self.lengths = np.einsum("ij,ij->i", self.points, self.points)

    def to_all(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return squared distances (b, n), infinite from a row to itself."""
        if self.pairwise:
            from scipy.spatial.distance import cdist

            squared = cdist(self.points[rows], self.points, "sqeuclidean")
        else:
            squared = self.lengths[rows, None] + self.lengths - 2 * (self.points[rows] @ self.points.T)
        squared[np.arange(len(rows)), rows] = np.inf
        return squared


def in_blocks(anchors: NDArray[np.intp], n: int) -> Iterator[slice]:
    """Yield slices of the anchors whose distances to ``n`` items may be held at once."""
    step = max(1, CELLS_AT_ONCE // n)
    for start in range(0, len(anchors), step):
        yield slice(start, min(start + step, len(anchors)))


def drawn_anchors(n: int, count: int, seed: int) -> NDArray[np.intp]:
    """Return ``count`` different row numbers of ``n`` in ascending order, all if there are no more."""
    if count >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, max(count, 1), replace=False))
