"""Which generator made a fake: what a classifier learns from several, and what drives them apart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def generator_identity(*logits: Tensor) -> Tensor:
    """Return the mean of −log softmax(logits)_g over all fakes, a scalar.

    Parameters
    ----------
    *logits : Tensor (b, m)
        What a classifier says of the fakes of generator 0, of generator 1, …; each may come from a classifier
        of its own.
    """
    makers = [torch.full((len(part),), g, device=part.device) for g, part in enumerate(logits)]
    return cross_entropy(torch.cat(logits), torch.cat(makers))
