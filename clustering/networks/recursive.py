"""DRE's network: a trunk, three hidden layers that become spaces of their own, and the map."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from torch import Generator, Tensor, nn

from clustering.networks.convolutions import ConvolutionSize, ConvolutionTrunk, Picture
from clustering.networks.initialisers import linear

Trunk = Literal["fc", "fc-full", "fc-light", "conv-small", "conv-medium", "conv-large"]


class Widths(NamedTuple):
    """Widths of the trunk's layers, and of the three hidden layers before the map."""

    trunk: tuple[int, ...]
    tail: tuple[int, int, int]


PUBLISHED_TAIL = (2000, 500, 100)
FULLY_CONNECTED: dict[str, Widths] = {
    "fc": Widths((500,) * 3, PUBLISHED_TAIL),
    "fc-full": Widths((500,) * 5, PUBLISHED_TAIL),
    "fc-light": Widths((128,) * 3, (256, 128, 50)),  # ours: a twentieth of the work
}
CONVOLUTIONS: dict[str, ConvolutionSize] = {
    "conv-small": "small",
    "conv-medium": "medium",
    "conv-large": "large",
}


class RecursiveNetwork(nn.Module):
    """f: R^d → R^c; every hidden layer of the tail can be asked for.

    Parameters
    ----------
    trunk : Trunk
        ``fc`` kinds normalise every hidden layer, the tail's too; ``conv`` kinds leave their tail plain.
    n_features : int
        d.
    n_components : int
        c.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    picture : (height, width, channels) or None
        Needed by ``conv`` kinds.
    """

    def __init__(
        self,
        trunk: Trunk,
        n_features: int,
        n_components: int,
        generator: Generator,
        picture: Picture | None = None,
    ) -> None:
        super().__init__()
        if trunk in FULLY_CONNECTED:
            widths, tail = FULLY_CONNECTED[trunk]
            self.trunk: nn.Module = nn.Sequential(*_layers((n_features, *widths), True, generator))
            n_in, normalised = widths[-1], True
        else:
            assert picture is not None
            convolutions = ConvolutionTrunk(picture, CONVOLUTIONS[trunk], generator)
            self.trunk, tail = convolutions, PUBLISHED_TAIL
            n_in, normalised = convolutions.n_outputs, False
        self.tail = nn.ModuleList(
            nn.Sequential(*_layers(pair, normalised, generator)) for pair in pairwise((n_in, *tail))
        )
        self.last = linear(tail[-1], n_components, "fan_in", generator)

    def hidden(self, inputs: Tensor, layer: int) -> Tensor:
        """Return the output of hidden layer 1, 2 or 3 of the tail for inputs (b, d)."""
        features = self.trunk(inputs)
        for block in self.tail[:layer]:
            features = block(features)
        return features

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to places (b, c)."""
        return self.last(self.hidden(inputs, len(self.tail)))


def _layers(widths: Sequence[int], normalised: bool, generator: Generator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers.append(linear(n_in, n_out, "fan_in", generator))
        layers += [nn.BatchNorm1d(n_out), nn.ReLU()] if normalised else [nn.ReLU()]
    return layers
