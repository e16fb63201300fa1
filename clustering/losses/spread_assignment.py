"""UDDA's soft assignment: squared distances to the clusters in units of their mean spread."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.losses.soft_assignment import squared_distances


def spread_assignments(latents: Tensor, means: Tensor, spread: Tensor) -> Tensor:
    """Return q, shape (n, K), rows summing to 1: q_ij ∝ exp(−‖z_i − m_j‖² / t).

    Parameters
    ----------
    latents : Tensor (n, m)
    means : Tensor (K, m)
    spread : scalar Tensor
        t; near 0 the assignments become hard.
    """
    distances = squared_distances(latents, means)
    # What all clusters of an item have in common the softmax does not see; without it none overflows.
    beyond = distances - distances.detach().amin(dim=1, keepdim=True)
    return torch.softmax(-beyond / spread.clamp_min(torch.finfo(torch.float32).tiny), dim=1)
