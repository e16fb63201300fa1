"""How badly scores foretell the pseudo-labels that a clustering has given."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy


def pseudo_label_loss(scores: Tensor, labels: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the mean of −log softmax(scores / τ)_label over rows and heads, a scalar.

    DeepCluster, eq. 2 with one head and τ = 1; DeepCluster-v2 has several heads and τ = .1.

    Parameters
    ----------
    scores : Tensor (b, k), or (h, b, k) of several heads
    labels : int64 Tensor (b,), or (h, b)
    temperature : float
        τ.
    """
    return cross_entropy(scores.float().flatten(0, -2) / temperature, labels.flatten())
