"""The operations strong views are made of: each changes every picture of a batch by an amount of its own.

Pictures are (b, c, h, w) of values 0 to 1, amounts (b,) from −1 to 1; 0 changes nothing where there is an
amount at all. As in Pillow where Pillow has it, but looked up and counted on the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from clustering.views.colour import lightness
from clustering.views.pixels import looked_at

Operation = Callable[[Tensor, Tensor], Tensor]
LEVELS = 256
FAINTEST = 0.05  # how much of a picture's colour, contrast, … stays at least


def unchanged(pictures: Tensor, amounts: Tensor) -> Tensor:  # noqa: ARG001
    """Return the pictures."""
    return pictures


def autocontrast(pictures: Tensor, amounts: Tensor) -> Tensor:  # noqa: ARG001
    """Stretch every channel from black to white; one of a single value stays."""
    low, high = pictures.amin(dim=(2, 3), keepdim=True), pictures.amax(dim=(2, 3), keepdim=True)
    stretched = (pictures - low) / (high - low).clamp_min(1e-6)
    return torch.where(high > low, stretched, pictures)


def equalize(pictures: Tensor, amounts: Tensor) -> Tensor:  # noqa: ARG001
    """Make all levels of every channel about equally frequent."""
    levels = _levels(pictures).flatten(2)  # (b, c, h·w)
    counts = torch.zeros(*levels.shape[:2], LEVELS, device=levels.device, dtype=torch.int64)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    last = counts.gather(2, levels.amax(dim=2, keepdim=True))
    step = (levels.shape[2] - last) // (LEVELS - 1)  # as Pillow: the lightest level does not count
    table = (counts.cumsum(dim=2) - counts + step // 2) // step.clamp_min(1)
    new = table.clamp(0, LEVELS - 1).gather(2, levels)
    new = torch.where(step > 0, new, levels)
    return (new / (LEVELS - 1)).to(pictures.dtype).view_as(pictures)


def posterize(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Keep only the first 4 to 8 bits of every level."""
    kept = torch.round(8 - 4 * amounts.abs()).view(-1, 1, 1, 1).long()
    coarse = torch.ones_like(kept) << (8 - kept)
    levels = _levels(pictures)
    return ((levels - levels % coarse) / (LEVELS - 1)).to(pictures.dtype)


def solarize(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Invert what is lighter than a threshold."""
    threshold = (1 - amounts.abs()).view(-1, 1, 1, 1)
    return torch.where(pictures > threshold, 1 - pictures, pictures)


def colour(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Fade colours to grey."""
    return _faded(pictures, lightness(pictures), amounts)


def contrast(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Fade to the mean lightness."""
    return _faded(pictures, lightness(pictures).mean(dim=(2, 3), keepdim=True), amounts)


def brightness(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Fade to black."""
    return _faded(pictures, torch.zeros_like(pictures), amounts)


def sharpness(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Fade to a smoothed picture; the outermost pixels stay."""
    if min(pictures.shape[2:]) < 3:
        return pictures
    inner = (..., slice(1, -1), slice(1, -1))
    smooth = pictures.clone()
    smooth[inner] = (9 * avg_pool2d(pictures, 3, stride=1) + 4 * pictures[inner]) / 13  # the middle counts 5
    return _faded(pictures, smooth, amounts)


def rotate(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Turn by up to 30 degrees to either side."""
    angle = amounts * math.radians(30)
    aspect = pictures.shape[2] / pictures.shape[3]
    return _moved(pictures, angle.cos(), -angle.sin() * aspect, angle.sin() / aspect, angle.cos())


def shear_x(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Slant sideways by up to a tenth of the height."""
    one = torch.ones_like(amounts)
    return _moved(pictures, one, 0.1 * amounts, 0 * one, one)


def shear_y(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Slant up or down by up to a tenth of the width."""
    one = torch.ones_like(amounts)
    return _moved(pictures, one, 0 * one, 0.1 * amounts, one)


def translate_x(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Move sideways by up to a tenth of the width."""
    one = torch.ones_like(amounts)
    return _moved(pictures, one, 0 * one, 0 * one, one, x=0.2 * amounts)


def translate_y(pictures: Tensor, amounts: Tensor) -> Tensor:
    """Move up or down by up to a tenth of the height."""
    one = torch.ones_like(amounts)
    return _moved(pictures, one, 0 * one, 0 * one, one, y=0.2 * amounts)


OPERATIONS: tuple[Operation, ...] = (
    unchanged,
    autocontrast,
    equalize,
    rotate,
    solarize,
    colour,
    contrast,
    brightness,
    sharpness,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    posterize,
)
MOVES: tuple[Operation, ...] = (unchanged, rotate, shear_x, shear_y, translate_x, translate_y, sharpness)


def _levels(pictures: Tensor) -> Tensor:
    return (pictures * (LEVELS - 1)).round().long().clamp(0, LEVELS - 1)


def _faded(pictures: Tensor, towards: Tensor, amounts: Tensor) -> Tensor:
    stays = (1 - (1 - FAINTEST) * amounts.abs()).view(-1, 1, 1, 1)
    return towards + (pictures - towards) * stays


def _moved(
    pictures: Tensor,
    x_by_x: Tensor,
    x_by_y: Tensor,
    y_by_x: Tensor,
    y_by_y: Tensor,
    x: Tensor | None = None,
    y: Tensor | None = None,
) -> Tensor:
    none = torch.zeros_like(x_by_x)
    across = torch.stack([x_by_x, x_by_y, none if x is None else x], dim=1)
    down = torch.stack([y_by_x, y_by_y, none if y is None else y], dim=1)
    return looked_at(pictures, across, down)
