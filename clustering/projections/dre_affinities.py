"""How near items are to one another: t-SNE's and UMAP's affinities, of many rows at once, on any device.

Both are found from each row's nearest neighbours by solving one equation a row for its width. The equation is
monotone in the logarithm of the inverse width, so a Newton step is taken where it stays inside the bracket
known so far, and the middle of the bracket where it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

STEPS = 16  # usual data reach 1e-5 nats after 6
STRIDE = 1.5
ARRIVED = 1e-5
REACH = 32.0  # of the logarithm of the inverse width around its first guess
PER_PERPLEXITY = 3  # neighbours kept a unit of perplexity; the others' share is below a thousandth
NARROWEST = 1e-3  # of UMAP's widths, as a share of the mean distance

Curve = Callable[[Tensor], tuple[Tensor, Tensor]]


class Nearest(NamedTuple):
    """The nearest other rows of each row.

    Parameters
    ----------
    indices : int64 Tensor (n, k)
    squared : float32 Tensor (n, k)
        Squared Euclidean distances; not sorted.
    """

    indices: Tensor
    squared: Tensor


def nearest(rows: Tensor, k: int, squared: Tensor | None = None) -> Nearest:
    """Find the ``k`` nearest others of each row (n, d) of a batch by all its distances."""
    if squared is None:
        squared = batch_distances(rows)
    found = squared.fill_diagonal_(torch.inf).topk(k, dim=1, largest=False, sorted=False)
    return Nearest(found.indices, found.values)


def batch_distances(rows: Tensor) -> Tensor:
    """Return ‖x_i − x_j‖² of all rows (n, d), shape (n, n), by one matrix product, never below 0."""
    centred = rows.float() - rows.float().mean(dim=0)  # less to cancel
    lengths = centred.square().sum(dim=1)
    products = torch.addmm(lengths[None, :], centred, centred.T, alpha=-2)
    return (products + lengths[:, None]).clamp_min_(0)


def conditional_affinities(squared: Tensor, perplexity: float) -> Tensor:
    """Return p_{j|i}, shape (n, k), rows summing to 1, with entropy log(perplexity).

    van der Maaten and Hinton 2008, eq. 1: p_{j|i} ∝ exp(−β_i d_ij²).

    Parameters
    ----------
    squared : Tensor (n, k)
        Squared distances to the k nearest others.
    perplexity : float
        At most k. A row with more equally near neighbours than that keeps them all alike.
    """
    beyond = squared - squared.amin(dim=1, keepdim=True)  # the same ratios, and nothing overflows
    return torch.softmax(-precisions(squared, perplexity)[:, None] * beyond, dim=1)


def precisions(squared: Tensor, perplexity: float) -> Tensor:
    """Return β (n,), so that each row's affinities have entropy log(perplexity)."""
    beyond = squared - squared.amin(dim=1, keepdim=True)
    scale = _some(beyond.mean(dim=1))
    relative = beyond / scale[:, None]
    target = math.log(perplexity)

    def entropy(log_beta: Tensor) -> tuple[Tensor, Tensor]:
        beta = log_beta.exp()
        energies = beta[:, None] * relative
        weights = (-energies).exp()
        total = weights.sum(dim=1)  # the nearest has weight 1
        mean = (weights * energies).sum(dim=1) / total
        variance = (weights * energies.square()).sum(dim=1) / total - mean.square()
        return total.log() + mean - target, -variance

    return _solved(entropy, torch.zeros_like(scale)).exp() / scale


def joint_affinities(rows: Tensor, perplexity: float) -> Tensor:
    """Return t-SNE's P of a batch (n, d): dense (n, n), symmetric, sum 1 (eq. 2)."""
    n = len(rows)
    near = nearest(rows, min(n - 1, int(PER_PERPLEXITY * perplexity)))
    return _symmetric(near.indices, conditional_affinities(near.squared, perplexity)) / (2 * n)


def memberships(squared: Tensor) -> Tensor:
    """Return UMAP's μ_{j|i} = exp(−(d_ij − ρ_i)₊/σ_i), shape (n, k), of the k nearest others of each row.

    McInnes, Healy, Melville 2018, algorithm 3: ρ_i is the nearest distance above 0, and the row sums to
    log₂(k + 1), because UMAP counts a row as its own first neighbour.
    """
    distances = squared.sqrt()
    positive = torch.where(distances > 0, distances, torch.inf).amin(dim=1)
    rho = torch.where(positive.isfinite(), positive, 0.0)
    beyond = (distances - rho[:, None]).clamp_min(0)
    scale = _some(beyond.mean(dim=1))
    relative = beyond / scale[:, None]
    target = math.log2(squared.shape[1] + 1)

    def excess(log_inverse: Tensor) -> tuple[Tensor, Tensor]:
        energies = log_inverse.exp()[:, None] * relative
        weights = (-energies).exp()
        return weights.sum(dim=1) - target, -(weights * energies).sum(dim=1)

    sigma = scale / _solved(excess, torch.zeros_like(scale)).exp()
    # Where nearly all neighbours are equally near no width fits; UMAP then keeps a narrow one.
    own, of_all = distances.mean(dim=1), distances.mean()
    floor = NARROWEST * torch.where(rho > 0, own, of_all) * _with_itself(squared.shape[1])
    return (-beyond / torch.maximum(sigma, floor).clamp_min(torch.finfo(squared.dtype).tiny)[:, None]).exp()


def fuzzy_union(rows: Tensor, n_neighbors: int) -> Tensor:
    """Return UMAP's μ of a batch (n, d): dense (n, n), μ_ij = μ_{j|i} + μ_{i|j} − μ_{j|i} μ_{i|j}."""
    near = nearest(rows, min(len(rows), n_neighbors) - 1)
    one_way = _spread(near.indices, memberships(near.squared))
    return one_way + one_way.T - one_way * one_way.T


def _some(scale: Tensor) -> Tensor:
    """Return ``scale``, and 1 where there is none because all neighbours are equally near."""
    return torch.where(scale > torch.finfo(scale.dtype).tiny, scale, 1.0)


def _with_itself(k: int) -> float:
    return k / (k + 1)  # umap-learn's means count a row's distance 0 to itself


def _spread(indices: Tensor, values: Tensor) -> Tensor:
    n = len(indices)
    return values.new_zeros(n, n).scatter_(1, indices, values)


def _symmetric(indices: Tensor, values: Tensor) -> Tensor:
    one_way = _spread(indices, values)
    return one_way + one_way.T


def _solved(curve: Curve, start: Tensor) -> Tensor:
    """Return where falling curves, one a row, cross zero; the same number of steps for all, no host."""
    at, low, high = start, start - REACH, start + REACH
    for _ in range(STEPS):
        value, slope = curve(at)
        above = value > 0
        low, high = torch.where(above, at, low), torch.where(above, high, at)
        step = (value / slope).nan_to_num().clamp(-STRIDE, STRIDE)  # far from its zero a curve is flat
        newton = at - step
        taken = ((newton > low) & (newton < high)) | (step.abs() < ARRIVED)
        at = torch.where(taken, newton, (low + high) / 2)
    return at
