"""Labels of some of the items: checked, and written as one number an item."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError

UNKNOWN = -1


def checked_labels(labels: ArrayLike | Any, n_items: int, n_clusters: int) -> NDArray[np.int64]:
    """Return the group of each item, int64 (n,), −1 where nobody said.

    Parameters
    ----------
    labels : int array-like (n,)
        From 0 to K − 1, or −1.
    n_items : int
    n_clusters : int
        K.

    Raises
    ------
    StudioError
        For another number of labels, for what is no number of a group, or where fewer than two groups have a
        labelled item.
    """
    given = np.asarray(labels)
    if given.shape != (n_items,):
        raise StudioError(
            f"There are {given.size} labels of shape {given.shape} for {n_items} items.",
            "Give one number for every item in the order of the items, −1 where the label is not known.",
        )
    whole = given.dtype.kind in "iu" or (given.dtype.kind == "f" and bool((given == np.rint(given)).all()))
    wrong = np.flatnonzero((given < UNKNOWN) | (given >= n_clusters)) if whole else np.arange(n_items)
    if wrong.size:
        raise StudioError(
            f"{wrong.size} labels are no numbers of groups (first: {given[wrong[0]]}, row {wrong[0] + 1}); "
            f"there are {n_clusters} groups.",
            f"Give numbers from 0 to {n_clusters - 1}, and −1 where the label is not known.",
        )
    known = given.astype(np.int64)
    groups = np.unique(known[known != UNKNOWN])
    if len(groups) < min(2, n_clusters):
        held = "no item has a label" if not len(groups) else f"all labels name group {groups[0] + 1}"
        raise StudioError(
            f"Nothing can be learned: {held}.", "Label at least one item of each of two groups or more."
        )
    return known


def groups_without(labels: NDArray[np.int64], n_clusters: int) -> list[int]:
    """Return the groups no item is labelled with, counted from 0."""
    return np.flatnonzero(np.bincount(labels[labels >= 0], minlength=n_clusters) == 0).tolist()
