"""Random views of pictures by a recipe: moved, cropped, recoloured, blurred, a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from clustering.views.colour import blurred, recoloured
from clustering.views.pixels import PictureShape, as_pictures, as_rows, looked_at
from clustering.views.recipes import Recipe

NARROWEST = 3 / 4  # width to height of a crop, and its inverse


@dataclass(frozen=True)
class PictureViews:
    """Views of pictures written as rows of pixels.

    Every picture draws for itself; nothing waits for the device, and every call does the same work, so that
    a step with views in it can be recorded.

    Parameters
    ----------
    shape : PictureShape
    recipe : Recipe
    black, white : float
        The values between which pixels lie.
    """

    shape: PictureShape
    recipe: Recipe
    black: float = 0.0
    white: float = 1.0

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a view of each picture, (b, h·w·c) like the rows given."""
        recipe, span = self.recipe, (self.white - self.black) or 1.0
        pictures = (as_pictures(rows, self.shape) - self.black) / span
        pictures = moved(pictures, recipe, generator)
        if recipe.brightness or recipe.contrast or recipe.saturation or recipe.hue or recipe.grey:
            pictures = recoloured(pictures, recipe, generator)
        if recipe.blur:
            pictures = blurred(pictures, recipe.blur, generator)
        if recipe.noise:
            drawn = torch.empty_like(pictures).normal_(generator=generator)
            pictures = pictures + recipe.noise * drawn
        return as_rows(pictures.clamp(0, 1)) * span + self.black


def moved(pictures: Tensor, recipe: Recipe, generator: Generator) -> Tensor:
    """Return pictures (b, c, h, w) cropped, mirrored, turned, scaled, slanted and shifted in one go."""
    b, _, height, width = pictures.shape
    drawn = torch.rand(10, b, generator=generator, device=pictures.device, dtype=pictures.dtype)
    unit = drawn * 2 - 1  # −1 to 1
    middles = 2 * recipe.shift * unit[7:9]  # (2, b): across, down
    sides = torch.ones_like(middles)
    if recipe.crop < 1:
        log_area = (1 - (1 - recipe.crop) * drawn[0]).log()
        # As far from square as a crop of this area may be without being wider or higher than the picture.
        stretch = unit[1] * (-log_area).clamp(max=-math.log(NARROWEST))
        sides = torch.stack([log_area + stretch, log_area - stretch]).div(2).exp().clamp(max=1)
        middles = middles + (1 - sides) * unit[6::3]
    if recipe.flip:
        mirror = 1 - 2 * (drawn[2] < recipe.flip).to(drawn.dtype)
        sides = torch.stack([sides[0] * mirror, sides[1]])
    across, down = turned(recipe, unit[3], unit[4], unit[5], height / width) * sides
    return looked_at(
        pictures, torch.stack([*across, middles[0]], 1), torch.stack([*down, middles[1]], 1), recipe.outside
    )


def turned(recipe: Recipe, turn: Tensor, zoom: Tensor, slant: Tensor, aspect: float) -> Tensor:
    """Return how far places move by x and by y, across and down: (2, 2, b), or (2, 2, 1) alike for all.

    Places count half widths and half heights: a turn must know how these differ.
    """
    if not (recipe.degrees or recipe.zoom or recipe.shear):
        return torch.eye(2, device=turn.device, dtype=turn.dtype)[..., None]
    angle, scale, slant = turn * math.radians(recipe.degrees), 1 + zoom * recipe.zoom, slant * recipe.shear
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    places = [cosine, (cosine * slant - sine) * aspect, sine / aspect, sine * slant + cosine]
    return torch.stack(places).unflatten(0, (2, 2))
