"""Which cluster is which class, or which of the run before: counted in a table, matched one to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError

NOISE = -1


@dataclass(frozen=True)
class Contingency:
    """How many items each class shares with each cluster.

    Parameters
    ----------
    table : int64 array (C, K)
    classes : array (C,)
        Values of the reference labels, sorted where they can be.
    clusters : int array (K,)
        Ascending; starts with -1 where items count as noise.
    """

    table: NDArray[np.int64]
    classes: NDArray[Any]
    clusters: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Items counted."""
        return int(self.table.sum())

    @property
    def grouped(self) -> NDArray[np.int64]:
        """The table without the noise column, int64 (C, K')."""
        return self.table[:, self.clusters != NOISE]


def contingency(labels_true: ArrayLike, labels: ArrayLike) -> Contingency:
    """Count classes against clusters.

    Parameters
    ----------
    labels_true : array-like (n,)
        Reference labels of any type; items without one (None, NaN) are left out.
    labels : int array-like (n,)
        Clusters; -1 is noise.

    Raises
    ------
    StudioError
        When the lengths differ or no item has a reference label.
    """
    import pandas as pd

    groups = _whole_numbers(labels)
    reference = pd.Series(labels_true)
    if len(reference) != len(groups):
        raise StudioError(
            f"There are {len(reference)} reference labels for {len(groups)} items.",
            "Give one reference label an item.",
        )
    codes, classes = pd.factorize(reference, sort=reference.dropna().map(type).nunique() <= 1)
    known = codes >= 0
    if not known.any():
        raise StudioError(
            "No item has a reference label.", "Choose a column with at least one value, or load labels."
        )
    clusters, places = np.unique(groups[known], return_inverse=True)
    cells = codes[known] * len(clusters) + places
    table = np.bincount(cells, minlength=len(classes) * len(clusters)).reshape(len(classes), len(clusters))
    return Contingency(table.astype(np.int64), np.asarray(classes), clusters)


def best_match(table: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the one-to-one matching with the largest sum (Hungarian algorithm)."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    return rows, columns


def matched_labels(reference: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Rename clusters so that each takes the number of the reference cluster it shares most items with.

    The numbers choose the colours, so a cluster keeps its colour from run to run and from epoch to epoch.

    Parameters
    ----------
    reference, labels : int array-like (n,)
        -1 is noise and stays -1.

    Returns
    -------
    int64 array (n,)
        A renaming of ``labels``; clusters without a partner take the smallest numbers the reference does not
        use.
    """
    before, after = _whole_numbers(reference), _whole_numbers(labels)
    if len(before) != len(after):
        raise StudioError(
            f"Labels of {len(after)} items cannot be matched to labels of {len(before)} items.",
            "Match two runs on the same items.",
        )
    counted = contingency(before, after)
    kept_rows = counted.classes != NOISE
    rows, columns = best_match(counted.table[kept_rows][:, counted.clusters != NOISE])
    old_names = counted.classes[kept_rows]
    clusters = counted.clusters[counted.clusters != NOISE]
    names = {int(clusters[column]): int(old_names[row]) for row, column in zip(rows, columns, strict=True)}
    taken = set(old_names.tolist())
    free = (number for number in range(len(clusters) + len(taken) + 1) if number not in taken)
    for cluster in clusters.tolist():
        if cluster not in names:
            names[cluster] = next(free)
    names[NOISE] = NOISE
    values, places = np.unique(after, return_inverse=True)
    return np.array([names[value] for value in values.tolist()], dtype=np.int64)[places]


def _whole_numbers(labels: ArrayLike) -> NDArray[np.int64]:
    values = np.asarray(labels)
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iub":
        raise StudioError(
            f"Cluster labels must be whole numbers, one an item; here: {values.dtype}, shape {values.shape}.",
            "Give an array of integers such as the “labels_” of a method.",
        )
    return values.astype(np.int64)
