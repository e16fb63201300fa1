"""UMAP's loss: the cross-entropy between the fuzzy neighbourhoods in the data and on the map."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.losses.map_distances import map_distances, paired_distances, sum_off_diagonal

NEAREST = 1e-4  # squared distance; D^b with b < 1 has an infinite gradient at 0
SURE = 1e-4  # memberships on the map are kept this far from 0 and 1
STRANGERS = 5  # UMAP's negative sample rate


def fuzzy_cross_entropy(memberships: Tensor, places: Tensor, a: float, b: float) -> Tensor:
    """Return −Σ_{i≠j} [μ log w + (1 − μ) log(1 − w)] / n with w_ij = 1 / (1 + a D_ij^b), a scalar.

    McInnes, Healy, Melville 2018, definition 11, less the entropy of μ; D is the *squared* distance.

    Parameters
    ----------
    memberships : Tensor (n, n)
        μ: symmetric, in [0, 1], zero on the diagonal; a constant for the gradient.
    places : Tensor (n, c)
    a, b : float
        Of UMAP's kernel.
    """
    kept = _on_map(map_distances(places), a, b)
    terms = memberships * kept.log() + (1 - memberships) * torch.log1p(-kept)
    return (terms.diagonal().sum() - terms.sum()) / len(places)


def sampled_fuzzy_cross_entropy(heads: Tensor, tails: Tensor, a: float, b: float) -> Tensor:
    """Return UMAP's sampled loss: the pull along drawn edges and the push of random pairs, a scalar.

    Parameters
    ----------
    heads, tails : Tensor (e, c)
        Places of the two ends of edges drawn in proportion to μ. As in umap-learn each edge meets
        ``STRANGERS`` random pairs; here their expectation is taken over all pairs of the 2e places.
    a, b : float
    """
    pull = -_on_map(paired_distances(heads, tails), a, b).log().mean()
    places = torch.cat([heads, tails])
    push = sum_off_diagonal(-torch.log1p(-_on_map(map_distances(places), a, b)))
    return pull + STRANGERS * push / (len(places) * (len(places) - 1))


def _on_map(distances: Tensor, a: float, b: float) -> Tensor:
    kernel = 1 / (1 + a * distances.clamp_min(NEAREST).pow(b))
    return kernel.clamp(SURE, 1 - SURE)
