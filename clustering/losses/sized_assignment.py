"""DEC's soft assignment that knows how large the clusters are: at equal distance the larger wins."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.losses.soft_assignment import squared_distances


def log_sized_assignments(latents: Tensor, centers: Tensor, shares: Tensor, power: float) -> Tensor:
    """Return log q, shape (n, K): q_ij ∝ π_j^τ (1 + ‖z_i − μ_j‖²)⁻¹; τ = 0 is DEC's eq. 1.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers : Tensor (K, m)
    shares : Tensor (K,)
        π, the share of all items each cluster is thought to hold; above 0.
    power : float
        τ.
    """
    return torch.log_softmax(power * shares.log() - torch.log1p(squared_distances(latents, centers)), dim=1)
