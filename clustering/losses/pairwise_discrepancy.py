"""UDDA's discrepancy: how wide two clusters are beside the gap between them, over all pairs."""

from __future__ import annotations

import torch
from torch import Tensor

DELTA = 1e-6  # δ, in the units of a squared latent


def pairwise_discrepancy(means: Tensor, spreads: Tensor, held: Tensor) -> Tensor:
    """Return J = 2 / (K (K − 1)) Σ_{j<k} (s_j + s_k) / (‖m_j − m_k‖² + δ), a scalar; 0 for one cluster.

    It does not depend on the scale of the latents, and its gradient is largest for the closest pair, so that
    one cluster sent far away gains nothing.

    Parameters
    ----------
    means : Tensor (K, m)
        m_j.
    spreads : Tensor (K,)
        s_j, mean squared distance of the members of a cluster to m_j.
    held : bool Tensor (K,)
        Which clusters hold anything; pairs with another are left out.
    """
    k = len(means)
    # Differences, not a product: the closest pairs weigh most and must not be lost in its rounding.
    gaps = (means[:, None] - means[None]).square().sum(dim=2)  # (K, K)
    ratios = (spreads[:, None] + spreads[None]) / (gaps + DELTA)
    counted = (held[:, None] & held[None]).triu(diagonal=1)
    return torch.where(counted, ratios, 0).sum() / max(1, k * (k - 1) / 2)
