"""t-SNE's loss: how far the chance of being neighbours on the map is from that in the data."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from clustering.losses.map_distances import map_distances, paired_distances, sum_off_diagonal


def student_divergence(affinities: Tensor, places: Tensor) -> Tensor:
    """Return KL(P‖Q) of a batch, a scalar in nats.

    van der Maaten and Hinton 2008, eqs. 4 and 5: q_ij = (1 + ‖y_i − y_j‖²)⁻¹ / Σ_{k≠l} (1 + ‖y_k − y_l‖²)⁻¹.
    Because P sums to 1, log q needs no division a pair: −Σ P log q = Σ P log(1 + D) + log Σ (1 + D)⁻¹.

    Parameters
    ----------
    affinities : Tensor (b, b)
        P: symmetric, zero on the diagonal, sum 1; a constant for the gradient.
    places : Tensor (b, c)
    """
    distances = map_distances(places)
    spread = sum_off_diagonal(1 / (1 + distances)).log()
    entropy = torch.special.xlogy(affinities, affinities).sum()
    return entropy + (affinities * distances.log1p()).sum() + spread


def sampled_student_divergence(heads: Tensor, tails: Tensor) -> Tensor:
    """Return the same divergence, less the entropy of P, estimated from edges drawn in proportion to P.

    Parameters
    ----------
    heads, tails : Tensor (e, c)
        Places of the two ends of each edge. All 2e of them serve as random pairs for the normaliser.

    Returns
    -------
    Tensor
        Σ P log(1 + D) as the edges' mean, plus the log of the mean kernel of random pairs.
    """
    pull = paired_distances(heads, tails).log1p().mean()
    places = torch.cat([heads, tails])
    kernel = sum_off_diagonal(1 / (1 + map_distances(places)))
    return pull + kernel.log() - math.log(len(places) * (len(places) - 1))
