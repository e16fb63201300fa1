"""How many groups the graph of the data suggests, and the smooth places its first eigenvectors give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.projections.laptsne_eigenvectors import first_eigenvectors
from clustering.projections.on_device.graph import Graph

MOST = 30  # eigenvalues after the first that are looked at
ZERO = 1e-4  # eigenvalue up to which a part of the graph counts as cut off
STEPS = 300
TOLERANCE = 1e-4


def graph_spectrum(affinities: Graph, seed: int) -> tuple[Tensor, NDArray[np.float64]]:
    """Return the first eigenvectors (n, ≤ 31) of P's normalised Laplacian and their eigenvalues.

    λ_1 = 0 comes first.
    """
    n = affinities.n_items
    degrees = affinities.summed(affinities.weights[:, None])[:, 0]
    degrees = degrees.clamp_min(torch.finfo(degrees.dtype).tiny)
    scaled = affinities.weights / (degrees[affinities.heads] * degrees[affinities.tails]).sqrt()
    vectors, values = first_eigenvectors(
        replace(affinities, weights=scaled).times,
        degrees,
        min(n, MOST + 1),
        seed=seed,
        steps=STEPS,
        tolerance=TOLERANCE,
    )
    return vectors, values.double().cpu().numpy()


def suggested_groups(values: NDArray[np.float64]) -> int:
    """Return k, where the relative gap between eigenvalues λ_k and λ_{k+1} is widest.

    The authors take the argmax of (λ_{k+1} − λ_k) / λ_{k+1} from λ_2 on, and their code returns one less.

    Parameters
    ----------
    values : float64 array (m,)
        λ_1 = 0 first, ascending.
    """
    later = values[1:]
    if len(later) < 2:
        return len(values)
    ratios = np.where(later[1:] > ZERO, 1 - later[:-1] / np.maximum(later[1:], ZERO), 0.0)
    return int(ratios.argmax()) + 2
