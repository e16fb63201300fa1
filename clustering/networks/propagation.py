"""What graph layers pass on: every node takes from itself and its neighbours, by sparse products."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


class Lists(NamedTuple):
    """A sparse matrix of ones, row by row.

    Parameters
    ----------
    columns : int64 Tensor (e,)
        Where the first row is 1, then where the second is, and so on.
    starts : int64 Tensor (n + 1,)
        Where the columns of each row begin, and where the last ones end.
    """

    columns: Tensor
    starts: Tensor


class Propagation(NamedTuple):
    """Â = D⁻¹ (A + I), whose rows sum to 1, or D^(−½) (A + I) D^(−½).

    Parameters
    ----------
    taken : Lists
        Of A + I: from whom each node takes.
    given : Lists
        Of its transpose, to whom each node gives: the way back of the gradient.
    counts : Tensor (n, 1)
        D: from how many each takes.
    symmetric : bool
        Whether it is the second.
    """

    taken: Lists
    given: Lists
    counts: Tensor
    symmetric: bool = False


def propagation_of(
    edges: Tensor, n_items: int, stands_for: Tensor | None = None, symmetric: bool = False
) -> Propagation:
    """Return Â of a graph.

    Parameters
    ----------
    edges : int64 Tensor (e, 2)
        Each link once; both ends take from one another.
    n_items : int
        A node without links takes from itself alone.
    stands_for : int64 Tensor (n,), optional
        For each node the one whose row it has in its place: of equal items (twins) the first, which alone has
        links. So twins see the same.
    symmetric : bool
        Whether what a node gives also shrinks with the number of those it gives to.
    """
    selves = torch.arange(n_items, device=edges.device)
    takers = torch.cat([edges[:, 0], edges[:, 1], selves])
    givers = torch.cat([edges[:, 1], edges[:, 0], selves])
    if stands_for is not None:
        takers, givers = _shared(_lists(takers, givers, n_items), stands_for)
    taken, given = _lists(takers, givers, n_items), _lists(givers, takers, n_items)
    counts = taken.starts.diff().to(torch.get_default_dtype())[:, None]
    return Propagation(taken, given, counts, symmetric)


def propagated(values: Tensor, propagation: Propagation) -> Tensor:
    """Return Â values, shape (n, m): of each node the mean over itself and its neighbours, unless symmetric.

    Sums are taken in the order of the lists, forwards and backwards, so that no order is left to chance.
    """
    if not propagation.symmetric:
        result: Tensor = _Propagated.apply(values, propagation)
        return result
    roots = propagation.counts.to(values).sqrt()
    mean: Tensor = _Propagated.apply(values / roots, propagation)
    return mean * roots  # D^½ D⁻¹ (A + I) D^(−½) values


class _Propagated(torch.autograd.Function):
    """Â values = D⁻¹ (A + I) values; the gradient is (A + I)ᵀ D⁻¹ times the one that comes back."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, propagation: Propagation) -> Tensor:
        ctx.propagation = propagation
        return _summed(values, propagation.taken) / propagation.counts.to(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        counts = ctx.propagation.counts.to(gradients[0])
        return _summed((gradients[0] / counts).contiguous(), ctx.propagation.given), None


def _summed(values: Tensor, lists: Lists) -> Tensor:
    return embedding_bag(lists.columns, values, lists.starts, mode="sum", include_last_offset=True)


def _lists(rows: Tensor, columns: Tensor, n_items: int) -> Lists:
    counts = torch.bincount(rows, minlength=n_items)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return Lists(columns[rows.argsort(stable=True)], starts)


def _shared(lists: Lists, stands_for: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the ones when every node has the row of the one it is represented by."""
    lengths = lists.starts.diff()[stands_for]
    takers = torch.arange(len(stands_for), device=lengths.device).repeat_interleave(lengths)
    within = torch.arange(len(takers), device=lengths.device) - (lengths.cumsum(0) - lengths)[takers]
    return takers, lists.columns[lists.starts[stands_for][takers] + within]
