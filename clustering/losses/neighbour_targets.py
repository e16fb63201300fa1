"""USL-T's local loss: an item shall be where its neighbour is, and rather in a group that few are in."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.losses.kl import kl_divergence

SMALLEST = 1e-8  # a share whose logarithm is still a number


def adjusted_targets(logits: Tensor, shares: Tensor, adjustment: float, temperature: float) -> Tensor:
    """Return what neighbours say of their items, softmax((z − τ log p̄) / T), (n, K); rows sum to 1.

    Taking away τ log p̄ raises the groups that few items are in, so that no group takes all; dividing by T is
    the same as raising the adjusted odds to the power 1/T and making them sum to 1 again.

    Parameters
    ----------
    logits : Tensor (n, K)
        z, of the neighbours; no gradient flows through them.
    shares : Tensor (K,)
        p̄, what each group has had of the neighbours so far.
    adjustment : float
        τ; 0 lets sizes be.
    temperature : float
        T; smaller makes them surer.
    """
    with torch.no_grad():
        adjusted = logits - adjustment * shares.clamp_min(SMALLEST).log()
        return torch.softmax(adjusted / temperature, dim=1)


def local_loss(targets: Tensor, logits: Tensor) -> Tensor:
    """Return the mean over items of KL(s‖p), a scalar.

    Parameters
    ----------
    targets : Tensor (n, K)
        s.
    logits : Tensor (n, K)
        Of the items; p is their softmax.
    """
    return kl_divergence(targets, torch.log_softmax(logits, dim=1))


def updated_shares(shares: Tensor, logits: Tensor, momentum: float = 0.5) -> Tensor:
    """Return p̄ after a batch: m p̄ + (1 − m) times the mean odds, (K,), summing to 1.

    Parameters
    ----------
    shares : Tensor (K,)
    logits : Tensor (n, K)
        Of the neighbours; no gradient flows through them.
    momentum : float
        m.
    """
    with torch.no_grad():
        mixed = torch.lerp(torch.softmax(logits, dim=1).mean(dim=0), shares, momentum)
        return mixed / mixed.sum()
