"""A weighted graph of neighbours on the device, sorted by its heads, and sums over each head's links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

COLUMNS_AT_ONCE = 8  # of a product: each holds a number for every link


@dataclass(frozen=True)
class Graph:
    """Symmetric links, each listed from both of its ends.

    Parameters
    ----------
    offsets : int64 Tensor (n + 1,)
        The links of item i are numbers ``offsets[i]`` to ``offsets[i + 1]``.
    heads, tails : int32 Tensors (E,)
        Ascending by head, then by tail.
    weights : float32 Tensor (E,)
    """

    offsets: Tensor
    heads: Tensor
    tails: Tensor
    weights: Tensor

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.offsets) - 1

    def differences(self, places: Tensor) -> Tensor:
        """Return y_head − y_tail of every link, (E, c), for places (n, c)."""
        return places.index_select(0, self.heads).sub_(places.index_select(0, self.tails))

    def summed(self, values: Tensor) -> Tensor:
        """Return the sum of values (E, c) over the links of each item, (n, c), always in the same order."""
        return torch.segment_reduce(values, "sum", offsets=self.offsets, axis=0, unsafe=True, initial=0.0)

    def times(self, vectors: Tensor) -> Tensor:
        """Return W v of vectors (n, m), always in the same order, as a GPU's sparse product is not."""
        weights = self.weights[:, None]
        parts = vectors.split(COLUMNS_AT_ONCE, dim=1)
        return torch.cat([self.summed(weights * part.index_select(0, self.tails)) for part in parts], dim=1)

    def without(self, weaker_than: float) -> Graph:
        """Return the graph of links at least as strong."""
        kept = self.weights >= weaker_than
        heads = self.heads[kept]
        return Graph(_offsets(heads, self.n_items), heads, self.tails[kept], self.weights[kept])


def symmetric_graph(indices: Tensor, values: Tensor, join: Callable[[Tensor, Tensor], Tensor]) -> Graph:
    """Return the graph in which the link between i and j weighs ``join(value of i → j, value of j → i)``.

    Parameters
    ----------
    indices : int Tensor (n, k)
        Neighbours of each item, none twice.
    values : float32 Tensor (n, k)
        0 stands for no link; ``join`` must not care about the order of its arguments.
    """
    n, k = indices.shape
    heads = torch.arange(n, device=indices.device).repeat_interleave(k)
    tails = indices.reshape(-1).long()
    keys, order = torch.cat([heads * n + tails, tails * n + heads]).sort(stable=True)
    del heads, tails
    both = values.reshape(-1).repeat(2)[order]
    del order
    twice = keys[1:] == keys[:-1]  # the same link, once from each of its ends
    other = torch.zeros_like(both)
    other[:-1] = torch.where(twice, both[1:], 0.0)
    first = torch.ones_like(keys, dtype=torch.bool)
    first[1:] = ~twice
    weights = join(both, other)[first]
    keys = keys[first]
    heads = torch.div(keys, n, rounding_mode="floor").int()
    return Graph(_offsets(heads, n), heads, (keys % n).int(), weights)


def _offsets(heads: Tensor, n: int) -> Tensor:
    return torch.searchsorted(heads, torch.arange(n + 1, device=heads.device, dtype=heads.dtype))
