"""A GAN's critic whose layers cannot stretch distances, so that its features keep their scale in training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, linear, normalize

from clustering.networks import initialisers
from clustering.networks.convolutions import Picture

SLOPE = 0.2  # of leaky ReLU


class Judged(NamedTuple):
    """Logits (b,) of being real, and the features (b, f) they were read from."""

    logits: Tensor
    features: Tensor


class NormedLayer(nn.Module):
    """A linear layer, or a 4 × 4 convolution of stride 2, with its weight over its largest singular value.

    That value is followed by one power iteration a call (spectral normalisation; Miyato et al. 2018).

    Parameters
    ----------
    layer : Linear or Conv2d
        Gives the first weights.
    generator : torch.Generator
    """

    vector: Tensor

    def __init__(self, layer: nn.Linear | nn.Conv2d, generator: Generator) -> None:
        super().__init__()
        assert layer.bias is not None
        self.weight, self.bias = layer.weight, layer.bias
        vector = torch.randn(len(layer.weight), generator=generator)
        self.register_buffer("vector", normalize(vector, dim=0))

    def forward(self, inputs: Tensor, frozen: bool) -> Tensor:
        """Map inputs; ``frozen`` weights are constants for the gradient."""
        weight, bias = self.weight / self._stretch(frozen), self.bias
        if frozen:
            weight, bias = weight.detach(), bias.detach()
        if weight.ndim == 2:
            return linear(inputs, weight, bias)
        return conv2d(inputs, weight, bias, stride=2, padding=1)

    def _stretch(self, frozen: bool) -> Tensor:
        flat = self.weight.flatten(1)
        with torch.no_grad():
            other = normalize(flat.T @ self.vector, dim=0)
            vector = normalize(flat @ other, dim=0)
            if not frozen:
                self.vector.copy_(vector)
        return vector @ flat @ other


class Critic(nn.Module):
    """Layers without stretch, leaky ReLU after each, and one logit.

    Parameters
    ----------
    n_features : int
    widths : sequence of int
        Units, or channels for pictures.
    picture : (height, width, channels) or None
    generator : torch.Generator
    """

    def __init__(
        self, n_features: int, widths: Sequence[int], picture: Picture | None, generator: Generator
    ) -> None:
        super().__init__()
        self._picture = picture
        layers: list[nn.Linear | nn.Conv2d] = []
        if picture is None:
            n_outputs = widths[-1]
            for pair in pairwise((n_features, *widths)):
                layers.append(initialisers.linear(*pair, "fan_in", generator))
        else:
            height, width, channels = picture
            for n_in, n_out in pairwise((channels, *widths)):
                layers.append(initialisers.convolution(n_in, n_out, 4, 2, 1, generator))
                height, width = height // 2, width // 2
            n_outputs = widths[-1] * height * width
        self.layers = nn.ModuleList(NormedLayer(layer, generator) for layer in layers)
        self.last = NormedLayer(initialisers.linear(n_outputs, 1, "fan_in", generator), generator)

    def forward(self, inputs: Tensor, frozen: bool = False) -> Judged:
        """Judge rows (b, d); ``frozen`` lets gradients through to the rows and none to the critic."""
        x = inputs
        if self._picture is not None:
            x = x.unflatten(1, self._picture).permute(0, 3, 1, 2)
        for layer in self.layers:
            x = leaky_relu(layer(x, frozen), SLOPE)
        features = x.flatten(1)
        return Judged(self.last(features, frozen)[:, 0], features)
