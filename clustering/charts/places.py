"""Points of a map with their groups, checked to belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError


def checked_map(points: ArrayLike, labels: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return points (n, 2) and one label a point; without labels all are 0.

    Raises
    ------
    StudioError
        When the points are not two-dimensional or the labels are not one a point.
    """
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2:
        raise StudioError(
            f"A map needs points of shape (n, 2); these have shape {places.shape}.",
            "Project the latents to two dimensions first, for instance with UMAP().fit_transform(…).",
        )
    if labels is None:
        return places, np.zeros(len(places), dtype=np.int64)
    found = np.asarray(labels, dtype=np.int64).ravel()
    if len(found) != len(places):
        raise StudioError(
            f"There are {len(places)} points but {len(found)} labels.", "Give one a point, in order."
        )
    return places, found


def group_middles(places: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the median place of every group, (K, 2); NaN for an empty one."""
    middles = np.full((int(labels.max(initial=-1)) + 1, 2), np.nan)
    for label in np.unique(labels[labels >= 0]).tolist():
        middles[label] = np.median(places[labels == label], axis=0)
    return middles
