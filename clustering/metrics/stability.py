"""Would another seed tell the same story? Whole runs, single clusters, single items and maps compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError
from clustering.metrics.external import ari
from clustering.metrics.matching import NOISE, contingency, matched_labels
from clustering.metrics.quality import Quality

Labelings = Sequence[ArrayLike] | NDArray[np.integer[Any]]  # S runs on the same n items
DOUBTFUL, STABLE = 0.6, 0.75  # of a cluster's mean Jaccard overlap with its counterparts (Hennig 2007)
_CELLS_AT_ONCE = 2**23


def stability(labelings: Labelings, seed: int = 0) -> list[Quality]:
    """Return how alike several runs on the same items are.

    Parameters
    ----------
    labelings : sequence of int arrays (n,)
        Two or more runs, usually five seeds.
    seed : int
        Of the sample of pairs in `consensus`.

    Returns
    -------
    list of Quality
        mean_ari, mean_consensus, weakest_cluster.
    """
    runs = _checked(labelings)
    S, n = runs.shape
    between = pairwise_ari(runs)[np.triu_indices(S, 1)]
    spread = f" (sd {between.std(ddof=1):.3f})" if len(between) > 1 else ""
    recovery = jaccard_recovery(runs[0], runs[1:])
    rows = [
        (
            "mean_ari",
            "Agreement between runs (ARI)",
            float(between.mean()),
            f"Over {len(between)} pairs{spread}.",
        ),
        (
            "mean_consensus",
            "Consensus of items",
            float(consensus(runs, seed=seed).mean()),
            "1: every two items are always or never together.",
        ),
        (
            "weakest_cluster",
            "Recovery of the weakest cluster",
            float(recovery.min()) if len(recovery) else None,
            "Jaccard with its best counterpart; below .6 doubtful, from .75 stable.",
        ),
    ]
    return [
        Quality(name, title, value, "stability", "", True, n, seed=seed, note=note)
        for name, title, value, note in rows
    ]


def pairwise_ari(labelings: Labelings) -> NDArray[np.float64]:
    """Return the ARI of every two runs, (S, S), ones on the diagonal."""
    runs = _checked(labelings)
    S = len(runs)
    scores = np.eye(S)
    for one in range(S):
        for other in range(one + 1, S):
            scores[one, other] = scores[other, one] = ari(runs[one], runs[other])
    return scores


def medoid(labelings: Labelings) -> int:
    """Return the place of the run that is most like all others: the highest mean ARI with them.

    Of runs that are equally so the first. Where one run only is given, it is that one.
    """
    return int(pairwise_ari(labelings).sum(axis=1).argmax()) if len(labelings) > 1 else 0


def consensus(labelings: Labelings, partners: int = 2_000, seed: int = 0) -> NDArray[np.float64]:
    """Return for every item how settled it is with whom it belongs, (n,), in [0, 1].

    stab_i = 1 − 4 mean_j M_ij (1 − M_ij), where M_ij is the share of runs that put i and j together; noise is
    together with nothing.

    Parameters
    ----------
    labelings : sequence of int arrays (n,)
    partners : int
        Above this number of items, j runs over a random sample of so many.
    seed : int
    """
    runs = _checked(labelings)
    S, n = runs.shape
    others = np.arange(n)
    if n > partners:
        others = np.sort(np.random.default_rng(seed).choice(n, partners, replace=False))
    scores = np.empty(n)
    step = max(1, _CELLS_AT_ONCE // len(others))
    for start in range(0, n, step):
        block = np.arange(start, min(start + step, n))
        together = np.zeros((len(block), len(others)), dtype=np.float32)
        for run in runs:
            together += (run[block, None] == run[others]) & (run[block, None] != NOISE)
        together /= S
        doubt = together * (1 - together)
        itself = block[:, None] == others
        doubt[itself] = 0
        count = np.maximum(len(others) - itself.sum(axis=1), 1)
        scores[block] = 1 - 4 * doubt.sum(axis=1, dtype=np.float64) / count
    return scores


def jaccard_recovery(reference: ArrayLike, labelings: Labelings) -> NDArray[np.float64]:
    """Return for each cluster of a run its mean Jaccard overlap with the best cluster of each other, (K,).

    In the order of the cluster numbers, noise left out (Hennig 2007: ≥ .75 stable, < .6 doubtful).
    """
    scores = []
    for labels in labelings:
        counted = contingency(reference, labels)
        rows = counted.classes != NOISE
        shared = counted.table[:, counted.clusters != NOISE]
        union = counted.table.sum(axis=1)[:, None] + shared.sum(axis=0) - shared
        best = (shared / np.maximum(union, 1)).max(axis=1, initial=0)
        scores.append(best[rows])
    return np.mean(scores, axis=0) if scores else np.empty(0)


def agreement(labelings: Labelings) -> NDArray[np.float64]:
    """Return for every item the share of other runs that, matched to the first, agree on it, (n,).

    O(S n): the measure for very large collections.
    """
    first, *others = _checked(labelings)
    return np.mean([matched_labels(first, run) == first for run in others], axis=0)


def map_distance(one: ArrayLike, other: ArrayLike) -> float:
    """Return the Procrustes distance of two maps, 0 where turning, mirroring and scaling makes them equal."""
    from scipy.spatial import procrustes

    return float(procrustes(np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64))[2])


def map_overlap(one: ArrayLike, other: ArrayLike, k: int = 15) -> NDArray[np.float64]:
    """Return for every item the share of its k nearest in one map that are so in the other too, (n,)."""
    from sklearn.neighbors import NearestNeighbors

    def nearest(points: NDArray[Any]) -> NDArray[np.intp]:
        return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)

    a, b = np.asarray(one), np.asarray(other)
    if len(a) != len(b) or not 1 <= k < len(a):
        raise StudioError(
            f"Maps of {len(a)} and {len(b)} items cannot be compared with {k} neighbours.",
            "Give two maps of the same items and fewer neighbours than items.",
        )
    both = np.concatenate([nearest(a), nearest(b)], axis=1)
    both.sort(axis=1)
    return (both[:, 1:] == both[:, :-1]).sum(axis=1) / k


def _checked(labelings: Labelings) -> NDArray[np.int64]:
    lengths = {len(np.asarray(labels)) for labels in labelings}
    if len(labelings) < 2 or len(lengths) != 1:
        raise StudioError(
            f"Stability needs two or more runs on the same items; these are {len(labelings)} runs of "
            f"{', '.join(map(str, sorted(lengths))) or 'no'} items.",
            "Run the method again with another seed on the same features.",
        )
    return np.stack([np.asarray(labels, dtype=np.int64) for labels in labelings])
