"""Does a map keep the large picture? Distances, their order, and the order of whole clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.metrics.matching import NOISE
from clustering.metrics.neighbourhood import checked_pair

_TRIPLETS_AT_ONCE = 4_096


def pair_distances(X: ArrayLike, Y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances of every pair of items in both spaces, as float64 (n (n − 1) / 2,)."""
    from scipy.spatial.distance import pdist

    space, picture = checked_pair(X, Y)
    return pdist(space), pdist(picture)


def shepard_spearman(X: ArrayLike, Y: ArrayLike) -> float | None:
    """Return Spearman's correlation of all pair distances; None where all distances are equal."""
    in_space, in_map = pair_distances(X, Y)
    return spearman(in_space, in_map)


def shepard_pearson(X: ArrayLike, Y: ArrayLike) -> float | None:
    """Return Pearson's correlation of all pair distances; None where all distances are equal."""
    in_space, in_map = pair_distances(X, Y)
    return pearson(in_space, in_map)


def triplet_accuracy(
    X: ArrayLike, Y: ArrayLike, triplets: int = 50_000, seed: int = 0
) -> tuple[float, float, int] | None:
    """Return how often the nearer of two random items is the nearer one in the map too; .5 is chance.

    Returns
    -------
    accuracy, standard_error, n_triplets : float, float, int
        Triplets that are a tie in ``X`` are left out, a tie in ``Y`` counts half. None where all are ties.
    """
    space, picture = checked_pair(X, Y)
    if len(space) < 3:
        return None
    rng = np.random.default_rng(seed)
    anchor = rng.integers(len(space), size=triplets)
    one = (anchor + rng.integers(1, len(space), size=triplets)) % len(space)
    other = (anchor + rng.integers(1, len(space), size=triplets)) % len(space)
    hits: list[NDArray[np.float64]] = []
    for start in range(0, triplets, _TRIPLETS_AT_ONCE):
        part = slice(start, start + _TRIPLETS_AT_ONCE)
        true = _nearer(space, anchor[part], one[part], other[part])
        seen = _nearer(picture, anchor[part], one[part], other[part])
        clear = true != 0
        hits.append(np.where(seen[clear] == 0, 0.5, seen[clear] == true[clear]))
    scores = np.concatenate(hits)
    if not len(scores):
        return None
    return float(scores.mean()), float(scores.std() / np.sqrt(len(scores))), len(scores)


def centroid_order(X: ArrayLike, Y: ArrayLike, labels: ArrayLike) -> float | None:
    """Return Spearman's correlation of the distances between cluster means; None below four clusters."""
    from scipy.spatial.distance import pdist

    space, picture = checked_pair(X, Y)
    groups = np.asarray(labels)
    clusters = [groups == cluster for cluster in np.unique(groups[groups != NOISE])]
    if len(clusters) < 4:
        return None
    in_space = np.stack([space[group].mean(axis=0, dtype=np.float64) for group in clusters])
    in_map = np.stack([picture[group].mean(axis=0, dtype=np.float64) for group in clusters])
    return spearman(pdist(in_space), pdist(in_map))


def map_label_accuracy(
    Y: ArrayLike, labels: ArrayLike, k: int = 10, queries: int = 20_000, seed: int = 0
) -> tuple[float, int]:
    """Return how often an item's label is the most frequent among its k nearest in the map, itself left out.

    Returns
    -------
    accuracy, n_used : float, int
        At most ``queries`` random items are asked; each is compared with all.
    """
    from sklearn.neighbors import NearestNeighbors

    picture = np.asarray(Y)
    classes, codes = np.unique(np.asarray(labels), return_inverse=True)
    rows = np.arange(len(picture))
    if len(rows) > queries:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), queries, replace=False))
    k = min(k, len(picture) - 1)
    found = NearestNeighbors(n_neighbors=k + 1).fit(picture).kneighbors(picture[rows], return_distance=False)
    others = found != rows[:, None]
    others[others.all(axis=1), -1] = False  # items on one spot may hide an item from its own list
    votes = np.zeros((len(rows), len(classes)))
    np.add.at(votes, (np.nonzero(others)[0], codes[found[others]]), 1)
    return float((votes.argmax(axis=1) == codes[rows]).mean()), len(rows)


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Return the rank correlation of two equally long arrays; None where one is constant."""
    from scipy.stats import rankdata

    return pearson(rankdata(a), rankdata(b))


def pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Return the linear correlation of two equally long arrays; None where one is constant."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _nearer(
    points: NDArray[Any], anchor: NDArray[np.intp], one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.float64]:
    here = points[anchor].astype(np.float64)
    to_one = np.square(points[one] - here).sum(axis=1)
    return np.sign(np.square(points[other] - here).sum(axis=1) - to_one)
