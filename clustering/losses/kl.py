"""DEC's clustering loss: how far the soft assignment is from its target."""

from __future__ import annotations

import torch
from torch import Tensor


def kl_divergence(targets: Tensor, log_assignments: Tensor) -> Tensor:
    """Return KL(P‖Q) summed over clusters and averaged over rows, a scalar.

    DEC, eq. 2, divided by the batch size as the authors' code does; an average over all elements would
    silently turn IDEC's γ into γ/K.

    Parameters
    ----------
    targets : Tensor (b, K)
        p, a constant for the gradient.
    log_assignments : Tensor (b, K)
        log q.
    """
    return (torch.special.xlogy(targets, targets) - targets * log_assignments).sum(dim=1).mean()
