"""How badly one view of an item foretells the label another view has given itself (SwAV)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from clustering.losses.soft_cross_entropy import soft_cross_entropy


def swapped_prediction(labels: Sequence[Tensor], scores: Sequence[Tensor], temperature: float) -> Tensor:
    """Return the mean over pairs of views i ≠ j of −(1/b) Σ Q_i log softmax(s_j / τ), a scalar.

    Parameters
    ----------
    labels : sequence of Tensor (b, k)
        Of the first views, constants for the gradient; there may be fewer than views, and at least one.
    scores : sequence of Tensor (b, k)
        Of all views, two at least, in the same order.
    temperature : float
        τ.
    """
    pairs = [
        soft_cross_entropy(label, score / temperature)
        for i, label in enumerate(labels)
        for j, score in enumerate(scores)
        if i != j
    ]
    return torch.stack(pairs).mean()
