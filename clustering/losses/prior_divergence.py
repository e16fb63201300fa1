"""The variational autoencoder's pull to the standard normal distribution."""

from __future__ import annotations

from torch import Tensor


def prior_divergence(means: Tensor, log_variances: Tensor) -> Tensor:
    """Return KL(N(μ, σ²) ‖ N(0, I)) = −½ Σ_d (1 + log σ²_d − μ²_d − σ²_d), averaged over rows, a scalar.

    Parameters
    ----------
    means, log_variances : Tensor (b, d)
    """
    terms = 1 + log_variances - means.square() - log_variances.exp()
    return -0.5 * terms.sum(dim=1).mean()
