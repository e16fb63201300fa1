"""How far the cluster sizes in a batch are from those seen over many batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def size_divergence(shares: Tensor, log_assignments: Tensor) -> Tensor:
    """Return KL(π ‖ mean_i q_i), a scalar.

    Parameters
    ----------
    shares : Tensor (K,)
        π, a constant for the gradient.
    log_assignments : Tensor (b, K)
        log q.
    """
    mean = torch.logsumexp(log_assignments, dim=0) - math.log(len(log_assignments))
    return (torch.special.xlogy(shares, shares) - shares * mean).sum()
