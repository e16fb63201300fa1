"""How compact and separate clusters are, without any label; always say in which space."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError
from clustering.metrics.matching import NOISE
from clustering.metrics.quality import Quality, Space

_TRAINED_NOTE = (
    "In a latent space trained to cluster this rises by construction: compare methods in the features."
)
_ROUND_NOTE = "Favours round clusters of equal size."
_BLOCK = 16_384


def internal(
    X: ArrayLike, labels: ArrayLike, space: Space = "features", seed: int = 0, n_clusters: int | None = None
) -> list[Quality]:
    """Return every measure that needs no labels.

    Parameters
    ----------
    X : array-like (n, d)
        The items in the space to be judged.
    labels : int array-like (n,)
        Clusters; noise (-1) is left out of every measure but its own share.
    space : {"features", "latent", "map"}
    seed : int
        Of the silhouette's sample.
    n_clusters : int, optional
        Clusters that were asked for, so that empty ones are noticed.

    Returns
    -------
    list of Quality
        silhouette, simplified_silhouette, calinski_harabasz, davies_bouldin, cluster_entropy,
        largest_cluster, empty_clusters and, where there is noise, noise_share. A value is None where the note
        says why.
    """
    items, groups = _checked(X, labels)
    kept = groups != NOISE
    n_kept, found = int(kept.sum()), len(np.unique(groups[kept]))
    note = f"{_ROUND_NOTE} {_TRAINED_NOTE}" if space == "latent" else _ROUND_NOTE
    rows: list[Quality] = []

    def add(
        name: str, title: str, value: float | None, *, up: bool = True, note: str = note, **more: Any
    ) -> None:
        rows.append(
            Quality(name, title, value, "without labels", space, up, more.pop("n", n_kept), note=note, **more)
        )

    if 2 <= found < n_kept:
        items, groups = (items, groups) if kept.all() else (items[kept], groups[kept])
        chosen, scores = silhouette_sample(items, groups, seed=seed)
        sampled = len(chosen) < n_kept
        error = float(scores.std(ddof=1) / np.sqrt(len(scores))) if sampled else None
        add(
            "silhouette",
            "Silhouette",
            float(scores.mean()),
            n=len(chosen),
            standard_error=error,
            seed=seed if sampled else None,
        )
        simplified = float(simplified_silhouette(items, groups).mean())
        add("simplified_silhouette", "Silhouette to the centres", simplified)
        add("calinski_harabasz", "Calinski–Harabasz", calinski_harabasz(items, groups))
        add("davies_bouldin", "Davies–Bouldin", davies_bouldin(items, groups), up=False)
    else:
        reason = f"Needs at least two clusters and fewer clusters than items; here {found} of {n_kept} items."
        add("silhouette", "Silhouette", None, note=reason)
        add("simplified_silhouette", "Silhouette to the centres", None, note=reason)
        add("calinski_harabasz", "Calinski–Harabasz", None, note=reason)
        add("davies_bouldin", "Davies–Bouldin", None, up=False, note=reason)
    return rows + _of_sizes(np.asarray(labels), n_clusters)


def silhouette_sample(
    X: ArrayLike, labels: ArrayLike, size: int = 10_000, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return silhouettes point by point, of all items or of a sample that keeps the clusters' shares.

    s = (b − a) / max(a, b), with a the mean distance to the own cluster and b to the nearest other one.

    Returns
    -------
    rows : int array (m,)
        Ascending row numbers of the items used; noise is left out.
    silhouettes : float64 array (m,)
        In [−1, 1]; 0 for an item alone in its cluster.
    """
    from sklearn.metrics import silhouette_samples

    items, groups = _checked(X, labels)
    rows = stratified_rows(groups, size, seed)
    _refuse_one_cluster(groups[rows])
    return rows, np.asarray(silhouette_samples(items[rows].astype(np.float64), groups[rows]))


def stratified_rows(labels: NDArray[np.int64], size: int, seed: int) -> NDArray[np.intp]:
    """Return about ``size`` rows at most, each cluster with its share and two items or more; no noise."""
    members = np.flatnonzero(labels != NOISE)
    if len(members) <= size:
        return members
    rng = np.random.default_rng(seed)
    chosen = []
    for cluster in np.unique(labels[members]):
        own = np.flatnonzero(labels == cluster)
        share = max(round(size * len(own) / len(members)), min(len(own), 2))
        chosen.append(rng.choice(own, share, replace=False))
    return np.sort(np.concatenate(chosen))


def simplified_silhouette(X: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Return for every item the silhouette with distances to cluster means instead of to all items, (n,).

    O(n K d), so it can colour a map of any size. Noise items get 0.
    """
    items, groups = _checked(X, labels)
    clusters, centers = _centers(items, groups)
    _refuse_one_cluster(groups[groups != NOISE])
    own = np.searchsorted(clusters, groups)
    scores = np.zeros(len(items))
    for start in range(0, len(items), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(items)))
        block = block[groups[block] != NOISE]
        distances = _distances(items[block], centers)  # (b, K)
        inside = distances[np.arange(len(block)), own[block]]
        distances[np.arange(len(block)), own[block]] = np.inf
        outside = distances.min(axis=1)
        larger = np.maximum(inside, outside)
        scores[block] = np.divide(outside - inside, larger, out=np.zeros(len(block)), where=larger > 0)
    return scores


def calinski_harabasz(X: ArrayLike, labels: ArrayLike) -> float | None:
    """Return [B / (K − 1)] / [W / (n − K)], scatter between over within; None where there is none within."""
    items, groups = _checked(X, labels)
    clusters, centers = _centers(items, groups)
    _refuse_one_cluster(groups[groups != NOISE])
    sizes = np.array([(groups == cluster).sum() for cluster in clusters])
    n, K = sizes.sum(), len(clusters)
    within = sum(_spread(items, groups, c, m).sum() for c, m in zip(clusters, centers, strict=True))
    middle = (sizes[:, None] * centers).sum(axis=0) / n
    between = (sizes * np.square(centers - middle).sum(axis=1)).sum()
    return float(between / (K - 1) / (within / (n - K))) if within > 0 and n > K else None


def davies_bouldin(X: ArrayLike, labels: ArrayLike) -> float:
    """Return mean_i max_j (s_i + s_j) / ‖μ_i − μ_j‖, s_i the mean distance to the centre; less is better."""
    items, groups = _checked(X, labels)
    clusters, centers = _centers(items, groups)
    _refuse_one_cluster(groups[groups != NOISE])
    widths = np.array(
        [np.sqrt(_spread(items, groups, c, m)).mean() for c, m in zip(clusters, centers, strict=True)]
    )
    gaps = _distances(centers, centers)
    touching = gaps == 0  # centres on one spot say nothing of how far apart clusters are, as in scikit-learn
    ratios = np.where(touching, 0, (widths[:, None] + widths) / np.where(touching, 1, gaps))
    return float(ratios.max(axis=1).mean())


def _of_sizes(labels: NDArray[Any], n_clusters: int | None) -> list[Quality]:
    sizes = np.unique(labels[labels != NOISE], return_counts=True)[1]
    n_kept, n_noise = int(sizes.sum()), int((labels == NOISE).sum())
    asked = max(n_clusters or 0, len(sizes))
    share = sizes / max(n_kept, 1)
    evenness = float(-(share * np.log(share)).sum() / np.log(asked)) if asked > 1 and n_kept else None
    largest = float(share.max()) if n_kept else None
    alarm = (
        "Nearly everything is in one cluster: the clustering has collapsed."
        if largest and largest > 0.95
        else ""
    )

    def row(name: str, title: str, value: float | None, up: bool, note: str, n: int = n_kept) -> Quality:
        return Quality(name, title, value, "without labels", "", up, n, note=note)

    rows = [
        row(
            "cluster_entropy",
            "Evenness of cluster sizes",
            max(evenness, 0.0) if evenness is not None else None,
            True,
            "1 where all are equal; real groups need not be."
            if evenness is not None
            else "Needs two clusters.",
        ),
        row("largest_cluster", "Share of the largest cluster", largest, False, alarm),
        row("empty_clusters", "Empty clusters", float(asked - len(sizes)), False, f"Of {asked} asked for."),
    ]
    if n_noise:
        noise = n_noise / len(labels)
        rows.append(row("noise_share", "Share of noise", noise, False, "Items in no cluster.", len(labels)))
    return rows


def _centers(items: NDArray[Any], groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    clusters = np.unique(groups[groups != NOISE])
    means = [items[groups == cluster].mean(axis=0, dtype=np.float64) for cluster in clusters]
    return clusters, np.stack(means) if means else np.empty((0, items.shape[1]))


def _spread(
    items: NDArray[Any], groups: NDArray[np.int64], cluster: int, center: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.square(items[groups == cluster].astype(np.float64) - center).sum(axis=1)


def _distances(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    return cdist(a, b)


def _checked(X: ArrayLike, labels: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    items, groups = np.asarray(X), np.asarray(labels)
    if items.ndim != 2 or len(items) != len(groups) or not len(items):
        raise StudioError(
            f"The items have shape {items.shape} and the labels {groups.shape}.",
            "Give one row and one label an item, and at least one item.",
        )
    return items, groups.astype(np.int64)


def _refuse_one_cluster(groups: NDArray[np.int64]) -> None:
    found = len(np.unique(groups))
    if not 2 <= found <= len(groups):
        raise StudioError(
            f"There is {found} cluster, and it takes two to measure how they are separated.",
            "Look for more clusters.",
        )
