"""Linked items shall be assigned alike: the smoothness of soft assignments on a graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


class Links(NamedTuple):
    """The links of a graph as lists of neighbours.

    Parameters
    ----------
    neighbours : int64 Tensor (2 e,)
        Those of the first item, then those of the second, and so on.
    starts : int64 Tensor (n + 1,)
        Where the neighbours of each item begin, and where the last ones end.
    degrees : Tensor (n,)
        How many each has.
    """

    neighbours: Tensor
    starts: Tensor
    degrees: Tensor


def links_of(edges: Tensor, n_items: int) -> Links:
    """Return the neighbours of each of ``n_items`` from edges, int64 (e, 2), each named once."""
    both = torch.cat([edges, edges.flip(1)])
    counts = torch.bincount(both[:, 0], minlength=n_items)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    neighbours = both[both[:, 0].argsort(stable=True), 1]
    return Links(neighbours, starts, counts.to(torch.get_default_dtype()))


def link_smoothness(assignments: Tensor, links: Links) -> Tensor:
    """Return L_G = 1/|E| Σ_{(i,l)∈E} ‖q_i − q_l‖² = 1/|E| tr(Qᵀ L Q) with L = D − A, a scalar.

    Parameters
    ----------
    assignments : Tensor (n, K)
        Q.
    links : Links
        At least one.
    """
    near: Tensor = _NeighbourSums.apply(assignments, links)  # A Q
    own = (links.degrees.to(assignments) * assignments.square().sum(dim=1)).sum()
    return (own - (assignments * near).sum()) / (len(links.neighbours) / 2)


def pair_smoothness(one: Tensor, other: Tensor) -> Tensor:
    """Return the same from some links: the mean of ‖q_i − q_l‖² over rows of two tables (e, K)."""
    return (one - other).square().sum(dim=1).mean()


class _NeighbourSums(torch.autograd.Function):
    """A Q for the symmetric A of a graph, added up in the order of the lists, forwards and backwards.

    Picking rows would add up its gradient in an order that is left to chance on CUDA.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, links: Links) -> Tensor:
        ctx.links = links
        return _summed(values, links)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _summed(gradients[0].contiguous(), ctx.links), None


def _summed(values: Tensor, links: Links) -> Tensor:
    return embedding_bag(links.neighbours, values, links.starts, mode="sum", include_last_offset=True)
