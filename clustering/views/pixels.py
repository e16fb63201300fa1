"""Rows of pixels read as pictures and written back, and pictures shown through a moved window."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

Outside = Literal["zeros", "reflection"]


class PictureShape(NamedTuple):
    """Channels, height and width of a picture written as one row of pixels, a pixel's channels together."""

    channels: int
    height: int
    width: int


def picture_shape(n_features: int) -> PictureShape | None:
    """Return the square picture a row of pixels is, grey or in three colours, or None when it is neither."""
    for channels in (1, 3):
        side = math.isqrt(n_features // channels)
        if side >= 4 and channels * side**2 == n_features:
            return PictureShape(channels, side, side)
    return None


def as_pictures(rows: Tensor, shape: PictureShape) -> Tensor:
    """Return rows (b, h·w·c), as the encoder of pixels writes them, as pictures (b, c, h, w)."""
    channels, height, width = shape
    return rows.view(-1, height, width, channels).permute(0, 3, 1, 2)


def as_rows(pictures: Tensor) -> Tensor:
    """Return pictures (b, c, h, w) as rows (b, h·w·c)."""
    return pictures.permute(0, 2, 3, 1).flatten(1)


def looked_at(pictures: Tensor, across: Tensor, down: Tensor, outside: Outside = "zeros") -> Tensor:
    """Return what each picture shows where a point (x, y) is looked up at (across, down) · (x, y, 1).

    Coordinates run from −1 to 1 over the width and the height; outside, a picture is 0 or its own reflection.

    Parameters
    ----------
    pictures : Tensor (b, c, h, w)
    across, down : Tensor (b, 3)
    """
    window = torch.stack([across, down], dim=1)  # (b, 2, 3)
    y, x = (_middles(length, pictures) for length in pictures.shape[2:])
    # By hand, because affine_grid multiplies matrices: in bfloat16 that would miss by parts of a pixel.
    lines = torch.addcmul(window[..., 2:], window[..., 1:2], y)  # (b, 2, h)
    grid = torch.addcmul(lines[..., None], window[..., :1, None], x)  # (b, 2, h, w)
    return grid_sample(pictures, grid.permute(0, 2, 3, 1), padding_mode=outside, align_corners=False)


def _middles(length: int, like: Tensor) -> Tensor:
    """Return where the middles of so many pixels lie from −1 to 1."""
    edge = 1 - 1 / length
    return torch.linspace(-edge, edge, length, device=like.device, dtype=like.dtype)
