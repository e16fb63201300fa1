"""Groups among the eigenvectors of a graph: k-means, several times begun."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.methods.kmeans import k_means
from clustering.methods.nearest import Found
from clustering.methods.plain import Telling, squared_distances, student_t

STARTS = 10


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
