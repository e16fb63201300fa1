"""The items nearest to one item, found in a memory-mapped array without an index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.neighbors import nearest_to


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
    return nearest_to(points, points[index], k, without=index)
