"""Groups that are found anew keep the numbers they had."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from clustering.metrics.matching import best_match


def same_numbers(before: Tensor, now: Tensor, n_clusters: int) -> Tensor:
    """Return which of today's groups takes each number: the one that shares most items with it.

    Parameters
    ----------
    before, now : int64 Tensor (n,)
        The groups of all items; −1 throughout ``before`` where there were none.
    n_clusters : int
        K.

    Returns
    -------
    int64 Tensor (K,), on the device of ``now``
    """
    if before[0] < 0:
        return torch.arange(n_clusters, device=now.device)
    pairs = torch.bincount(before * n_clusters + now, minlength=n_clusters**2)
    numbers, groups = best_match(pairs.view(n_clusters, n_clusters).cpu().numpy())
    order = np.empty(n_clusters, dtype=np.int64)
    order[numbers] = groups
    return torch.from_numpy(order).to(now.device)
