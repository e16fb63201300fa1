"""G-CEALS' soft assignment: how many standard deviations a latent lies from each cluster."""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST = 1e-12  # squared distance: the root of 0 has an infinite gradient


def mahalanobis_distances(latents: Tensor, centers: Tensor, variances: Tensor) -> Tensor:
    """Return √((z_i − μ_k)ᵀ Σ_k⁻¹ (z_i − μ_k)) with diagonal Σ_k, shape (n, K).

    By two matrix products: no (n, K, m) tensor is made.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers, variances : Tensor (K, m)
        μ_k and the diagonal of Σ_k.
    """
    # Shifting both by the centres' mean changes no distance and keeps the cancellation in float32 small.
    shift = centers.detach().mean(dim=0)
    z, c, precisions = latents - shift, centers - shift, 1 / variances
    with torch.autocast(latents.device.type, enabled=False):
        constant = (c.square() * precisions).sum(dim=1)
        squares = z.square() @ precisions.T - 2 * z @ (c * precisions).T + constant
        return squares.clamp_min(SMALLEST).sqrt()


def log_gaussian_assignments(latents: Tensor, centers: Tensor, variances: Tensor) -> Tensor:
    """Return log p, shape (n, K): p_ik ∝ exp(−distance).

    The authors' code takes the distance itself, neither half its square nor the factor |Σ_k|^(−1/2) of a
    normal density; so far items keep a say in every cluster. In log space, where nothing underflows.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers, variances : Tensor (K, m)
    """
    return torch.log_softmax(-mahalanobis_distances(latents, centers, variances), dim=1)
