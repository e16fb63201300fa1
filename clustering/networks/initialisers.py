"""Initial weights drawn from a given generator, so that a fit never touches the global random state."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, nn

Initialiser = Literal["fan_in", "he", "normal"]


def linear(n_in: int, n_out: int, initialiser: Initialiser, generator: Generator) -> nn.Linear:
    """Return a linear layer with drawn weights and zero bias.

    Parameters
    ----------
    n_in, n_out : int
    initialiser : {"fan_in", "he", "normal"}
        ``fan_in``: uniform in ±√(1/n_in), DEC-keras' choice; torch's own default also draws the bias and
        ends .1 lower in accuracy on MNIST. ``he``: uniform in ±√(6/n_in) (He et al. 2015), which keeps the
        spread of what passes through layers with ReLU. ``normal``: N(0, .01), the original layer-wise
        pretraining.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    """
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out)
    with torch.no_grad():
        if initialiser in ("fan_in", "he"):
            bound = _bound(n_in, initialiser)
            layer.weight.uniform_(-bound, bound, generator=generator)
        else:
            layer.weight.normal_(0.0, 0.01, generator=generator)
        layer.bias.zero_()
    return layer


def convolution(
    n_in: int,
    n_out: int,
    side: int,
    stride: int,
    padding: int,
    generator: Generator,
    initialiser: Literal["fan_in", "he"] = "fan_in",
) -> nn.Conv2d:
    """Return a square convolution with drawn weights and zero bias.

    Parameters
    ----------
    n_in, n_out, side, stride, padding : int
    initialiser : {"fan_in", "he"}
        Uniform as in `linear`, with side² n_in inputs.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    """
    layer: nn.Conv2d = nn.utils.skip_init(
        nn.Conv2d, n_in, n_out, kernel_size=side, stride=stride, padding=padding
    )
    _draw(layer, side**2 * n_in, initialiser, generator)
    return layer


def transposed_convolution(
    n_in: int,
    n_out: int,
    side: int,
    stride: int,
    padding: int,
    output_padding: tuple[int, int],
    generator: Generator,
    initialiser: Literal["fan_in", "he"] = "fan_in",
) -> nn.ConvTranspose2d:
    """Return a square transposed convolution, drawn as `convolution` is.

    Parameters
    ----------
    n_in, n_out, side, stride, padding : int
    output_padding : (int, int)
        Pixels added below and on the right, which the convolution it mirrors had rounded away.
    generator : torch.Generator
        On the CPU.
    """
    layer: nn.ConvTranspose2d = nn.utils.skip_init(
        nn.ConvTranspose2d,
        n_in,
        n_out,
        kernel_size=side,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
    )
    _draw(layer, side**2 * n_in, initialiser, generator)
    return layer


def _draw(
    layer: nn.Conv2d | nn.ConvTranspose2d, n_inputs: int, initialiser: Initialiser, generator: Generator
) -> None:
    bound = _bound(n_inputs, initialiser)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def _bound(n_inputs: int, initialiser: Initialiser) -> float:
    return float(((6 if initialiser == "he" else 1) / n_inputs) ** 0.5)
