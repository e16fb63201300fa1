"""Labels a batch gives itself: as its scores would have it, yet every prototype gets the same share."""

from __future__ import annotations

import torch
from torch import Tensor


def balanced_labels(scores: Tensor, epsilon: float, rounds: int) -> Tensor:
    """Return the labels Q of a batch, (b, k): rows sum to 1, columns nearly to b/k.

    Q maximises Σ_ij Q_ij s_ij + ε H(Q) among all tables with equal row sums and equal column sums (optimal
    transport with an entropy; Cuturi 2013). Sinkhorn and Knopp's rounds set columns and rows right in turn:
    the rows are exact at the end, the columns the nearer the more rounds. All of it is done with logarithms,
    where nothing overflows whatever ε is.

    Parameters
    ----------
    scores : Tensor (b, k)
        Of every item for every prototype; no gradient flows through the labels.
    epsilon : float
        ε: larger spreads a label over more prototypes.
    rounds : int
        The authors' other method, and SwAV, take 3.
    """
    with torch.no_grad():
        logs = scores / epsilon
        for _ in range(rounds):
            logs = logs - torch.logsumexp(logs, dim=0)
            logs = logs - torch.logsumexp(logs, dim=1, keepdim=True)
        return torch.softmax(logs, dim=1)  # exactly one label an item, however large the logarithms are


def imbalance(labels: Tensor) -> Tensor:
    """Return the share of the labels that equal shares of the prototypes would have elsewhere, a scalar.

    Parameters
    ----------
    labels : Tensor (b, k)
        Rows sum to 1.
    """
    shares = labels.mean(dim=0)
    return (shares - 1 / len(shares)).clamp_min(0).sum()
