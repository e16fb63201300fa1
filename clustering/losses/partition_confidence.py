"""PICA's loss: a partition is the better, the less its groups overlap."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize


def partition_uncertainty(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosine of every column of one table with every column of the other, (K, K).

    The partition uncertainty index: the identity where every item is surely in one group and a
    view changes nothing, all ones where nothing is told apart.

    Parameters
    ----------
    first, second : Tensor (n, K)
        Soft assignments of the same items, or of two views of them.
    """
    with torch.autocast(first.device.type, enabled=False):
        full = [table if table.dtype == torch.float64 else table.float() for table in (first, second)]
        return normalize(full[0], dim=0).T @ normalize(full[1], dim=0)


def partition_confidence(first: Tensor, second: Tensor) -> Tensor:
    """Return −(1/K) Σ_j log softmax_j(M)_jj of the index M, a scalar.

    Cosines lie between 0 and 1 and there is no temperature, so it never falls below `least_confidence_loss`.

    Parameters
    ----------
    first, second : Tensor (n, K)
        Soft assignments of two views of the same items.
    """
    index = partition_uncertainty(first, second)
    return cross_entropy(index, torch.arange(len(index), device=index.device))


def least_confidence_loss(n_clusters: int) -> float:
    """Return what `partition_confidence` is for a perfect partition: log(e + K − 1) − 1."""
    return math.log(math.e + n_clusters - 1) - 1
