"""The two sides of a GAN, each as sums of softplus, so that no sign can be read the wrong way round."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def critic_loss(real: Tensor, *fakes: Tensor) -> Tensor:
    """Return softplus(−D(x)) + Σ softplus(D(fake)), each averaged over its batch, a scalar.

    Parameters
    ----------
    real, *fakes : Tensor (b,)
        Logits: above 0 the critic takes an item for real.
    """
    loss = softplus(-real).mean()
    for fake in fakes:
        loss = loss + softplus(fake).mean()
    return loss


def generator_loss(*fakes: Tensor) -> Tensor:
    """Return Σ softplus(−D(fake)), each averaged over its batch, a scalar: the non-saturating form."""
    first, *rest = (softplus(-fake).mean() for fake in fakes)
    return sum(rest, start=first)
