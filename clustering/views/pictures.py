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
    area = 1 - (1 - recipe.crop) * drawn[0]
    # As far from square as a crop of this area may be without being wider or higher than the picture.
    stretch = (-area.log()).clamp(max=-math.log(NARROWEST))
    half = torch.exp(unit[1] * stretch / 2)
    crop_x, crop_y = (area.sqrt() * half).clamp(max=1), (area.sqrt() / half).clamp(max=1)
    mirror = 1 - 2 * (drawn[2] < recipe.flip).to(drawn.dtype)
    angle, scale = unit[3] * math.radians(recipe.degrees), 1 + unit[4] * recipe.zoom
    slant = unit[5] * recipe.shear
    aspect = height / width
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    # Coordinates count half widths and half heights: a turn must know how these differ.
    middle_x = (1 - crop_x) * unit[6] + 2 * recipe.shift * unit[7]
    middle_y = (1 - crop_y) * unit[9] + 2 * recipe.shift * unit[8]
    across = torch.stack(
        [cosine * crop_x * mirror, (cosine * slant - sine) * aspect * crop_y, middle_x], dim=1
    )
    down = torch.stack([sine / aspect * crop_x * mirror, (sine * slant + cosine) * crop_y, middle_y], dim=1)
    return looked_at(pictures, across, down, recipe.outside)
