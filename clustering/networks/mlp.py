"""A stack of linear layers with ReLU between them and a linear end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Generator, Tensor, nn

from clustering.networks.fused_linear import fused_linear
from clustering.networks.initialisers import Initialiser, linear


class MLP(nn.Module):
    """Linear layers ``dims[0] → dims[1] → …``, ReLU after every one but the last.

    Parameters
    ----------
    dims : sequence of int
        Widths, input first; at least two.
    initialiser, generator
        See `clustering.networks.initialisers.linear`.
    """

    def __init__(self, dims: Sequence[int], initialiser: Initialiser, generator: Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList(linear(*pair, initialiser, generator) for pair in pairwise(dims))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, dims[0]) to (b, dims[-1])."""
        for outputs in self.layerwise(inputs):
            inputs = outputs
        return inputs

    def layerwise(self, inputs: Tensor) -> Iterator[Tensor]:
        """Yield what each layer makes of (b, dims[0]), the first layer's first."""
        last = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            inputs = fused_linear(layer, inputs, rectify=number < last)
            yield inputs
