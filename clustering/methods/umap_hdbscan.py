"""UMAP + HDBSCAN: unfold the collection first, then keep its dense regions and leave the rest out."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from sklearn import cluster

from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import RandomState
from clustering.methods.nearest import Found
from clustering.methods.plain import Phases, Telling
from clustering.methods.umap_space import MapDim, MinDistance, Neighbors, UmapClusterer
from clustering.parameters import Meaning

_LEAST_MEMBERSHIP = 1e-3  # a member's row still peaks at its own cluster


class UmapHdbscan(UmapClusterer):
    """UMAP to ten dimensions, then HDBSCAN: it finds the number of groups and calls the rest noise (-1).

    The soft assignments mix HDBSCAN's strength of membership p with ignorance: ``p`` on the own group plus
    ``(1 - p) / K`` on every group, so noise is uniform. When no region is dense enough, everything is noise,
    one column of ones and one centre (the mean) remain, and an alarm says so. A new item takes the place of
    the nearest fitted item.

    Parameters
    ----------
    min_cluster_size : int, default=15
        Items a group must have at least. The most telling setting: larger gives fewer, broader groups.
    min_samples : int or None, default=None
        Neighbours that make a place dense; larger calls more items noise. None takes ``min_cluster_size``.
    n_neighbors : int, default=30
    latent_dim : int, default=10
    min_dist : float, default=0
    random_state : int, default=0
    """

    info = MethodInfo(
        name="umap_hdbscan",
        title="UMAP + HDBSCAN",
        paper="Density-Based Clustering Based on Hierarchical Density Estimates (Campello, Moulavi, Sander)",
        year=2013,
        source="doi:10.1007/978-3-642-37456-2_14; arXiv 1802.03426",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=False,
        summary="Unfolds the web of neighbours, finds dense regions on its own and leaves loose items out.",
        when_to_use="When you do not know how many groups there are, or when a good part of the collection "
        "may belong to none.",
        how_it_fails="Where density changes smoothly it returns one giant group or calls most items noise. "
        "The number of groups follows “min_cluster_size” closely: try several.",
        formula=r"d_{\mathrm{mr}}(a,b) = \max\{\mathrm{core}_k(a), \mathrm{core}_k(b), d(a,b)\}, \qquad "
        r"\max_{\text{flat}} \sum_{C} \sum_{x \in C} \big(\lambda_{x} - \lambda_{\mathrm{birth}}(C)\big)",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"min_cluster_size": 5, "n_neighbors": 8, "latent_dim": 2},
        order=15,
    )

    def __init__(
        self,
        min_cluster_size: Annotated[int, Ge(2), Meaning("Items a group must have at least.")] = 15,
        min_samples: Annotated[
            int | None,
            Ge(1),
            Meaning("Neighbours that make a place dense; more calls more items noise.", advanced=True),
        ] = None,
        n_neighbors: Neighbors = 30,
        latent_dim: MapDim = 10,
        min_dist: MinDistance = 0.0,
        random_state: RandomState = 0,
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.n_neighbors = n_neighbors
        self.latent_dim = latent_dim
        self.min_dist = min_dist
        self.random_state = random_state

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        super()._check(items, settings)
        size = settings["min_cluster_size"]
        if size > len(items):
            raise StudioError(
                f"“min_cluster_size” is {size}, but there are only {len(items)} items.",
                f"Choose “min_cluster_size” between 2 and {len(items)}, or load more items.",
            )

    def _phases(self, _settings: dict[str, Any]) -> Phases:
        return (("map", 1), ("density", 1))

    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        latents = self._umap(distinct, settings)
        telling.epoch("map", 1, 1, alarms=alarms)
        everyone = np.repeat(latents, counts, axis=0)
        size = settings["min_cluster_size"]
        density = cluster.HDBSCAN(
            min_cluster_size=size,
            min_samples=min(settings["min_samples"] or size, len(everyone)),
            copy=True,
        ).fit(everyone)
        one_of_each = np.cumsum(counts) - counts
        labels = density.labels_[one_of_each].astype(np.int64)
        labels = np.unique(labels, return_inverse=True)[1] - int((labels < 0).any())  # no gaps
        noise_words = _noise_words(np.repeat(labels, counts), size)
        telling.epoch("density", 1, 1, labels=np.repeat(labels, counts), alarms=noise_words)
        soft = _memberships(labels, density.probabilities_[one_of_each])
        centers = _centers(latents, labels, counts)
        return Found(labels, soft, latents, centers, f"{labels.max() + 1} dense regions were found")


def _memberships(labels: NDArray[np.int64], strengths: NDArray[np.float64]) -> NDArray[np.float32]:
    n_clusters = max(int(labels.max()) + 1, 1)
    strength = np.where(labels >= 0, np.clip(strengths, _LEAST_MEMBERSHIP, 1), 0)
    soft = np.repeat(((1 - strength) / n_clusters)[:, None], n_clusters, axis=1)
    members = np.flatnonzero(labels >= 0)
    soft[members, labels[members]] += strength[members]
    return soft.astype(np.float32)


def _centers(
    latents: NDArray[np.float32], labels: NDArray[np.int64], counts: NDArray[np.intp]
) -> NDArray[np.float32]:
    groups = [labels == j for j in range(int(labels.max()) + 1)] or [np.full(len(labels), True)]
    return np.stack([np.average(latents[group], axis=0, weights=counts[group]) for group in groups]).astype(
        np.float32
    )


def _noise_words(labels: NDArray[np.int64], min_cluster_size: int) -> tuple[str, ...]:
    share = float((labels < 0).mean())
    if share == 1:
        return (
            f"No region holds {min_cluster_size} items densely enough: all {len(labels)} items count as "
            "noise. Lower “min_cluster_size” or “min_samples”.",
        )
    if share > 0.5:
        return (f"{share:.0%} of the items count as noise. A lower “min_samples” takes more of them in.",)
    return ()
