"""What pairs that belong together or must be kept apart cost, in three forms."""

from __future__ import annotations

import torch
from torch import Tensor


def balanced_hinge(together: Tensor, apart: Tensor, margin: Tensor | float) -> Tensor:
    """Return mean(d)/m over pairs that belong together + mean(max(0, m − d))/m over pairs to keep apart.

    Both kinds count the same however many pairs there are of each: most random pairs are of the second.

    Parameters
    ----------
    together : Tensor (p,)
        Squared distances d of pairs that belong together; may be empty.
    apart : Tensor (q,)
        Of pairs to keep apart; may be empty.
    margin : float
        m, the squared distance from which a pair to keep apart costs nothing.
    """
    return _mean(together) / margin + _mean((margin - apart).clamp_min(0)) / margin


def signed_distances(together: Tensor, apart: Tensor) -> Tensor:
    """Return Σ_ij a_ij ‖z_i − z_j‖² of the pairs, a = 1 or −1, each in both directions (SDEC).

    Divided by n it is SDEC's loss; of pairs to keep apart it has no lower bound.
    """
    return 2 * together.sum() - 2 * apart.sum()


def pair_log_likelihood(
    together: Tensor,
    apart: Tensor,
    weight_together: float = 0.1,
    weight_apart: float = 1.0,
) -> Tensor:
    """Return the weighted mean of −log P(same) over the first pairs and of −log(1 − P(same)) over the others.

    P(same) = Σ_k q_ik q_jk (deep constrained clustering; its authors weigh the two .1 and 1).

    Parameters
    ----------
    together, apart : Tensor (2p, K)
        log q of the first items of the pairs, then of the second; may have no rows.
    weight_together, weight_apart : float
    """
    same = _log_chance(together)
    chance = _log_chance(apart).exp()
    different = torch.log1p(-chance.clamp_max(1 - 1e-6))
    return -weight_together * _mean(same) - weight_apart * _mean(different)


def _log_chance(log_assignments: Tensor) -> Tensor:
    """Return log Σ_k q_ik q_jk of every pair, (p,)."""
    first, second = log_assignments.chunk(2) if len(log_assignments) else (log_assignments,) * 2
    return torch.logsumexp(first + second, dim=1)


def _mean(values: Tensor) -> Tensor:
    """Return the mean, 0 of none."""
    return values.sum() / max(1, len(values))
