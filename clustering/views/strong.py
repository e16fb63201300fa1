"""Strong views: a few operations drawn at random for every picture, then a piece cut out (RandAugment)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from clustering.views.operations import MOVES, OPERATIONS, Operation
from clustering.views.pixels import PictureShape, as_pictures, as_rows
from clustering.views.recipes import PictureKind

N_OPERATIONS = 4  # a picture, drawn with replacement: SCAN


@dataclass(frozen=True)
class StrongViews:
    """Four operations a picture, then Cutout, on pictures written as rows of pixels.

    Parameters
    ----------
    shape : PictureShape
    kind : {"photographs", "artworks", "digits"}
        Photographs may be mirrored and recoloured; the others are only moved and cut.
    strength : float
        From 0, where nothing is changed, to 1, as published: how often an operation is used, and how far.
    black, white : float
        The values between which pixels lie.

    Notes
    -----
    The list of SCAN (Van Gansbeke et al. 2020), amounts uniform in their range. FixMatch draws from nearly
    the same operations.
    """

    shape: PictureShape
    kind: PictureKind = "photographs"
    strength: float = 1.0
    black: float = 0.0
    white: float = 1.0

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a strong view of each picture, (b, h·w·c) like the rows given."""
        span = (self.white - self.black) or 1.0
        pictures = ((as_pictures(rows, self.shape) - self.black) / span).clamp(0, 1)
        if self.kind != "digits":
            pictures = mirrored(pictures, 0.5 * min(1.0, self.strength), generator)
        choice = OPERATIONS if self.kind == "photographs" else MOVES
        for _ in range(N_OPERATIONS):
            pictures = one_each(pictures, choice, self.strength, generator).clamp(0, 1)
        pictures = cut_out(pictures, 0.5 * self.strength, generator)
        return as_rows(pictures) * span + self.black


def mirrored(pictures: Tensor, chance: float, generator: Generator) -> Tensor:
    """Return pictures of which a share is mirrored."""
    drawn = torch.rand(len(pictures), 1, 1, 1, generator=generator, device=pictures.device)
    return torch.where(drawn < chance, pictures.flip(3), pictures)


def one_each(
    pictures: Tensor, operations: tuple[Operation, ...], strength: float, generator: Generator
) -> Tensor:
    """Return each picture (b, c, h, w) changed by one of the operations, all alike likely.

    Every operation has the same number of places and each picture draws one of all these: so the shapes are
    ever the same, nothing is counted on the host, and every operation sees one picture in so many.
    """
    b, device = len(pictures), pictures.device
    places = -(-b // len(operations))  # an operation
    drawn = torch.rand(places * len(operations), generator=generator, device=device)
    place_of = drawn.argsort()[:b]
    holder = torch.zeros(len(drawn), dtype=torch.int64, device=device)  # empty places hold the first picture
    holder[place_of] = torch.arange(b, device=device)
    amounts = strength * (2 * torch.rand(len(drawn), generator=generator, device=device) - 1)
    held = pictures[holder].split(places)
    done = [
        operation(*pair) for operation, *pair in zip(operations, held, amounts.split(places), strict=True)
    ]
    used = torch.rand(b, 1, 1, 1, generator=generator, device=device) < strength
    return torch.where(used, torch.cat(done)[place_of], pictures)


def cut_out(pictures: Tensor, widest: float, generator: Generator) -> Tensor:
    """Return pictures with one square of up to ``widest`` times the side replaced by the picture's mean."""
    b, _, height, width = pictures.shape
    drawn = torch.rand(3, b, 1, 1, 1, generator=generator, device=pictures.device, dtype=pictures.dtype)
    half = drawn[0] * widest / 2
    y = (torch.arange(height, device=pictures.device, dtype=pictures.dtype) + 0.5).view(-1, 1) / height
    x = (torch.arange(width, device=pictures.device, dtype=pictures.dtype) + 0.5).view(1, -1) / width
    inside = ((y - drawn[1]).abs() < half) & ((x - drawn[2]).abs() < half)  # (b, 1, h, w)
    return torch.where(inside, pictures.mean(dim=(2, 3), keepdim=True), pictures)
