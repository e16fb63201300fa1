"""The items nearest to one item, found in a memory-mapped array without an index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError

BLOCK = 8192  # rows looked at together: 8192 x 1280 float32 is 42 MB


def nearest(points: NDArray[np.float32], index: int, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return indices and Euclidean distances of the ``k`` rows nearest to row ``index``, nearest first.

    Parameters
    ----------
    points : float array (n, d)
        May be memory-mapped; read block by block.

    Raises
    ------
    StudioError
        When there is no such row.
    """
    n = points.shape[0]
    if not 0 <= index < n:
        raise StudioError(f"There is no item {index}; there are {n}.", f"Choose one from 0 to {n - 1}.")
    centre = np.asarray(points[index], dtype=np.float32)
    squared = np.empty(n, dtype=np.float32)
    for start in range(0, n, BLOCK):
        apart = points[start : start + BLOCK] - centre  # (block, d)
        squared[start : start + BLOCK] = np.einsum("ij,ij->i", apart, apart)
    squared[index] = np.inf
    k = min(k, n - 1)
    if k <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    close = np.argpartition(squared, k - 1)[:k]
    order = close[np.lexsort((close, squared[close]))]
    return order.astype(np.int64), np.sqrt(squared[order])
