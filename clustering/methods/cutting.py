"""Graphs of nearest neighbours, and groups among their eigenvectors: k-means, several times begun."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clustering.methods.kmeans import k_means
from clustering.methods.nearest import Found
from clustering.methods.plain import Telling, squared_distances, student_t
from clustering.neighbors import nearest_neighbors
from clustering.parameters import Meaning

STARTS = 10
DENSE_UP_TO = 400  # items; a dense solver is exact and quicker there, and knows no lower limit

Links = Annotated[int, Interval(ge=2, le=200), Meaning("Nearest neighbours every item is linked to.")]


def linked(items: NDArray[np.float32], n_neighbors: int) -> csr_array:
    """Return the symmetric links (u, u) of items to their nearest neighbours, the item itself the first."""
    n_items = len(items)
    nearest = neighbourhoods(items, n_neighbors)
    ends = np.arange(0, nearest.size + 1, n_neighbors, dtype=np.int32)
    graph = csr_array((np.ones(nearest.size), nearest.ravel(), ends), shape=(n_items, n_items))
    return 0.5 * (graph + graph.T)


def neighbourhoods(items: NDArray[np.float32], n_members: int) -> NDArray[np.int32]:
    """Return every item with its nearest neighbours, int32 (u, n_members): the item itself is the first."""
    nearest = np.arange(len(items), dtype=np.int32)[:, None]
    if n_members > 1:
        nearest = np.hstack([nearest, nearest_neighbors(items, n_members - 1).indices])
    return nearest


def of_unit_size(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Return eigenvectors (u, m) of mean square 1, each with one of its two equal signs, float32."""
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return (vectors / np.sqrt(np.square(vectors).mean())).astype(np.float32)


def cut(
    latents: NDArray[np.float32], counts: NDArray[Any], n_clusters: int, seed: int, telling: Telling
) -> Found:
    """Cut rows of eigenvectors into clusters: the best of ten starts of k-means.

    Parameters
    ----------
    latents : float32 array (u, m)
        Of the different items.
    counts : int array (u,)
        How many items each stands for.
    n_clusters, seed : int
    telling : Telling
        Hears of every start in the phase ``"starts"``, and may end them.
    """
    everyone = np.repeat(latents, counts, axis=0)
    rng = np.random.default_rng(seed)
    best = None
    for start in range(1, STARTS + 1):
        run = k_means(everyone, n_clusters, int(rng.integers(2**31)))
        if best is None or run.inertia_ < best.inertia_:
            best = run
        loss = {"total": float(run.inertia_) / len(everyone)}
        if telling.epoch("starts", start, STARTS, loss, run.labels_):
            break
    assert best is not None  # there is at least one start
    centers = best.cluster_centers_.astype(np.float32)
    spread = float(squared_distances(everyone, centers).min(axis=1).mean())
    soft = student_t(latents, centers, spread)
    return Found(soft.argmax(axis=1).astype(np.int64), soft, latents, centers, f"the best of {start} starts")
