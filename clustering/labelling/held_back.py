"""Labels that nothing is learned from, and what a share of so few right answers says."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARE = 0.25
Z = 1.959963984540054  # of 95 %


def held_back(items: ArrayLike, classes: ArrayLike, seed: int = 0, share: float = SHARE) -> NDArray[np.bool_]:
    """Return which labels are held back: about the same share of every class, by a drawing of the items.

    A class of one or two labels gives none. An item's lot depends on nothing but the seed, so most labels
    stay on their side when others are added.

    Parameters
    ----------
    items : int array-like (m,)
        Positions in the collection.
    classes : array-like (m,)
    seed : int
    share : float
        From 0 to less than 1.

    Returns
    -------
    bool array (m,)
    """
    rows, kinds = np.asarray(items, dtype=np.int64), np.unique(np.asarray(classes), return_inverse=True)[1]
    lots = np.random.default_rng(seed).random(int(rows.max(initial=-1)) + 1)[rows]
    held = np.zeros(len(rows), dtype=bool)
    for kind in range(int(kinds.max(initial=-1)) + 1):
        own = np.flatnonzero(kinds == kind)
        held[own[np.argsort(lots[own])][: round(share * len(own))]] = True
    return held


def wilson(right: int, n: int, z: float = Z) -> tuple[float, float]:
    """Return the interval of a share of ``right`` among ``n`` by Wilson's score, of 95 % as it is.

    Unlike the usual ± it never leaves 0 to 1, and holds for few answers and for all of them right (Wilson,
    "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927).
    """
    if n == 0:
        return 0.0, 1.0
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
