"""FixMatch's consistency: what is surely so in a light view shall be so in a strong one."""

from __future__ import annotations

import torch
from torch import Tensor


def confident_labels(logits: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the likeliest class of every row, int64 (n,), and where its odds reach the threshold, bool (n,).

    Parameters
    ----------
    logits : Tensor (n, K)
        No gradient flows through them.
    threshold : float
        τ.
    """
    with torch.no_grad():
        odds, labels = torch.softmax(logits, dim=1).max(dim=1)
        return labels, odds >= threshold


def consistency_loss(labels: Tensor, sure: Tensor, strong: Tensor) -> Tensor:
    """Return the cross entropy of strong views with the labels of what is sure, a scalar (FixMatch, eq. 4).

    It is divided by all rows, not by those that are sure, so that few of them pull weakly.

    Parameters
    ----------
    labels : int64 Tensor (n,)
    sure : bool Tensor (n,)
    strong : Tensor (n, K)
        Logits of the strong views.
    """
    lost = -torch.log_softmax(strong, dim=1).gather(1, labels[:, None]).squeeze(1)
    return (lost * sure).mean()
