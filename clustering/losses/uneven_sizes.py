"""How uneven the groups of a batch are, by the entropy of their sizes."""

from __future__ import annotations

import math

from torch import Tensor

SMALLEST = 1e-8  # a share whose logarithm is still a number


def uneven_sizes(assignments: Tensor) -> Tensor:
    """Return log K + Σ s log s, a scalar: 0 for even shares s, log K when one group takes all.

    Parameters
    ----------
    assignments : Tensor (n, K), or (n, h, K) of several heads, whose values are added
        Rows sum to 1.
    """
    shares = assignments.mean(dim=0).clamp_min(SMALLEST)  # ([h,] K)
    return (math.log(shares.shape[-1]) + (shares * shares.log()).sum(dim=-1)).sum()
