"""Light, colour and focus of pictures changed at random, each picture by its own amounts."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from clustering.views.recipes import Recipe

RED, GREEN, BLUE = 0.299, 0.587, 0.114  # how much each adds to lightness
SOFTEST = 2 / 224  # of the side: the widest spread of a blur, as published
SHARP = 1e-3  # pixels: a blur of this spread changes nothing


def recoloured(pictures: Tensor, recipe: Recipe, generator: Generator) -> Tensor:
    """Return pictures (b, c, h, w) of values 0 to 1 in another light.

    Brightness, contrast, saturation and hue in this order, with nothing cut off in between; torchvision draws
    the order and cuts after each. Grey pictures have neither saturation nor hue. Each of these is linear in
    the colour of a pixel, so all become one mixture of a picture's channels.
    """
    b, channels = pictures.shape[:2]
    drawn = torch.rand(6, b, generator=generator, device=pictures.device, dtype=pictures.dtype)
    amount = (drawn[:4] * 2 - 1) * (drawn[4] < recipe.colour_chance)
    bright, stark = 1 + recipe.brightness * amount[0], 1 + recipe.contrast * amount[1]
    middle = bright * lightness(pictures.mean(dim=(2, 3), keepdim=True)).flatten()
    offset, factor = (middle * (1 - stark)).view(-1, 1, 1, 1), bright * stark
    if channels == 1:
        return torch.addcmul(offset, pictures, factor.view(-1, 1, 1, 1))
    vivid = (1 + recipe.saturation * amount[2]) * (drawn[5] >= recipe.grey)
    return mixed(pictures, factor, factor * vivid, recipe.hue * amount[3], offset)


def lightness(pictures: Tensor) -> Tensor:
    """Return how light each pixel is, (b, 1, h, w)."""
    if pictures.shape[1] == 1:
        return pictures
    return RED * pictures[:, :1] + GREEN * pictures[:, 1:2] + BLUE * pictures[:, 2:]


def mixed(pictures: Tensor, light: Tensor, colour: Tensor, turns: Tensor, offset: Tensor) -> Tensor:
    """Return each pixel's lightness times ``light``, its turned colour times ``colour``, and an offset.

    Colour is what a pixel differs from its lightness by. Lightness stays when it is turned about the grey
    axis: its two differences to red and blue, brought to the same scale (as in PAL's YUV), turn like two
    coordinates.

    Parameters
    ----------
    pictures : Tensor (b, 3, h, w)
    light, colour : Tensor (b,)
    turns : Tensor (b,)
        Whole turns of the hue.
    offset : Tensor (b, 1, 1, 1)
    """
    angle = turns * (2 * math.pi)
    shares = torch.stack([light, colour * angle.cos(), colour * angle.sin()], dim=1)  # (b, 3)
    parts = _parts_of_colour(pictures.device, pictures.dtype)
    mixture = (shares[:, :, None, None] * parts).sum(dim=1)[..., None, None]  # (b, 3 to, 3 from, 1, 1)
    for channel in range(3):
        offset = torch.addcmul(offset, pictures[:, channel, None], mixture[:, :, channel])
    return offset


@cache
def _parts_of_colour(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return what makes of a colour its grey, its difference to that, and this turned by a right angle."""
    lights = torch.tensor([RED, GREEN, BLUE], dtype=torch.float64)
    grey = lights.expand(3, 3)
    colour = torch.eye(3, dtype=torch.float64) - grey
    u, v = colour[2] * (0.436 / (1 - BLUE)), colour[0] * (0.615 / (1 - RED))
    red, blue = u * ((1 - RED) / 0.615), -v * ((1 - BLUE) / 0.436)
    turned = torch.stack([red, -(RED * red + BLUE * blue) / GREEN, blue])
    # Kept, because nothing may be carried to the device while a step is recorded.
    return torch.stack([grey, colour, turned]).to(device, dtype)


def blurred(pictures: Tensor, chance: float, generator: Generator) -> Tensor:
    """Return pictures of which a share is in soft focus, each by a Gaussian of its own spread."""
    b, _, height, width = pictures.shape
    widest = SOFTEST * max(height, width)
    drawn = torch.rand(2, b, generator=generator, device=pictures.device, dtype=pictures.dtype)
    spread = SHARP + drawn[1] * (widest - SHARP) * (drawn[0] < chance)
    reach = min(math.ceil(2 * widest), height - 1, width - 1)
    steps = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    weights = torch.softmax(-(steps**2) / (2 * spread[:, None] ** 2), dim=1)  # (b, 2 · reach + 1)
    wide = pad(pictures, (reach, reach, 0, 0), mode="replicate")
    pictures = _weighed([wide[..., at : at + width] for at in range(2 * reach + 1)], weights)
    high = pad(pictures, (0, 0, reach, reach), mode="replicate")
    return _weighed([high[..., at : at + height, :] for at in range(2 * reach + 1)], weights)


def _weighed(shifted: list[Tensor], weights: Tensor) -> Tensor:
    shares = weights.view(*weights.shape, 1, 1, 1)
    total = shifted[0] * shares[:, 0]
    for number, pictures in enumerate(shifted[1:], start=1):
        total = torch.addcmul(total, pictures, shares[:, number])
    return total
