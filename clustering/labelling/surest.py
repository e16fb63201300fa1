"""Which items a trained network would have labelled: of every group the one it is surest of (USL-T)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from clustering.labelling.surveying import Pick


def surest_items(
    soft_assignments: NDArray[np.floating], labelled: Iterable[int] = (), skipped: Iterable[int] = ()
) -> list[Pick]:
    """Return of every group without a label the item it holds most surely, the largest group first.

    Wang, Lian and Yu, "Unsupervised Selective Labeling for More Effective Semi-Supervised Learning", ECCV
    2022. A group that holds no item gives none.

    Parameters
    ----------
    soft_assignments : float array (n, K)
        Rows sum to 1.
    labelled, skipped : iterable of int
        Items that have a label, whose groups need no other, and items that are not to be asked about.

    Returns
    -------
    list of Pick
        At most one a group.
    """
    odds = np.asarray(soft_assignments, dtype=np.float64)
    groups = odds.argmax(axis=1)
    # One less the largest odds, which single precision rounds to 1 for many items at once: what is left of
    # the others still tells them apart.
    doubt = np.where(np.arange(odds.shape[1]) == groups[:, None], 0, odds).sum(axis=1)
    open_ = ~np.isin(groups, groups[list(labelled)])
    open_[list(skipped)] = False
    rows = np.flatnonzero(open_)
    order = rows[np.lexsort((rows, doubt[rows], groups[rows]))]
    picks = order[np.unique(groups[order], return_index=True)[1]]
    sizes = np.bincount(groups, minlength=odds.shape[1])
    picks = picks[np.lexsort((picks, -sizes[groups[picks]]))]
    return [_pick(item, groups[item], sizes[groups[item]], 1 - doubt[item]) for item in picks.tolist()]


def _pick(item: int, group: int, size: int, odds: float) -> Pick:
    reason = f"Stands for {size:,} items that have no label yet, as the one this run is surest of among them."
    if size == 1:
        reason = "Alone in its group, which has no label yet."
    return Pick(item, float(odds), int(group), int(size), reason)
