"""Light, colour and focus of pictures changed at random, each picture by its own amounts."""

from __future__ import annotations

import math

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
    the order and cuts after each. Grey pictures have neither saturation nor hue.
    """
    b, channels = pictures.shape[:2]
    drawn = torch.rand(6, b, 1, 1, 1, generator=generator, device=pictures.device, dtype=pictures.dtype)
    amount = (drawn[:4] * 2 - 1) * (drawn[4] < recipe.colour_chance)
    pictures = pictures * (1 + recipe.brightness * amount[0])
    middle = lightness(pictures).mean(dim=(2, 3), keepdim=True)
    pictures = middle + (pictures - middle) * (1 + recipe.contrast * amount[1])
    if channels == 1:
        return pictures
    colourful = (1 + recipe.saturation * amount[2]) * (drawn[5] >= recipe.grey)
    light = lightness(pictures)
    pictures = light + (pictures - light) * colourful
    return hue_turned(pictures, recipe.hue * amount[3].flatten()) if recipe.hue else pictures


def lightness(pictures: Tensor) -> Tensor:
    """Return how light each pixel is, (b, 1, h, w)."""
    if pictures.shape[1] == 1:
        return pictures
    return RED * pictures[:, :1] + GREEN * pictures[:, 1:2] + BLUE * pictures[:, 2:]


def hue_turned(pictures: Tensor, turns: Tensor) -> Tensor:
    """Return coloured pictures with every hue turned about the grey axis by (b,) whole turns.

    Lightness stays, and its two differences to red and blue, brought to the same scale (as in PAL's YUV), are
    turned like a pair of coordinates.
    """
    light = lightness(pictures)
    u = (pictures[:, 2:] - light) * (0.436 / (1 - BLUE))
    v = (pictures[:, :1] - light) * (0.615 / (1 - RED))
    angle = (turns * 2 * math.pi).view(-1, 1, 1, 1)
    cosine, sine = angle.cos(), angle.sin()
    red = light + (sine * u + cosine * v) * ((1 - RED) / 0.615)
    blue = light + (cosine * u - sine * v) * ((1 - BLUE) / 0.436)
    green = (light - RED * red - BLUE * blue) / GREEN
    return torch.cat([red, green, blue], dim=1)


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
    total = torch.zeros_like(shifted[0])
    for number, pictures in enumerate(shifted):
        total = total + pictures * weights[:, number].view(-1, 1, 1, 1)
    return total
