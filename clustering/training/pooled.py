"""Groups in a latent space that is only known up to a linear map: the determinant criterion.

An autoencoder ends and begins with linear layers, so every invertible linear map of its latent space rebuilds
the data equally well. k-means depends on that arbitrary map; the determinant of the pooled within-cluster
covariance |W| does not (Friedman, Rubin 1967).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

MAX_ITERATIONS = 100
STILL = 1e-4  # share of the items; fewer changes than this end the search
FLOOR = 0.01  # of the mean within-cluster variance: a flatter direction is not stretched any further


class Pooled(NamedTuple):
    """Clusters found together with the covariance they share.

    Parameters
    ----------
    centers : float32 Tensor (K, m)
    covariance : float64 Tensor (m, m)
        Of the latents about the centre of their cluster.
    """

    centers: Tensor
    covariance: Tensor


def lower_determinant(latents: Tensor, centers: Tensor) -> Pooled:
    """Improve clusters so that the determinant of their pooled covariance falls.

    Items go to the nearest centre in the metric of the pooled covariance, centres and covariance follow,
    until hardly any item moves: expectation–maximisation of equal Gaussians with hard assignments.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers : Tensor (K, m)
        Where to begin; k-means' for example.
    """
    z, k = latents.double(), len(centers)
    moments = z.T @ z
    clusters = torch.arange(k, device=z.device)
    place, metric = centers.double(), torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    labels: Tensor | None = None
    for _ in range(MAX_ITERATIONS):
        now = (z @ (metric @ place.T) - 0.5 * ((place @ metric) * place).sum(dim=1)).argmax(dim=1)
        if labels is not None and float((now != labels).double().mean()) < STILL:
            break
        labels = now
        members = (labels[:, None] == clusters).to(z.dtype)  # (n, K)
        sizes = members.sum(dim=0)[:, None]
        place = torch.where(sizes > 0, members.T @ z / sizes.clamp_min(1), place)
        # A matrix of m columns is the host's affair: a device takes a millisecond to find its directions.
        variances, directions = _floored(((moments - (place * sizes).T @ place) / len(z)).cpu())
        covariance = (directions * variances @ directions.T).to(z.device)
        metric = (directions / variances @ directions.T).to(z.device)
    return Pooled(place.to(centers.dtype), covariance)


def rounding(covariance: Tensor) -> Tensor:
    """Return the symmetric map (m, m) that makes a covariance a multiple of the identity and keeps its trace.

    ``latents @ rounding(covariance)`` has round clusters of the mean size they had: what the kernel of DEC,
    which knows no directions, takes them to be.
    """
    variances, directions = torch.linalg.eigh(covariance)
    return directions @ torch.diag((variances.mean() / variances).sqrt()) @ directions.T


def _floored(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Return variances (m,) and directions (m, m), the smallest raised so that the metric exists."""
    variances, directions = torch.linalg.eigh(covariance)
    least = (FLOOR * variances.mean()).clamp_min(torch.finfo(covariance.dtype).tiny ** 0.5)
    return variances.clamp_min(least), directions
