"""Pull items to their centre and push centres apart."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.losses.soft_assignment import squared_distances


def pull(latents: Tensor, centers: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of ‖h_i − c_(y_i)‖², a scalar.

    Parameters
    ----------
    latents : Tensor (b, m)
    centers : Tensor (K, m)
    labels : int64 Tensor (b,)
        y.
    """
    return (latents - centers[labels]).square().sum(dim=1).mean()


def push(centers: Tensor, margin: Tensor | float) -> Tensor:
    """Return the mean over pairs of centres (K, m) of max(0, margin − ‖c_j − c_k‖)², a scalar."""
    k = len(centers)
    first, second = torch.triu_indices(k, k, offset=1, device=centers.device)
    distances = squared_distances(centers, centers)[first, second].clamp_min(1e-12).sqrt()
    return (margin - distances).clamp_min(0).square().sum() / max(1, len(distances))
