"""Trunks of convolutions for small pictures; their flatten fits any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Generator, Tensor, nn

Picture = tuple[int, int, int]  # height, width, channels
ConvolutionSize = Literal["small", "medium", "large"]


@dataclass(frozen=True)
class _Plan:
    """Double blocks of ``widths``, a pool after each, one convolution to ``last``."""

    widths: tuple[int, ...]
    last: int
    normalised: bool
    last_normalised: bool
    dropped_after: tuple[int, ...] = ()  # blocks followed by dropout of one half


PLANS: dict[ConvolutionSize, _Plan] = {
    "small": _Plan((16, 32), 64, normalised=False, last_normalised=False),
    "medium": _Plan((16, 32, 64), 128, normalised=True, last_normalised=True),
    "large": _Plan((16, 32, 64, 128, 256, 512), 1024, True, False, dropped_after=(4, 5)),
}


class ConvolutionTrunk(nn.Module):
    """Rows of pixels → convolutions → flat features.

    Parameters
    ----------
    picture : (height, width, channels)
        How a row of features is read: pixel by pixel, line by line, the channels of a pixel together.
    size : {"small", "medium", "large"}
    generator : torch.Generator
        On the CPU.

    Attributes
    ----------
    n_outputs : int
        Width of the output. It is counted along the way: the first pool pads by one pixel, and a side of one
        pixel is not pooled any further, so that pictures of any size come through.
    """

    def __init__(self, picture: Picture, size: ConvolutionSize, generator: Generator) -> None:
        super().__init__()
        self.picture = picture
        plan = PLANS[size]
        height, width, channels = picture
        layers: list[nn.Module] = []
        for block, n_maps in enumerate(plan.widths):
            for n_in in (channels, n_maps):
                layers += _convolution(n_in, n_maps, plan.normalised, generator)
            channels = n_maps
            if block in plan.dropped_after:
                layers.append(nn.Dropout(0.5))
            padding = int(block == 0)
            if min(height, width) + padding >= 2:
                layers.append(nn.MaxPool2d(2, padding=padding))
                height, width = ((side + 2 * padding) // 2 for side in (height, width))
        layers += _convolution(channels, plan.last, plan.last_normalised, generator)
        self.layers = nn.Sequential(*layers)
        self.n_outputs = plan.last * height * width

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, height · width · channels) to (b, n_outputs)."""
        pixels = inputs.unflatten(1, self.picture).permute(0, 3, 1, 2)  # (b, channels, height, width)
        return self.layers(pixels).flatten(1)


def _convolution(n_in: int, n_out: int, normalised: bool, generator: Generator) -> list[nn.Module]:
    layer: nn.Conv2d = nn.utils.skip_init(nn.Conv2d, n_in, n_out, kernel_size=3, padding=1)
    bound = (9 * n_in) ** -0.5  # torch's own default, drawn from our generator
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    assert layer.bias is not None
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return [layer, *([nn.BatchNorm2d(n_out)] if normalised else []), nn.ReLU()]
