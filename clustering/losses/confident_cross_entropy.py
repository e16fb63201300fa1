"""DAGC's hard supervision: what the network is sure of shall become surer."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def confident(assignments: Tensor, threshold: float) -> Tensor:
    """Return where F_ij / ‖F_i‖₂ reaches the threshold, bool (n, K): the mask m of DAGC.

    Parameters
    ----------
    assignments : Tensor (n, K)
        F.
    threshold : float
    """
    return normalize(assignments, dim=1) >= threshold


def largest_reachable(n_clusters: int) -> float:
    """Return the largest F_ij / ‖F_i‖₂ there can be when F is the softmax of two mixed distributions.

    The weights of the mix have length 1, so their sum is √2 at most and so is what goes into the softmax:
    from K = 11 on no item reaches .8.
    """
    peak = torch.tensor(2.0).sqrt().exp()
    return float(peak / (peak.square() + (n_clusters - 1)).sqrt())


def confident_cross_entropy(assignments: Tensor, threshold: float) -> Tensor:
    """Return −1/(nK) Σ m_ij [t_ij log F_ij + (1 − t_ij) log(1 − F_ij)], a scalar.

    t is 1 at the largest entry of a row, else 0; neither t nor m has a gradient.

    Parameters
    ----------
    assignments : Tensor (n, K)
        F.
    threshold : float
    """
    mask = confident(assignments, threshold)
    columns = torch.arange(assignments.shape[1], device=assignments.device)
    target = assignments.argmax(dim=1, keepdim=True) == columns
    likely = torch.where(target, assignments, 1 - assignments).clamp_min(1e-10)
    return -(likely.log() * mask).mean()
