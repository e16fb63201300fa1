"""Statistics pooling: what a set of feature vectors is like, as mean, variance and size."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

FEWEST = 1e-6  # members; a set nobody belongs to has statistics 0


class SetStatistics(NamedTuple):
    """Weighted statistics of K sets of vectors.

    Parameters
    ----------
    means, variances : Tensor (K, D)
        Population variances: that of a single member is 0, not undefined.
    sizes : Tensor (K,)
        Sums of the weights.
    """

    means: Tensor
    variances: Tensor
    sizes: Tensor

    def table(self) -> Tensor:
        """Return (mean, log(1 + variance), log of the share of all), shape (K, 2 D + 1).

        The share and not the size, so that it does not depend on how many items are looked at.
        """
        shares = (self.sizes / self.sizes.sum()).clamp_min(FEWEST)
        return torch.cat([self.means, self.variances.log1p(), shares.log()[:, None]], dim=1)


def pooled_statistics(features: Tensor, weights: Tensor) -> SetStatistics:
    """Return the statistics of K soft sets, by two matrix products; the order of the rows does not matter.

    Parameters
    ----------
    features : Tensor (n, D)
    weights : Tensor (n, K)
        How much each row belongs to each set, for example soft assignments.
    """
    # A shift changes no variance and keeps the cancellation of the two squares small.
    shift = features.detach().mean(dim=0)
    with torch.autocast(features.device.type, enabled=False):
        h, w = features.float() if features.dtype == torch.bfloat16 else features, weights.to(shift)
        h = h - shift
        sizes = w.sum(dim=0)
        shares = w / sizes.clamp_min(FEWEST)
        means = shares.T @ h
        variances = (shares.T @ h.square() - means.square()).clamp_min(0)
        return SetStatistics(means + shift, variances, sizes)
