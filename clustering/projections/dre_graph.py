"""Neighbours of a whole collection, found once a step, and edges drawn from among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor

from clustering.progress import Progress, tell
from clustering.projections.dre_affinities import Nearest

MOST_DIMENSIONS = 50  # neighbours are searched in at most so many principal directions
CELLS_AT_ONCE = {"cpu": 2**24, "cuda": 2**28}  # distances held at a time


def principal(blocks: Callable[[], Iterator[Tensor]]) -> Tensor:
    """Return rows along their strongest principal directions, at most 50 of them, (n, ≤ 50).

    Parameters
    ----------
    blocks : callable
        Yields the rows (b, d) of the whole set in order; called twice when d is larger, so that (n, d) need
        not be held.
    """
    n, total, products = 0, None, None
    width = 0
    for block in blocks():
        width = block.shape[1]
        if width <= MOST_DIMENSIONS:
            return torch.cat(list(blocks()))
        wide = block.double()
        total = wide.sum(dim=0) if total is None else total + wide.sum(dim=0)
        products = wide.T @ wide if products is None else products + wide.T @ wide
        n += len(block)
    assert total is not None and products is not None
    mean = total / n
    covariance = products / n - torch.outer(mean, mean)
    directions = torch.linalg.eigh(covariance).eigenvectors[:, -MOST_DIMENSIONS:].flip(1).float()
    return torch.cat([(block - mean.float()) @ directions for block in blocks()])


def nearest_of_all(rows: Tensor, k: int, progress: Progress, doing: str) -> Nearest:
    """Find the ``k`` nearest others of each row (n, d) of a whole set, exactly, block by block."""
    n = len(rows)
    centred = rows - rows.mean(dim=0)
    lengths = centred.square().sum(dim=1)
    block = max(1, min(n, CELLS_AT_ONCE[rows.device.type] // n))
    indices = torch.empty(n, k, dtype=torch.int64, device=rows.device)
    squared = torch.empty(n, k, device=rows.device)
    for start in range(0, n, block):
        tell(progress, start, n, doing)
        part = slice(start, min(start + block, n))
        distances = torch.addmm(lengths[None, :], centred[part], centred.T, alpha=-2)
        distances.add_(lengths[part, None]).clamp_min_(0)
        distances[:, part].fill_diagonal_(torch.inf)
        found = distances.topk(k, dim=1, largest=False, sorted=False)
        indices[part], squared[part] = found.indices, found.values
    tell(progress, n, n, doing)
    return Nearest(indices, squared)


def union_weights(indices: Tensor, values: Tensor) -> Tensor:
    """Turn one-way memberships into shares of UMAP's union that add up over both ends of an edge.

    Drawing (i, j) with weight μ_{j|i} · (μ_{j|i} + μ_{i|j} − μ_{j|i} μ_{i|j}) / (μ_{j|i} + μ_{i|j}) draws
    every unordered pair in proportion to its union.

    Parameters
    ----------
    indices, values : Tensor (n, k)
        The nearest others of each row and how near they count.
    """
    weights = torch.empty_like(values)
    block = max(1, CELLS_AT_ONCE["cpu"] // indices.shape[1] ** 2)
    for start in range(0, len(indices), block):
        part = slice(start, min(start + block, len(indices)))
        rows = torch.arange(part.start, part.stop, device=indices.device)[:, None, None]
        mutual = indices[indices[part]] == rows  # (b, k, k): is the row among its neighbour's own?
        back = (values[indices[part]] * mutual).sum(dim=2)
        forth = values[part]
        both = (forth + back).clamp_min(torch.finfo(values.dtype).tiny)
        weights[part] = forth * (forth + back - forth * back) / both
    return weights


class Edges:
    """Edges (i, j) of a neighbour graph, to be drawn in proportion to their weights.

    Parameters
    ----------
    indices, weights : Tensor (n, k)
        The j of each i and how much each counts.
    """

    def __init__(self, indices: Tensor, weights: Tensor) -> None:
        self._tails = indices.flatten()
        self._k = indices.shape[1]
        self._reached = weights.flatten().double().cumsum(dim=0)  # n · k sums: too many for float32

    def drawn(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return the two ends of ``count`` random edges, int64 (count,) each."""
        device = self._tails.device
        aims = torch.rand(count, generator=generator, device=device, dtype=torch.float64) * self._reached[-1]
        edges = torch.searchsorted(self._reached, aims, right=True).clamp_max(len(self._tails) - 1)
        return edges // self._k, self._tails[edges]
