"""What makes features of rows of numbers or of small pictures: the trunk of methods that learn from views."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture
from clustering.networks.initialisers import linear
from clustering.networks.outlines import Outlines
from clustering.networks.resnet import RESNETS, ResNet
from clustering.networks.timm_trunk import TimmTrunk

SMALL_SIDE = 8  # pixels; larger pictures are halved by further convolutions until they are no larger
FEW_PIXELS = 4  # a side, below which pictures are not halved any further
MAPS = (32, 64, 128, 256)
BACKBONES = ("small", *RESNETS)  # and any that timm knows


class Look(NamedTuple):
    """How a network that may be chosen looks at a picture.

    Parameters
    ----------
    picture : (height, width, channels)
    backbone : {"small", "resnet18", "resnet34", "resnet50"} or the name of a timm model
        ``small`` has a few convolutions; the others are as published, and take a graphics processor.
    outlines : bool
        Whether it sees outlines in place of the picture.
    """

    picture: Picture
    backbone: str = "small"
    outlines: bool = False


class Frozen(nn.Module):
    """Part of a network whose features may stand still, each column at mean 0 and spread 1.

    Attributes
    ----------
    shift, factor : Tensor (D,)
        Features are (what was learned − shift) · factor.
    codes : Tensor (n, D)
        Features of all items, from the moment they are frozen until the fit has ended.
    """

    shift: Tensor
    factor: Tensor
    codes: Tensor

    def add_freezing(self, n_outputs: int) -> None:
        """Make room for what is kept; to be called once, by the constructor."""
        self.register_buffer("shift", torch.zeros(n_outputs))
        self.register_buffer("factor", torch.ones(n_outputs))
        self.register_buffer("codes", torch.zeros(0, n_outputs))

    def standardised(self, features: Tensor) -> Tensor:
        """Return features (b, D) as they stand still."""
        return (features - self.shift) * self.factor

    def freeze(self, features: Tensor) -> None:
        """Keep the features of all items (n, D); a column that does not vary is only shifted."""
        spread = features.std(dim=0, unbiased=False)
        self.shift.copy_(features.mean(dim=0))
        self.factor.copy_(1 / torch.where(spread > 0, spread, torch.ones_like(spread)))
        self.codes = self.standardised(features)


class FeatureNetwork(nn.Module):
    """Rows (b, d) → features (b, D).

    Parameters
    ----------
    n_features : int
        d.
    picture : (height, width, channels), Look or None
        How a row is read, pixel by pixel; None takes it as a row of numbers.
    hidden_dims : sequence of int
        Widths of the layers before the features, for rows of numbers.
    n_outputs : int
        D.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    pooled : bool
        Whether a picture's features are means over its places, which a view may change, rather than what is
        seen at each place.
    """

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        generator: Generator,
        pooled: bool = False,
    ) -> None:
        super().__init__()
        if picture is None:
            self.trunk, width = rows_trunk((n_features, *hidden_dims), generator)
        elif isinstance(picture, Look):
            self.trunk, width = chosen_trunk(picture, generator)
        elif pooled:
            self.trunk, width = pooled_trunk(picture, generator)
        else:
            self.trunk, width = picture_trunk(picture, generator)
        self.last = linear(width, n_outputs, "fan_in", generator)
        self.eval()

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D), by the statistics of all batches so far."""
        self.eval()
        return self._features(inputs)

    def learn(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D), by the statistics of this batch, which are gathered."""
        self.train()
        return self._features(inputs)

    def _features(self, inputs: Tensor) -> Tensor:
        return self.last(self.trunk(inputs))


def rows_trunk(widths: Sequence[int], generator: Generator) -> tuple[nn.Sequential, int]:
    """Return layers of the given widths, normalised and rectified, and the last width."""
    layers = [layer for pair in pairwise(widths) for layer in normalised_layer(*pair, generator)]
    return nn.Sequential(*layers), widths[-1]


def normalised_layer(n_in: int, n_out: int, generator: Generator) -> list[nn.Module]:
    """Return a linear layer, normalised over the batch and rectified."""
    return [linear(n_in, n_out, "fan_in", generator), nn.BatchNorm1d(n_out), nn.ReLU()]


def picture_trunk(picture: Picture, generator: Generator) -> tuple[nn.Sequential, int]:
    """Return two convolutions and a pool, then a convolution and a pool until the picture is small."""
    height, width, channels = picture
    layers: list[nn.Module] = [_Pixels(picture), *_convolution(channels, MAPS[0], generator)]
    for n_in, n_out in pairwise(MAPS):
        layers += [*_convolution(n_in, n_out, generator), nn.MaxPool2d(2)]
        height, width = height // 2, width // 2
        if max(height, width) <= SMALL_SIDE:
            break
    return nn.Sequential(*layers, nn.Flatten()), n_out * height * width


def chosen_trunk(look: Look, generator: Generator) -> tuple[nn.Sequential, int]:
    """Return the backbone that was chosen, behind outlines where these are wanted, and its width."""
    height, width, channels = look.picture
    layers: list[nn.Module] = [_Pixels(look.picture)]
    if look.outlines:
        layers.append(Outlines())
        channels = 2
    if look.backbone == "small":
        pooled, n_outputs = _pooled((height, width, channels), generator)
        return nn.Sequential(*layers, *pooled), n_outputs
    network: ResNet | TimmTrunk
    if look.backbone in RESNETS:
        network = ResNet(look.backbone, channels, max(height, width), generator)
    else:
        network = TimmTrunk(look.backbone, (height, width, channels), generator)
    return nn.Sequential(*layers, network), network.n_outputs


def pooled_trunk(picture: Picture, generator: Generator) -> tuple[nn.Sequential, int]:
    """Return pairs of convolutions and pools until few pixels are left, one more, and the mean over these."""
    return chosen_trunk(Look(picture), generator)


def _pooled(picture: Picture, generator: Generator) -> tuple[list[nn.Module], int]:
    height, width, channels = picture
    layers: list[nn.Module] = []
    for n_maps in MAPS:
        layers += _convolution(channels, n_maps, generator) + _convolution(n_maps, n_maps, generator)
        layers.append(nn.MaxPool2d(2))
        channels, height, width = n_maps, height // 2, width // 2
        if min(height, width) < FEW_PIXELS:
            break
    layers += _convolution(channels, 2 * channels, generator)
    return [*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()], 2 * channels


def _convolution(n_in: int, n_out: int, generator: Generator) -> list[nn.Module]:
    layer: nn.Conv2d = nn.utils.skip_init(nn.Conv2d, n_in, n_out, kernel_size=3, padding=1)
    # As DeepCluster's authors: N(0, √(2 / (9 · maps out))), no bias.
    nn.init.normal_(layer.weight, 0.0, (2 / (9 * n_out)) ** 0.5, generator=generator)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return [layer, nn.BatchNorm2d(n_out), nn.ReLU()]


class _Pixels(nn.Module):
    """Reads rows of pixels as pictures (b, channels, height, width)."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.unflatten(1, self.picture).permute(0, 3, 1, 2)
