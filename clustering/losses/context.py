"""What the neighbours of an item tell of it: the mean of their codes (a continuous bag of words)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Contexts(NamedTuple):
    """Which items make up the context of each.

    Parameters
    ----------
    neighbours : int64 Tensor (n, w)
        Padded with the item itself.
    weights : float32 Tensor (n, w)
        1 / |C_t| for a neighbour, 0 for the padding; a row of zeros where an item has no context.
    """

    neighbours: Tensor
    weights: Tensor


def contexts_of(edges: Tensor, n_items: int) -> Contexts:
    """Return the contexts that links give, whichever end they name.

    Parameters
    ----------
    edges : int64 Tensor (e, 2)
        Each link named once.
    n_items : int
    """
    both = torch.cat([edges, edges.flip(1)])
    both = both[both[:, 0].argsort(stable=True)]
    counts = torch.bincount(both[:, 0], minlength=n_items)
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(both), device=edges.device) - starts[both[:, 0]]
    width = max(1, int(counts.max()) if len(both) else 1)
    neighbours = torch.arange(n_items, device=edges.device)[:, None].repeat(1, width)
    neighbours[both[:, 0], place] = both[:, 1]
    weights = torch.zeros(n_items, width, device=edges.device)
    weights[both[:, 0], place] = 1 / counts[both[:, 0]].float()
    return Contexts(neighbours, weights)


def context_codes(codes: Tensor, weights: Tensor) -> Tensor:
    """Return c_t = 1/|C_t| Σ_{s∈C_t} f(x_s), (b, m), from the neighbours' codes (b, w, m) and weights (b, w).

    SyntDEC's continuous bag of words: the code of an item enters only through what it tells of others.
    """
    return (codes * weights[:, :, None]).sum(dim=1)


def context_reconstruction(inputs: Tensor, predictions: Tensor, weights: Tensor) -> Tensor:
    """Return the squared error averaged over all elements of items that have a context, a scalar.

    Parameters
    ----------
    inputs, predictions : Tensor (b, d)
    weights : Tensor (b, w)
        Of `Contexts`.
    """
    known = (weights.sum(dim=1) > 0).to(inputs.dtype)  # (b,)
    each = (predictions - inputs).square().mean(dim=1)
    return (each * known).sum() / known.sum().clamp_min(1)
