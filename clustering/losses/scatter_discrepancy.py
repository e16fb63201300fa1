"""Fisher's criterion as one ratio of scatters: of traces, or of whole matrices."""

from __future__ import annotations

import torch
from torch import Tensor

DOUBLINGS = 40  # of the correct digits of the inverse, at most; a condition of 10⁶ needs 26
TINY = 1e-12


def within_scatter(latents: Tensor, members: Tensor, means: Tensor) -> Tensor:
    """Return S_w = 1/n Σ_i (z_i − m_(y_i)) (z_i − m_(y_i))ᵀ, shape (m, m).

    Parameters
    ----------
    latents : Tensor (n, m)
    members : Tensor (n, K)
        1 in the column of an item's cluster, else 0.
    means : Tensor (K, m)
    """
    rest = latents - members @ means
    return rest.T @ rest / len(latents)


def between_scatter(means: Tensor, shares: Tensor) -> Tensor:
    """Return S_b = Σ_j π_j (m_j − m̄) (m_j − m̄)ᵀ, shape (m, m).

    Parameters
    ----------
    means : Tensor (K, m)
    shares : Tensor (K,)
        π_j, share of all items; they sum to 1.
    """
    apart = means - shares @ means
    return (apart * shares[:, None]).T @ apart


def trace_ratio(within: Tensor, between: Tensor) -> Tensor:
    """Return tr(S_w) / tr(S_b), a scalar, from the two matrices (m, m)."""
    return within.trace() / between.trace().clamp_min(TINY)


def matrix_ratio(within: Tensor, between: Tensor, ridge: Tensor | float) -> Tensor:
    """Return tr((S_b + ε I)⁻¹ S_w), a scalar, in double precision.

    Parameters
    ----------
    within, between : Tensor (m, m)
        Symmetric, without negative eigenvalues.
    ridge : float or scalar Tensor
        ε; S_b has rank K − 1 at most.
    """
    with torch.autocast(within.device.type, enabled=False):
        w, b = within.double(), between.double()
        b = b + ridge * torch.eye(len(b), dtype=b.dtype, device=b.device)
        inverse = _inverse(b.detach())
        # d tr(B⁻¹ W) = tr(B⁻¹ dW) − tr(B⁻¹ W B⁻¹ dB): the inverse itself need not be differentiated.
        pulled = inverse @ w.detach() @ inverse
        return (inverse * w).sum() - (pulled * (b - b.detach())).sum()


def _inverse(matrix: Tensor) -> Tensor:
    """Return the inverse of a positive definite matrix by Newton's iteration X ← X (2 I − B X).

    Products only: a factorisation makes the host wait for the device, and so cannot be recorded with a step.
    """
    eye = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    found = eye / torch.linalg.matrix_norm(matrix)
    for _ in range(DOUBLINGS):
        found = found @ (2 * eye - matrix @ found)
    return found
