"""How far a reconstruction is from its input."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import mse_loss


def reconstruction(inputs: Tensor, reconstructions: Tensor) -> Tensor:
    """Return the squared error averaged over all elements, a scalar.

    DEC-keras and IDEC: L_r = (1 / (b·d)) Σ_ij (x_ij − x̂_ij)²; the mean over elements, not the sum per
    sample, is what their learning rates belong to.

    Parameters
    ----------
    inputs, reconstructions : Tensor (b, d)
    """
    return mse_loss(reconstructions, inputs)
