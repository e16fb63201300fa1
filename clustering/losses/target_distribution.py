"""DEC's target: the soft assignment sharpened and freed of the pull of large clusters."""

from __future__ import annotations

from torch import Tensor


def target_distribution(soft_assignments: Tensor, balance: float = 1.0) -> Tensor:
    """Return p, shape (n, K), rows summing to 1.

    DEC, eq. 3: p_ij = (q_ij² / f_j) / Σ_j' (q_ij'² / f_j') with the soft frequencies f_j = Σ_i q_ij; with a
    ``balance`` β other than 1, f_j^β takes the place of f_j.

    Parameters
    ----------
    soft_assignments : Tensor (n, K)
        Of the *whole* set: f_j from a batch is noisy, and wrong when the batch lacks a cluster.
    balance : float
        1 pulls the clusters to equal size, as DEC does; 0 leaves their sizes alone.
    """
    weights = soft_assignments.square() / soft_assignments.sum(dim=0).clamp_min(1e-12).pow(balance)
    return weights / weights.sum(dim=1, keepdim=True)
