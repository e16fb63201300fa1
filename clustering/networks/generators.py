"""Generators and the encoders that judge their fakes, for rows of numbers and for small pictures.

No layer looks across a batch, so real and generated items may share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture

SLOPE = 0.2  # of leaky ReLU
KERNEL = 5  # pixels a side of the encoder's convolutions


class PictureGenerator(nn.Module):
    """Codes → 2f maps at a quarter of the side → f maps at half of it → a picture within ±1, as a row.

    Parameters
    ----------
    code_dim : int
    picture : (height, width, channels)
        Of any size: sides that four does not divide are cut off.
    n_maps : int
        f.
    """

    def __init__(self, code_dim: int, picture: Picture, n_maps: int) -> None:
        super().__init__()
        height, width, channels = picture
        self._picture = picture
        self._start = (2 * n_maps, -(-height // 4), -(-width // 4))
        self.begin = nn.Linear(code_dim, self._start[0] * self._start[1] * self._start[2])
        self.middle = nn.ConvTranspose2d(2 * n_maps, n_maps, 4, 2, 1)
        self.last = nn.ConvTranspose2d(n_maps, channels, 4, 2, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """Map (b, c) to (b, height · width · channels)."""
        x = self.begin(codes).relu().unflatten(1, self._start)
        x = self.last(self.middle(x).relu()).tanh()
        return x[:, :, : self._picture[0], : self._picture[1]].permute(0, 2, 3, 1).flatten(1)


class PictureEncoder(nn.Module):
    """Rows of pixels → f, 2f and 4f maps, the side halved by each → flat features.

    Parameters
    ----------
    picture : (height, width, channels)
        Fixes the size: maps are normalised over channels and pixels together.
    n_maps : int
        f.

    Attributes
    ----------
    n_outputs : int
    """

    def __init__(self, picture: Picture, n_maps: int) -> None:
        super().__init__()
        self._picture = picture
        height, width, channels = picture
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((channels, n_maps, 2 * n_maps, 4 * n_maps)):
            height, width = -(-height // 2), -(-width // 2)
            layers += [
                nn.Conv2d(n_in, n_out, KERNEL, 2, KERNEL // 2),
                nn.LayerNorm([n_out, height, width]),
                nn.LeakyReLU(SLOPE),
            ]
        self.layers = nn.Sequential(*layers)
        self.n_outputs = 4 * n_maps * height * width

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, height · width · channels) to (b, n_outputs)."""
        return self.layers(inputs.unflatten(1, self._picture).permute(0, 3, 1, 2)).flatten(1)


def dense_generator(code_dim: int, width: int, n_features: int) -> nn.Module:
    """Return codes → two layers of ``width`` with ReLU → rows of any numbers."""
    return nn.Sequential(
        nn.Linear(code_dim, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, n_features),
    )


def dense_encoder(n_features: int, widths: Sequence[int]) -> nn.Module:
    """Return rows of numbers → normalised layers of ``widths`` with leaky ReLU."""
    layers: list[nn.Module] = []
    for pair in pairwise((n_features, *widths)):
        layers += [nn.Linear(*pair), nn.LayerNorm(pair[1]), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)


@torch.no_grad()
def redraw(network: nn.Module, generator: Generator) -> None:
    """Give every layer new first weights: torch's own law, drawn from ``generator``.

    Parameters
    ----------
    network : Module
        Of linear layers, convolutions and layer norms; on any device.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    """
    for layer in network.modules():
        if isinstance(layer, nn.LayerNorm):
            layer.reset_parameters()  # ones and zeros
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            bound = layer.weight[0].numel() ** -0.5
            for parameter in layer.parameters():
                drawn = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
                parameter.copy_(drawn)
