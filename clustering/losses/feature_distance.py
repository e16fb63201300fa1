"""How far a rebuilt item is from the original in the eyes of a critic (VAE-GAN; Larsen et al. 2016)."""

from __future__ import annotations

from torch import Tensor


def feature_distance(real: Tensor, rebuilt: Tensor) -> Tensor:
    """Return ½ ‖D_l(x) − D_l(x̂)‖² averaged over rows, a scalar.

    Parameters
    ----------
    real, rebuilt : Tensor (b, f)
        Of a hidden layer of the critic; ``real`` is a constant for the gradient.
    """
    return 0.5 * (real.detach() - rebuilt).square().sum(dim=1).mean()
