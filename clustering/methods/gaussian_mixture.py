"""Gaussian mixture: the items are draws from K bell-shaped clouds, and EM finds the clouds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray
from sklearn import mixture
from sklearn.exceptions import ConvergenceWarning

from clustering.arrays import distinct_rows
from clustering.kinds import ANY_FEATURES
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState, check_group_count
from clustering.methods.plain import Phases, PlainClusterer, Telling
from clustering.parameters import Meaning

Covariance = Literal["full", "tied", "diag", "spherical"]
CovarianceShape = Annotated[
    Covariance,
    Meaning(
        "Shape of a cloud: its own ellipsoid (full), one for all (tied), along the axes (diag) or a ball "
        "(spherical).",
        advanced=True,
    ),
]
MaxIterations = Annotated[int, Interval(ge=1, le=10_000), Meaning("Steps of EM at most.", advanced=True)]
_STEPS_AN_EPOCH = 5  # one event for so many EM steps: each event costs one more pass over the items


class GaussianMixture(PlainClusterer):
    r"""Mixture of K Gaussians fitted by expectation–maximisation from a k-means start.

    The soft assignments are the posteriors :math:`\pi_j\mathcal N(x_i\mid\mu_j,\Sigma_j)/\sum_k\dots`: true
    probabilities if the clouds are Gaussian; in many dimensions they are almost always 0 or 1. A new item
    gets its posterior.

    Parameters
    ----------
    n_clusters : int, default=10
    covariance : {"full", "tied", "diag", "spherical"}, default="full"
        Take a simpler shape when items are few for the number of dimensions.
    latent_dim : int or None, default=30
        Principal components kept first: a full covariance of d dimensions has d(d+1)/2 numbers a cloud, more
        than a usual collection can support for d in the hundreds. None uses the features themselves.
    iterations : int, default=200
    random_state : int, default=0
    """

    info = MethodInfo(
        name="gaussian_mixture",
        title="Gaussian mixture",
        paper="Maximum Likelihood from Incomplete Data via the EM Algorithm (Dempster, Laird, Rubin)",
        year=1977,
        source="J. R. Stat. Soc. B 39(1), 1–38",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Explains the collection as K overlapping bell-shaped clouds.",
        when_to_use="When groups are elongated, of unequal size or overlap, and you want a probability for "
        "each item rather than a hard border.",
        how_it_fails="It needs many items per group and few dimensions: otherwise a cloud collapses onto a "
        "handful of items. Curved groups need several clouds, and its certainty is usually exaggerated.",
        formula=r"\max_{\pi,\mu,\Sigma} \sum_{i=1}^{n} \log \sum_{j=1}^{K} \pi_j\, "
        r"\mathcal{N}(x_i \mid \mu_j, \Sigma_j)",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"n_clusters": 3, "iterations": 50},
        order=11,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        covariance: CovarianceShape = "full",
        latent_dim: Annotated[
            int | None,
            Ge(1),
            Meaning("Principal components of the features to keep; empty keeps all features.", advanced=True),
        ] = 30,
        iterations: MaxIterations = 200,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.covariance = covariance
        self.latent_dim = latent_dim
        self.iterations = iterations
        self.random_state = random_state

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        check_group_count(settings["n_clusters"], len(items), len(distinct_rows(items)[0]))

    def _phases(self, settings: dict[str, Any]) -> Phases:
        return (("em", -(-settings["iterations"] // _STEPS_AN_EPOCH)),)

    def _find(self, items: NDArray[np.float32], settings: dict[str, Any], telling: Telling) -> str:
        latents = self._reduce(items, settings["latent_dim"], settings["random_state"])
        (phase, epochs), *_ = self._phases(settings)

        def told(epoch: int, fitted: mixture.GaussianMixture) -> bool:
            return telling.epoch(phase, epoch, epochs, {"total": -float(fitted.lower_bound_)})

        fitted = fitted_mixture(
            latents,
            settings["n_clusters"],
            settings["covariance"],
            settings["iterations"],
            settings["random_state"],
            told,
        )
        self.mixture_weights_ = fitted.weights_
        self.mixture_means_ = fitted.means_
        self.mixture_precisions_ = fitted.precisions_cholesky_
        self.cluster_centers_ = fitted.means_.astype(np.float32)
        self.embedding_ = latents
        self.soft_assignments_ = self._assign(latents)
        self.labels_ = self.soft_assignments_.argmax(axis=1).astype(np.int64)
        return "EM has converged" if fitted.converged_ else "EM reached its number of steps"

    def _assign(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        fitted = mixture.GaussianMixture(len(self.mixture_weights_), covariance_type=self.covariance)
        fitted.weights_, fitted.means_ = self.mixture_weights_, self.mixture_means_
        fitted.precisions_cholesky_ = fitted.covariances_ = self.mixture_precisions_
        return fitted.predict_proba(latents.astype(np.float64)).astype(np.float32)


def fitted_mixture(
    latents: NDArray[np.float32],
    n_clusters: int,
    covariance: Covariance,
    iterations: int,
    seed: int,
    told: Callable[[int, mixture.GaussianMixture], bool],
) -> mixture.GaussianMixture:
    """Fit a mixture by EM and report every few steps.

    Parameters
    ----------
    latents : float32 array (n, m)
    told : callable
        Hears the number of the epoch, from 1, and the mixture so far; returning True ends EM there.
    """
    wide = latents.astype(np.float64)
    # in units of the data, so that the scale of the features changes nothing
    floor = 1e-6 * max(float(wide.var(axis=0).mean()), 1e-12)
    fitted = mixture.GaussianMixture(
        n_clusters,
        covariance_type=covariance,
        reg_covar=floor,
        warm_start=True,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # EM goes on in the next epoch
        for epoch, done in enumerate(range(0, iterations, _STEPS_AN_EPOCH), start=1):
            fitted.max_iter = min(_STEPS_AN_EPOCH, iterations - done)
            fitted.fit(wide)
            if told(epoch, fitted) or fitted.converged_:
                break
    return fitted
