"""How what a branch holds of an item is shared out between its two halves; nothing is lost or made."""

from __future__ import annotations

import torch
from torch import Tensor


def refined_shares(of_left: Tensor, of_right: Tensor) -> Tensor:
    """Return π (n, 2), the mean of what the classifiers of both halves say.

    Parameters
    ----------
    of_left, of_right : Tensor (n, 2)
        Probabilities that an item is the own half's (column 0) or the other's (column 1), by each half's
        classifier.
    """
    return (of_left + of_right.flip(1)) / 2


def shared_out(held: Tensor, shares: Tensor) -> Tensor:
    """Return what each half holds of every item, (n, 2); rows sum to what the branch held.

    Parameters
    ----------
    held : Tensor (n,)
        What the branch holds, s_k.
    shares : Tensor (n, 2)
        Rows sum to 1.
    """
    left = held * shares[:, 0]
    return torch.stack([left, held - left], dim=1)


def variation(before: Tensor, now: Tensor) -> Tensor:
    """Return Σ_i |s_il − s'_il|, how much membership the left half took or gave, a scalar."""
    return (now[:, 0] - before[:, 0]).abs().sum()
