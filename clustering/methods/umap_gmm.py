"""UMAP + Gaussian mixture: unfold the collection first, then describe it as K clouds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.kinds import ANY_FEATURES
from clustering.methods.gaussian_mixture import CovarianceShape, fitted_mixture
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.nearest import Found
from clustering.methods.plain import Phases, Telling
from clustering.methods.umap_space import MapDim, MinDistance, Neighbors, UmapClusterer

_ITERATIONS = 200


class UmapGmm(UmapClusterer):
    """UMAP to ten dimensions, then a mixture of K Gaussians there.

    The soft assignments are the mixture's posteriors in the UMAP space; UMAP pulls groups apart, so they are
    more certain than the features justify. A new item takes the place of the nearest fitted item.

    Parameters
    ----------
    n_clusters : int, default=10
    n_neighbors : int, default=30
    latent_dim : int, default=10
        Dimensions of the UMAP space; two are for looking, clusters need more room.
    min_dist : float, default=0
    covariance : {"full", "tied", "diag", "spherical"}, default="full"
    random_state : int, default=0
        Covers UMAP and the mixture.
    """

    info = MethodInfo(
        name="umap_gmm",
        title="UMAP + Gaussian mixture",
        paper="UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction (McInnes, Healy, "
        "Melville)",
        year=2018,
        source="arXiv 1802.03426",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Unfolds the web of neighbours into ten dimensions and finds K clouds there.",
        when_to_use="The strongest plain method on most image features: try it before any training. It copes "
        "with curved groups and takes seconds for thousands of items.",
        how_it_fails="UMAP can tear one group in two and invents gaps in structureless data; distances "
        "between groups mean little there, and its certainty is exaggerated. Rows of a table that share a "
        "rare value of one column with few values become an island across all groups.",
        formula=r"z = \mathrm{UMAP}(x) \in \mathbb{R}^{10}, \qquad q_{ij} \propto \pi_j\, "
        r"\mathcal{N}(z_i \mid \mu_j, \Sigma_j)",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"n_clusters": 3, "n_neighbors": 8, "latent_dim": 2},
        order=14,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        n_neighbors: Neighbors = 30,
        latent_dim: MapDim = 10,
        min_dist: MinDistance = 0.0,
        covariance: CovarianceShape = "full",
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.latent_dim = latent_dim
        self.min_dist = min_dist
        self.covariance = covariance
        self.random_state = random_state

    def _phases(self, _settings: dict[str, Any]) -> Phases:
        return (("map", 1), ("em", 1))

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
        fitted = fitted_mixture(
            everyone,
            settings["n_clusters"],
            settings["covariance"],
            _ITERATIONS,
            settings["random_state"],
            lambda *_: False,
        )
        soft = fitted.predict_proba(latents.astype(np.float64)).astype(np.float32)
        labels = soft.argmax(axis=1).astype(np.int64)
        telling.epoch("em", 1, 1, {"total": -float(fitted.lower_bound_)}, np.repeat(labels, counts))
        return Found(labels, soft, latents, fitted.means_.astype(np.float32))
