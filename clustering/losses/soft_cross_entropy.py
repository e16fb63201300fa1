"""Cross entropy with soft targets that need not sum to one."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_cross_entropy(targets: Tensor, logits: Tensor) -> Tensor:
    """Return −(1/b) Σ_i Σ_k t_ik log q_ik with q = softmax(logits), a scalar.

    Nothing is detached and nothing normalised here: where the targets carry a gradient, it flows, as in the
    code of G-CEALS.

    Parameters
    ----------
    targets, logits : Tensor (b, K)
    """
    return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
