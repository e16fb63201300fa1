"""Distance correlation of two placings of the same items: of all pairs, or of a few items with all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.metrics.distances import Distances, drawn_anchors, in_blocks
from clustering.metrics.neighbourhood import checked_pair
from clustering.progress import Progress, silent, tell

ANCHORS = 500
GROUPS = 20  # of anchors, left out in turn to see how sure the value is

_Sums = NDArray[np.float64]  # (…, 8): Σ a_ij b_ij, a_ij², b_ij² | a_i. b_i., a_i.², b_i.² | a_i., b_i.


def distance_correlation(X: ArrayLike, Y: ArrayLike, bias_corrected: bool = False) -> float | None:
    """Return the distance correlation of two placings of the same items (Székely, Rizzo, Bakirov 2007).

    Parameters
    ----------
    X, Y : array-like (n, d), (n, e)
    bias_corrected : bool
        False: the V-statistic in [0, 1], too high for few items. True: the root of the U-statistic (Székely,
        Rizzo 2014), 0 where the estimate is negative; needs four items.

    Returns
    -------
    float or None
        None where all items of one placing coincide, or are too few.
    """
    from scipy.spatial.distance import pdist, squareform

    space, picture = checked_pair(X, Y)
    if bias_corrected and len(space) < 4:
        return None
    centre = _u_centred if bias_corrected else _centred
    a, b = centre(squareform(pdist(space))), centre(squareform(pdist(picture)))
    return _root((a * b).sum(), (a * a).sum(), (b * b).sum())


def sampled_distance_correlation(
    X: ArrayLike, Y: ArrayLike, anchors: int = ANCHORS, seed: int = 0, progress: Progress = silent
) -> tuple[float, float] | None:
    """Return the bias-corrected distance correlation of many items, estimated from a few, and how sure it is.

    The U-statistic (Székely, Rizzo 2014) needs Σ a_ij b_ij, Σ_i a_i. b_i. and a.. b.., where a and b are the
    distances in the two placings and a dot sums over an index. Each is estimated without bias from the whole
    rows i of random anchors: the first two as sums over rows, the last over pairs of different rows. Only
    the ratio and its root are not linear in them.

    Parameters
    ----------
    X, Y : array-like (n, d), (n, e)
    anchors : int
        Items, at least 40, whose distances to all others are taken; no more than a few million distances are
        held at a time.
    seed : int
        Chooses the anchors.
    progress : callable

    Returns
    -------
    (value, standard_error) : (float, float) or None
        The error of the sampling, by leaving out a twentieth of the anchors in turn. None where all items of
        one placing coincide.
    """
    space, picture = checked_pair(X, Y)
    n = len(space)
    rows = np.random.default_rng(seed).permutation(drawn_anchors(n, anchors, seed))
    far, near = Distances(space, len(rows)), Distances(picture, len(rows))
    sums = np.empty((len(rows), 8))
    for block in in_blocks(rows, n):
        sums[block] = _sums_of(_lengths(far, rows[block]), _lengths(near, rows[block]))
        tell(progress, block.stop, len(rows), "comparing distances")
    value = _estimated(sums.sum(axis=0), len(rows), n)
    if value is None:
        return None
    groups = np.array_split(np.arange(len(rows)), GROUPS)
    left_out = [
        _estimated(sums.sum(axis=0) - sums[group].sum(axis=0), len(rows) - len(group), n) or 0.0
        for group in groups
    ]
    variance = (GROUPS - 1) * float(np.var(left_out)) * (1 - len(rows) / n)
    return value, float(np.sqrt(variance))


def _lengths(distances: Distances, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    squared = distances.to_all(rows)
    squared[np.arange(len(rows)), rows] = 0
    np.maximum(squared, 0, out=squared)
    return np.sqrt(squared, dtype=np.float64)


def _sums_of(a: NDArray[np.float64], b: NDArray[np.float64]) -> _Sums:
    of_a, of_b = a.sum(axis=1), b.sum(axis=1)
    products = [np.einsum("ij,ij->i", one, other) for one, other in ((a, b), (a, a), (b, b))]
    return np.stack([*products, of_a * of_b, of_a * of_a, of_b * of_b, of_a, of_b], axis=1)


def _estimated(sums: _Sums, m: int, n: int) -> float | None:
    """Return the distance correlation of ``n`` items from sums over ``m`` of their rows."""
    one, other = np.array([6, 6, 7]), np.array([7, 6, 7])
    whole = n / m * sums[:3]
    rows = n / m * sums[3:6]
    pairs = n * (n - 1) / (m * (m - 1)) * (sums[one] * sums[other] - sums[3:6])  # of different rows
    both, own, others = whole - 2 / (n - 2) * rows + (rows + pairs) / ((n - 1) * (n - 2))
    return _root(both, own, others)


def _root(both: float, own: float, others: float) -> float | None:
    if own <= 0 or others <= 0:
        return None
    return float(np.sqrt(np.clip(both / np.sqrt(own * others), 0, 1)))


def _centred(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = distances.mean(axis=0)
    return distances - rows - rows[:, None] + rows.mean()


def _u_centred(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    n = len(distances)
    rows = distances.sum(axis=0) / (n - 2)
    centred = distances - rows - rows[:, None] + distances.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return centred
