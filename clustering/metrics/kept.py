"""Which neighbours a map keeps, for every item, from two searches for neighbours and no ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.arrays import distinct_rows
from clustering.metrics.neighbourhood import check_k, checked_pair
from clustering.neighbors import nearest_neighbors
from clustering.progress import Progress, silent


def neighbours_kept(
    X: ArrayLike, Y: ArrayLike, k: int = 15, progress: Progress = silent
) -> NDArray[np.float32]:
    """Return for every item the share of its k true neighbours that are among its k nearest on the map.

    The rest of either list are the false neighbours seen and the true ones missed: equally many. The mean is
    `neighbour_recall`. It costs O(n k) beside the two searches, whose results are shared (`kept_in`), so that
    it is known for all items of a large collection, where ranks are only known for a sample.

    Parameters
    ----------
    X : array-like (n, d)
        The space. Items equal in it are one.
    Y : array-like (n, 2)
        The map.
    k : int
        Below half the number of different items.
    progress : callable

    Returns
    -------
    float32 array (n,)

    Raises
    ------
    StudioError
        When ``k`` is too large or the arrays do not fit.
    """
    space, picture = checked_pair(X, Y)
    first, twin_of = distinct_rows(space)
    check_k(k, len(first))
    true, seen = (
        nearest_neighbors(points[first].astype(np.float32), k, progress=progress).indices
        for points in (space, picture)
    )
    both = np.sort(np.hstack([true, seen]), axis=1)
    kept: NDArray[np.float32] = ((both[:, 1:] == both[:, :-1]).sum(axis=1) / k).astype(np.float32)
    return kept[twin_of]
