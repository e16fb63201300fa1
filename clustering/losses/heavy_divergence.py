"""DRE's second loss as released: UMAP's affinities, normalised, against a heavy-tailed normalised kernel."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from clustering.losses.map_distances import map_distances, paired_distances, sum_off_diagonal

MOST = 1 - 1e-6  # of q


def heavy_divergence(affinities: Tensor, places: Tensor, a: float, b: float) -> Tensor:
    """Return Σ P log(P/q) + Σ (1 − P) log((1 − P)/(1 − q)), q_ij = (1 + a D_ij)^−b / Σ, a scalar.

    DRE, stage 2. Both sums run over all pairs i ≠ j. As P and q sum to 1, the second is below a thousandth of
    the first from a hundred items on: this is a KL divergence, not UMAP's cross-entropy.

    Parameters
    ----------
    affinities : Tensor (n, n)
        Symmetric, zero on the diagonal, sum 1; a constant for the gradient.
    places : Tensor (n, c)
    a, b : float
        Of the kernel, see `clustering.projections.dre_kernels`.
    """
    logs = -b * (a * map_distances(places)).log1p()
    normaliser = sum_off_diagonal(logs.exp()).log()
    near = (torch.special.xlogy(affinities, affinities) - affinities * (logs - normaliser)).sum()
    # exp(log q) may be rounded to 1 when one pair is alone with all the weight.
    others = (logs - normaliser).exp().clamp_max(MOST)
    rest = 1 - affinities
    far = rest * (torch.log1p(-affinities) - torch.log1p(-others))
    return near + far.sum() - far.diagonal().sum()


def sampled_heavy_divergence(heads: Tensor, tails: Tensor, a: float, b: float) -> Tensor:
    """Return the first sum, less the entropy of P, estimated from edges drawn in proportion to P.

    Parameters
    ----------
    heads, tails : Tensor (e, c)
        Places of the two ends of each edge; all 2e of them serve as random pairs for the normaliser.
    a, b : float
    """
    pull = b * (a * paired_distances(heads, tails)).log1p().mean()
    places = torch.cat([heads, tails])
    kernel = sum_off_diagonal((1 + a * map_distances(places)).pow(-b))
    return pull + kernel.log() - math.log(len(places) * (len(places) - 1))
