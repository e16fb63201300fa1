"""Principal components of equal weight: what a network's features are turned into before k-means."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

FLAT = 1e-10  # share of the largest variance below which a direction is only rounding


def whitening(features: Tensor, n_dims: int) -> tuple[Tensor, Tensor]:
    """Return the mean (D,) and the whitening directions (D, n_dims): ``U · diag(λ^−½)`` of the covariance.

    Directions in which the features do not vary are zero, and so are those asked for beyond D.

    Parameters
    ----------
    features : Tensor (n, D)
    n_dims : int
        Principal components kept; 256 in DeepCluster.
    """
    mean = features.mean(dim=0, dtype=torch.float64)
    covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64, device=features.device)
    for part in features.split(65_536):
        centred = part.double() - mean
        covariance += centred.T @ centred
    variances, directions = torch.linalg.eigh(covariance / len(features))  # ascending
    variances, directions = variances.flip(0)[:n_dims], directions.flip(1)[:, :n_dims]
    varies = variances > FLAT * variances[0].clamp_min(torch.finfo(torch.float64).tiny)
    weights = torch.where(varies, variances.clamp_min(torch.finfo(torch.float64).tiny).rsqrt(), 0.0)
    whole = directions.new_zeros(len(mean), n_dims)
    whole[:, : len(weights)] = directions * weights
    return mean.to(features.dtype), whole.to(features.dtype)


def whitened(features: Tensor, mean: Tensor, directions: Tensor) -> Tensor:
    """Return features (n, D) on the whitening directions, in rows of length 1; a row at the mean is 0."""
    return normalize((features - mean) @ directions, dim=1)
