"""Twins: rows of an array that are equal in every column, which would make neighbour lists arbitrary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct_rows(X: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the rows that stand for all their twins.

    Parameters
    ----------
    X : array (n, d)
        Numbers without NaN.

    Returns
    -------
    first : int array (u,)
        Index of the first row of each kind, ascending.
    twin_of : int array (n,)
        For every row its place in ``first``: ``X[first][twin_of]`` equals ``X``.
    """
    rows = np.ascontiguousarray(X) + 0  # a copy in which -0.0 has become 0.0, so equal rows have equal bytes
    whole = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first, twin_of = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[twin_of]
