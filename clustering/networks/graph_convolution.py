"""A layer of a graph network, and the weights that mix two or more views of a node."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import leaky_relu, normalize

from clustering.networks.initialisers import linear
from clustering.networks.propagation import Propagation, propagated


class GraphConvolution(nn.Module):
    """Â X W without bias; the activation is the network's.

    Parameters
    ----------
    n_in, n_out : int
    generator : torch.Generator
        On the CPU; W is uniform in ±√(6 / (n_in + n_out)) (Glorot).
    """

    def __init__(self, n_in: int, n_out: int, generator: Generator) -> None:
        super().__init__()
        bound = (6 / (n_in + n_out)) ** 0.5
        self.weight = nn.Parameter(torch.empty(n_in, n_out).uniform_(-bound, bound, generator=generator))

    def forward(self, inputs: Tensor, propagation: Propagation) -> Tensor:
        """Map (n, n_in) to (n, n_out)."""
        return propagated(inputs @ self.weight, propagation)


class MixingWeights(nn.Module):
    """Attention: how much each of some views of a node counts.

    Parameters
    ----------
    widths : sequence of int
        Of the views.
    generator : torch.Generator
    """

    def __init__(self, widths: tuple[int, ...], generator: Generator) -> None:
        super().__init__()
        self.layer = linear(sum(widths), len(widths), "fan_in", generator)

    def forward(self, *views: Tensor) -> Tensor:
        """Map views (n, d_v) to weights (n, v), all positive; each row has the length 1, not the sum 1."""
        scores = leaky_relu(self.layer(torch.cat(views, dim=1)))  # slope .01
        return normalize(torch.softmax(scores, dim=1), dim=1)
