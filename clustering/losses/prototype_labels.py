"""SPICE's prototypes: the surest items say what a group looks like, and what looks like it is labelled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def prototypes(odds: Tensor, features: Tensor, share: float) -> Tensor:
    """Return the mean features of the surest items of every group, (h, K, D); not of length 1.

    Of n items a group's even share is ⌊n/K⌋, and ``share`` of that are its surest; an item may be among the
    surest of several groups.

    Parameters
    ----------
    odds : Tensor (n, h, K)
        Soft assignments by each of h heads.
    features : Tensor (n, D)
        Rows of length 1.
    share : float
        γ: .5 as published.
    """
    n, _, k = odds.shape
    count = max(1, int(share * (n // k) + 1e-9))
    surest = odds.topk(count, dim=0).indices  # (count, h, K)
    return torch.stack([features[rows].mean(dim=0) for rows in surest.unbind(dim=1)])


def prototype_labels(odds: Tensor, features: Tensor, share: float) -> Tensor:
    """Return the row numbers of the ⌊n/K⌋ items most like each prototype, int64 (h, K, ⌊n/K⌋).

    They are the items labelled with that group. An item may be labelled twice, or not at all.

    Parameters
    ----------
    odds, features, share
        As in `prototypes`.
    """
    n, _, k = odds.shape
    of_heads = prototypes(odds, features, share)
    # Head by head: the likeness of all items to the prototypes of all heads would be large.
    return torch.stack([(centres @ features.T).topk(n // k, dim=1).indices for centres in of_heads])


def double_softmax_cross_entropy(odds: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of −log softmax(p)_label for each head, (h,); p are odds already.

    The second softmax bounds the loss: a head that is wholly sure and right loses log(e + K − 1) − 1, and the
    gradient vanishes where it is sure, so that wrong labels pull little.

    Parameters
    ----------
    odds : Tensor (h, b, K)
    labels : int64 Tensor (h, b)
    """
    lost = cross_entropy(odds.flatten(0, 1), labels.flatten(), reduction="none")
    return lost.view(labels.shape).mean(dim=1)
