"""Which items pairs or links join, directly or along a chain of them: the connected components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bonds(pairs: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """Return a number for every item, int64 (n,): the same where pairs (p, 2) join items."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n_items, n_items))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
