"""The assignment of G-CEALS' first version: squared distances in the metric of one covariance for all."""

from __future__ import annotations

import torch
from torch import Tensor


def inverse_covariance(points: Tensor) -> Tensor:
    """Return the pseudo-inverse (m, m) of the covariance of all points (n, m), clusters not told apart."""
    centred = points - points.mean(dim=0)
    return torch.linalg.pinv(centred.T @ centred / max(1, len(points) - 1), hermitian=True)


def log_shared_assignments(points: Tensor, centers: Tensor, metric: Tensor) -> Tensor:
    """Return log p, shape (n, K): p_ij ∝ exp(−(x_i − c_j)ᵀ M (x_i − c_j)).

    In log space: with ten or more columns the exponentials themselves would be one-hot or 0.

    Parameters
    ----------
    points : Tensor (n, m)
    centers : Tensor (K, m)
    metric : Tensor (m, m)
        M, symmetric.
    """
    shift = centers.detach().mean(dim=0)
    x, c = points - shift, centers - shift
    with torch.autocast(points.device.type, enabled=False):
        # A row's own xᵀ M x is the same for every cluster: the softmax does not see it.
        return torch.log_softmax(2 * x @ (c @ metric).T - ((c @ metric) * c).sum(dim=1), dim=1)
