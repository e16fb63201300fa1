"""How far a map can be trusted: its neighbours, its distances and its large picture in one list."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.metrics.distance_correlation import (
    ANCHORS,
    distance_correlation,
    sampled_distance_correlation,
)
from clustering.metrics.neighbourhood import Neighbourhood, check_k, checked_pair, neighbourhoods
from clustering.metrics.quality import Quality, Space
from clustering.metrics.shape import (
    centroid_order,
    map_label_accuracy,
    pair_distances,
    pearson,
    spearman,
    triplet_accuracy,
)
from clustering.progress import Progress, silent, tell
from clustering.words import several

SAMPLE = 1_500  # items whose pairs are compared: about a million pairs
_FEW = 1_000  # below, distance correlation is shown with a warning


def projection(
    X: ArrayLike,
    Y: ArrayLike,
    k: int = 15,
    seed: int = 0,
    progress: Progress = silent,
    *,
    space: Space = "features",
    labels: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    near: Neighbourhood | None = None,
) -> list[Quality]:
    """Return every measure of how a map shows the space it was made from.

    Parameters
    ----------
    X : array-like (n, d)
        The space.
    Y : array-like (n, 2)
        The map.
    k : int
        Neighbours looked at.
    seed : int
        Of all samples.
    progress : callable
    space : {"features", "latent"}
        What ``X`` is.
    labels : int array-like (n,), optional
        Clusters; adds the order of the distances between clusters.
    reference : array-like (n,), optional
        Labels a person gave; adds how well the map's neighbours tell an item's label.
    near : Neighbourhood, optional
        What `neighbourhoods` gave for these very arrays, ``k`` and ``seed``, where that is known already.

    Returns
    -------
    list of Quality
        trustworthiness, continuity, neighbour_recall, spearman, pearson, distance_correlation,
        triplet_accuracy and, if asked for, centroid_order and map_label_accuracy. A value is None where the
        note says why.
    """
    high, low = checked_pair(X, Y)
    first, _ = distinct_rows(high)
    rows = _of_neighbours(high, low, k, seed, progress, space, len(high) - len(first), len(first), near)
    rows += _of_distances(high[first], low[first], seed, space, progress)
    if labels is not None:
        value = centroid_order(high, low, labels)
        note = "Are near clusters near in the map?" if value is not None else "Needs four clusters."
        rows.append(_row("centroid_order", "Order of cluster distances", value, space, len(high), note=note))
    if reference is not None and len(high) > 1:
        accuracy, used = map_label_accuracy(low, reference, 10, seed=seed)
        note = "How well ten neighbours in the map tell an item's label."
        rows.append(
            _row("map_label_accuracy", "Label of the neighbours", accuracy, "map", used, k=10, note=note)
        )
    return rows


def _of_neighbours(
    high: NDArray[np.generic],
    low: NDArray[np.generic],
    k: int,
    seed: int,
    progress: Progress,
    space: Space,
    n_twins: int,
    n_distinct: int,
    near: Neighbourhood | None,
) -> list[Quality]:
    titles = {
        "trustworthiness": ("Trustworthiness", "Low: neighbours in the map that are none."),
        "continuity": ("Continuity", "Low: neighbours the map has torn apart."),
        "neighbour_recall": ("Neighbours kept", f"Chance alone would keep {k / max(n_distinct - 1, 1):.3f}."),
    }
    try:
        check_k(k, n_distinct)
    except StudioError as refusal:
        return [
            _row(name, title, None, space, n_distinct, k=k, note=refusal.problem)
            for name, (title, _) in titles.items()
        ]
    measured = near or neighbourhoods(high, low, (k,), seed, progress=progress)[0]
    scores = (measured.trustworthiness, measured.continuity, measured.recall)
    twins = f" {several(n_twins, 'item')} equal to another one left out." if n_twins else ""
    return [
        _row(
            name,
            title,
            float(values.mean()),
            space,
            len(values),
            k=k,
            standard_error=float(values.std(ddof=1) / np.sqrt(len(values))) if measured.sampled else None,
            seed=seed if measured.sampled else None,
            note=note + twins,
        )
        for (name, (title, note)), values in zip(titles.items(), scores, strict=True)
    ]


def _of_distances(
    high: NDArray[np.generic], low: NDArray[np.generic], seed: int, space: Space, progress: Progress
) -> list[Quality]:
    undefined = "All distances are equal, or there are too few items."
    rows = np.arange(len(high))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), SAMPLE, replace=False))
    used, sampled = len(rows), len(rows) < len(high)
    in_space, in_map = pair_distances(high[rows], low[rows])
    found = [
        _row(
            name,
            title,
            value,
            space,
            used,
            seed=seed if sampled else None,
            note="Over all pairs of the items used." if value is not None else undefined,
        )
        for name, title, value in (
            ("spearman", "Order of distances (Spearman)", spearman(in_space, in_map)),
            ("pearson", "Distances (Pearson)", pearson(in_space, in_map)),
        )
    ]
    found.append(_distance_correlation(high, low, seed, space, undefined, progress))
    triplets = triplet_accuracy(high, low, seed=seed)
    share, error, count = triplets if triplets is not None else (None, None, 0)
    note = f"Over {count:,} random triplets; .5 is chance." if triplets is not None else undefined
    found.append(
        _row(
            "triplet_accuracy",
            "Order of random triplets",
            share,
            space,
            len(high),
            standard_error=error,
            seed=seed,
            note=note,
        )
    )
    return found


def _distance_correlation(
    high: NDArray[np.generic],
    low: NDArray[np.generic],
    seed: int,
    space: Space,
    undefined: str,
    progress: Progress,
) -> Quality:
    n = len(high)
    note = "Bias-corrected; 0 where map and space are independent."
    value: float | None
    if n > SAMPLE:
        sure = sampled_distance_correlation(high, low, seed=seed, progress=progress)
        value, error = sure if sure is not None else (None, None)
        used, chance = min(ANCHORS, n), seed
        note += f" Distances of {used} items to all {n:,}."
    else:
        tell(progress, 0, 1, "comparing distances")
        value, error, used, chance = distance_correlation(high, low, True), None, n, None
        tell(progress, 1, 1, "comparing distances")
        note += f" Unsure on only {used} items." if used < _FEW else ""
    return _row(
        "distance_correlation",
        "Distance correlation",
        value,
        space,
        used,
        standard_error=error,
        seed=chance,
        note=note if value is not None else undefined,
    )


def _row(
    name: str,
    title: str,
    value: float | None,
    space: Space,
    n_used: int,
    *,
    k: int | None = None,
    standard_error: float | None = None,
    seed: int | None = None,
    note: str = "",
) -> Quality:
    return Quality(name, title, value, "projection", space, True, n_used, standard_error, k, seed, note)
