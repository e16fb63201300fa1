"""Labels to be trusted: the network is sure of them, and the neighbours have the same."""

from __future__ import annotations

from torch import Tensor


def local_consistency(labels: Tensor, neighbours: Tensor) -> Tensor:
    """Return the share of an item and its neighbours that have its label, β of SPICE, (n,).

    Parameters
    ----------
    labels : int64 Tensor (n,)
    neighbours : int64 Tensor (n, k)
        Of each item, without itself.
    """
    same = (labels[neighbours] == labels[:, None]).sum(dim=1)
    return (same + 1) / (neighbours.shape[1] + 1)


def reliable(odds: Tensor, neighbours: Tensor, consistency: float, threshold: float) -> Tensor:
    """Return which labels are to be trusted, bool (n,).

    Parameters
    ----------
    odds : Tensor (n, K)
    neighbours : int64 Tensor (n, k)
        Of each item, without itself.
    consistency : float
        r: β must reach it.
    threshold : float
        The largest odds must exceed it.
    """
    largest, labels = odds.max(dim=1)
    return (local_consistency(labels, neighbours) >= consistency) & (largest > threshold)


def most_reliable(odds: Tensor, neighbours: Tensor, group: int, count: int) -> Tensor:
    """Return the ``count`` members of a group that are most to be trusted, or all it has, int64 rows.

    By the product of β and the largest odds: what is left where the thresholds leave a group without any.

    Parameters
    ----------
    odds, neighbours
        As in `reliable`.
    group, count : int
    """
    largest, labels = odds.max(dim=1)
    members = (labels == group).nonzero().squeeze(1)
    merit = local_consistency(labels, neighbours)[members] * largest[members]
    return members[merit.argsort(descending=True, stable=True)[:count]]
