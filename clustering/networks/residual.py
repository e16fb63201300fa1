"""Residual blocks, dense ones for features and ones of convolutions for pictures.

Groups of channels are normalised within an item, never across a batch: so no item depends on its company, and
real and generated items may share a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from clustering.networks.convolutions import Picture
from clustering.networks.initialisers import convolution, linear

GROUPS = 8


class DenseBlock(nn.Module):
    """x → relu(Wx + V relu(U Wx)), with W to change the width.

    Parameters
    ----------
    n_in, n_out : int
    generator : torch.Generator
    """

    def __init__(self, n_in: int, n_out: int, generator: Generator) -> None:
        super().__init__()
        self.shortcut = linear(n_in, n_out, "fan_in", generator)
        self.first = linear(n_out, n_out, "fan_in", generator)
        self.second = linear(n_out, n_out, "fan_in", generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, n_in) to (b, n_out)."""
        x = self.shortcut(inputs)
        return (x + self.second(self.first(x).relu())).relu()


class ConvolutionBlock(nn.Module):
    """Two convolutions of 3 × 3 and a shortcut of 1 × 1, all to ``n_out`` channels.

    Parameters
    ----------
    n_in, n_out, stride : int
    generator : torch.Generator
    """

    def __init__(self, n_in: int, n_out: int, stride: int, generator: Generator) -> None:
        super().__init__()
        self.first = convolution(n_in, n_out, 3, stride, 1, generator)
        self.second = convolution(n_out, n_out, 3, 1, 1, generator)
        self.shortcut = convolution(n_in, n_out, 1, stride, 0, generator)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, n_out) for _ in range(2))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, n_in, h, w) to (b, n_out, ⌈h / stride⌉, ⌈w / stride⌉)."""
        x = self.norms[0](self.first(inputs)).relu()
        return (self.norms[1](self.second(x)) + self.shortcut(inputs)).relu()


class PictureDown(nn.Module):
    """Rows of pixels → blocks that halve the side each → flat features.

    Parameters
    ----------
    picture : (height, width, channels)
    widths : sequence of int
        Channels after the first convolution and after each block.
    generator : torch.Generator

    Attributes
    ----------
    sides : list of (height, width)
        Before the first and after every block.
    n_outputs : int
    """

    def __init__(self, picture: Picture, widths: Sequence[int], generator: Generator) -> None:
        super().__init__()
        self.picture = picture
        height, width, channels = picture
        self.sides = [(height, width)]
        self.first = convolution(channels, widths[0], 3, 1, 1, generator)
        self.blocks = nn.ModuleList()
        for n_in, n_out in pairwise(widths):
            self.blocks.append(ConvolutionBlock(n_in, n_out, 2, generator))
            height, width = (height + 1) // 2, (width + 1) // 2
            self.sides.append((height, width))
        self.n_outputs = widths[-1] * height * width

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, height · width · channels) to (b, n_outputs)."""
        x = self.first(inputs.unflatten(1, self.picture).permute(0, 3, 1, 2)).relu()
        for block in self.blocks:
            x = block(x)
        return x.flatten(1)


class PictureUp(nn.Module):
    """The way back of `PictureDown`: a code → blocks, each after doubling the side → rows of pixels.

    Parameters
    ----------
    n_inputs : int
        Width of the code.
    down : PictureDown
    widths : sequence of int
        As of ``down``.
    generator : torch.Generator
    """

    def __init__(self, n_inputs: int, down: PictureDown, widths: Sequence[int], generator: Generator) -> None:
        super().__init__()
        self._sides = down.sides[::-1]
        self._start = (widths[-1], *self._sides[0])
        self.begin = linear(n_inputs, down.n_outputs, "fan_in", generator)
        self.blocks = nn.ModuleList(
            ConvolutionBlock(n_in, n_out, 1, generator) for n_in, n_out in pairwise(widths[::-1])
        )
        self.last = convolution(widths[0], down.picture[2], 3, 1, 1, generator)

    def forward(self, codes: Tensor) -> Tensor:
        """Map (b, n_inputs) to (b, height · width · channels)."""
        x = self.begin(codes).unflatten(1, self._start)
        for side, block in zip(self._sides[1:], self.blocks, strict=True):
            x = block(interpolate(x, size=side))
        return self.last(x).permute(0, 2, 3, 1).flatten(1)
