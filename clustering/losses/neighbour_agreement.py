"""SCAN's losses: neighbours belong to one group, and what is sure teaches what is seen differently."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot


def neighbour_agreement(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean over items of −log⟨p, p'⟩ for each head, (h,).

    In logarithms, where no product is lost, however sure both are of different groups.

    Parameters
    ----------
    first, second : Tensor (n, h, K)
        Logits of items and of a neighbour of each.
    """
    logs = torch.log_softmax(first, dim=-1) + torch.log_softmax(second, dim=-1)
    return -torch.logsumexp(logs, dim=-1).mean(dim=0)


def self_label_loss(own: Tensor, seen: Tensor, threshold: float) -> Tensor:
    """Return the cross entropy of what is sure, every group counting the same, a scalar.

    Items whose largest odds exceed the threshold teach: their group is the label of another view of them. A
    group with n_c of the n sure items weighs n / n_c. It is 0 where no item is sure.

    Parameters
    ----------
    own : Tensor (n, K)
        Logits of the items; no gradient flows through them.
    seen : Tensor (n, K)
        Logits of other views of them.
    threshold : float
    """
    with torch.no_grad():
        odds, labels = torch.softmax(own, dim=1).max(dim=1)
        sure = (odds > threshold).to(seen.dtype)
        counts = (one_hot(labels, own.shape[1]) * sure[:, None]).sum(dim=0)  # (K,)
        weights = sure * (sure.sum() / counts.clamp_min(1))[labels]
    lost = -torch.log_softmax(seen, dim=1).gather(1, labels[:, None]).squeeze(1)
    return (weights * lost).sum() / weights.sum().clamp_min(torch.finfo(seen.dtype).tiny)
