"""Soft assignment of items seen in several views: each view's kernel counts by a weight a cluster learns."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from clustering.losses.soft_assignment import squared_distances


def log_fused_assignments(
    codes: Sequence[Tensor],
    centers: Sequence[Tensor],
    weight_logits: Tensor,
    present: Tensor | None = None,
) -> Tensor:
    """Return log q, shape (n, K); the exponentials of a row sum to 1.

    DMJC's implicit fusion (arXiv:1808.06220): q_ij ∝ Σ_v π_vj κ_ij^v with κ_ij^v = 1 / (1 + ‖z_i^v − μ_j^v‖²)
    and π the softmax of the logits over views, so that the weights of a cluster sum to 1. Where an item
    lacks views, the weights of those it has are made to sum to 1 again.

    Parameters
    ----------
    codes : sequence of Tensor (n, m_v)
        One a view.
    centers : sequence of Tensor (K, m_v)
    weight_logits : Tensor (V, K)
    present : bool Tensor (n, V), optional
        Which views each item has; all by default, and so for an item that has none.
    """
    log_weights = torch.log_softmax(weight_logits, dim=0)  # (V, K)
    log_kernels = torch.stack(
        [-torch.log1p(squared_distances(z, c)) for z, c in zip(codes, centers, strict=True)]
    )  # (V, n, K)
    if present is None:
        scores = torch.logsumexp(log_kernels + log_weights[:, None], dim=0)
        return torch.log_softmax(scores, dim=1)
    seen = present | ~present.any(dim=1, keepdim=True)
    hidden = ~seen.T[:, :, None]  # (V, n, 1)
    there = log_weights[:, None].expand_as(log_kernels).masked_fill(hidden, -torch.inf)
    scores = torch.logsumexp(log_kernels + there, dim=0) - torch.logsumexp(there, dim=0)
    return torch.log_softmax(scores, dim=1)
