"""The rows nearest to one, straight from an array that may be memory-mapped: no index, no copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 8192  # rows looked at together: 8192 x 1280 float32 is 42 MB


def nearest_to(
    points: NDArray[np.float32], centre: NDArray[np.float32], k: int, without: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return indices and Euclidean distances of the ``k`` rows nearest to ``centre``, nearest first.

    Parameters
    ----------
    points : float array (n, d)
        Read block by block.
    centre : float array (d,)
    k : int
        Fewer are returned where there are fewer rows.
    without : int, optional
        A row that does not count, such as the centre itself.
    """
    n = points.shape[0]
    centre = np.asarray(centre, dtype=np.float32)
    squared = np.empty(n, dtype=np.float32)
    for start in range(0, n, BLOCK):
        apart = points[start : start + BLOCK] - centre  # (block, d)
        squared[start : start + BLOCK] = np.einsum("ij,ij->i", apart, apart)
    if without is not None:
        squared[without] = np.inf
    k = min(k, n - (without is not None))
    if k <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    close = np.argpartition(squared, k - 1)[:k]
    order = close[np.lexsort((close, squared[close]))]
    return order.astype(np.int64), np.sqrt(squared[order])
