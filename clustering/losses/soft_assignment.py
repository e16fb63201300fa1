"""DEC's soft assignment: Student's t as a kernel between latents and cluster centres."""

from __future__ import annotations

import torch
from torch import Tensor


def squared_distances(latents: Tensor, centers: Tensor) -> Tensor:
    """Return ‖z_i − μ_j‖², shape (n, K), by one matrix product: no (n, K, m) tensor is made.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers : Tensor (K, m)
    """
    # Shifting both by the centres' mean changes no distance and keeps the cancellation in float32 small.
    shift = centers.detach().mean(dim=0)
    z, c = latents - shift, centers - shift
    # Never in half precision: a difference of squares would have no correct digit left.
    with torch.autocast(latents.device.type, enabled=False):
        products = torch.addmm(c.square().sum(dim=1), z, c.T, alpha=-2)  # (n, K)
        return (products + z.square().sum(dim=1, keepdim=True)).clamp_min(0)


def log_soft_assignments(latents: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """Return log q, shape (n, K); the exponentials of a row sum to 1.

    DEC, eq. 1: q_ij ∝ (1 + ‖z_i − μ_j‖²/α)^(−(α+1)/2), kept in log space, which needs no clamp against log 0.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers : Tensor (K, m)
    alpha : float
        Degrees of freedom of the kernel; 1 in the paper.
    """
    kernel = torch.log1p(squared_distances(latents, centers) / alpha)
    return torch.log_softmax(-(alpha + 1) / 2 * kernel, dim=1)


def soft_assignments(latents: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """Return q, shape (n, K), rows summing to 1 (DEC, eq. 1)."""
    return log_soft_assignments(latents, centers, alpha).exp()
