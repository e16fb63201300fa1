"""Contrast: two views of a thing should be alike, and unlike everything else in the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from clustering.losses.uneven_sizes import uneven_sizes


def pair_contrast(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the mean over both views of −log(exp(s⁺ / τ) / Σ exp(s / τ)), a scalar (NT-Xent).

    s are cosines, s⁺ the one with the same row of the other view; the sum runs over all other rows of both
    views. Taken literally, CC's printed sum would count a row itself; its code, followed here, does not.

    Parameters
    ----------
    first, second : Tensor (n, d)
        Row i of both is the same thing.
    temperature : float
        τ.
    """
    with torch.autocast(first.device.type, enabled=False):  # exponentials of cosines want all digits
        rows = normalize(torch.cat([_full(first), _full(second)]), dim=1)
        cosines = rows @ rows.T  # (2n, 2n)
    numbers = torch.arange(len(rows), device=rows.device)
    others = cosines.masked_fill(numbers[:, None] == numbers, -torch.inf)
    return cross_entropy(others / temperature, numbers.roll(len(first)))


def queue_contrast(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Return the mean of −log(exp(q·k⁺ / τ) / (exp(q·k⁺ / τ) + Σ exp(q·k / τ))), a scalar (MoCo, eq. 1).

    The sum runs over the queue alone: other items of the batch do not count.

    Parameters
    ----------
    queries : Tensor (n, d)
        Of any length.
    keys : Tensor (n, d)
        Row i is the other view of query i; of length 1, a constant for the gradient.
    queue : Tensor (m, d)
        Keys of earlier items, likewise.
    temperature : float
        τ.
    """
    with torch.autocast(queries.device.type, enabled=False):
        rows = normalize(_full(queries), dim=1)
        alike = (rows * keys).sum(dim=1, keepdim=True)  # (n, 1)
        logits = torch.cat([alike, rows @ queue.T], dim=1)
    return cross_entropy(logits / temperature, torch.zeros(len(rows), dtype=torch.int64, device=rows.device))


def group_contrast(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the contrast of groups, and how uneven their sizes are, a scalar: CC's loss of groups.

    A group is described by its column: what share of every item of the batch it gets. With the constant
    2 log K of the authors' code, so that even sizes count nothing.

    Parameters
    ----------
    first, second : Tensor (n, K)
        Soft assignments of two views of the same items.
    temperature : float
        τ.
    """
    alike = pair_contrast(first.T, second.T, temperature)
    return alike + uneven_sizes(first) + uneven_sizes(second)


def _full(rows: Tensor) -> Tensor:
    return rows if rows.dtype == torch.float64 else rows.float()
