"""How far one assignment is from another when both may move."""

from __future__ import annotations

from torch import Tensor


def log_divergence(log_one: Tensor, log_other: Tensor) -> Tensor:
    """Return KL(one‖other), summed over clusters and averaged over rows, a scalar with a gradient for both.

    Parameters
    ----------
    log_one, log_other : Tensor (n, K)
        Logarithms of distributions: they need no clamp against log 0.
    """
    return (log_one.exp() * (log_one - log_other)).sum(dim=1).mean()
