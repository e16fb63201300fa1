"""What a view of a picture may change, and by how much: one recipe for every kind of picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clustering.views.pixels import Outside

PictureKind = Literal["digits", "artworks", "photographs"]
SMALLEST_CROP = 0.05  # of the area, however strong the views


@dataclass(frozen=True)
class Recipe:
    """The most a view changes; every picture draws its own amount of each.

    Parameters
    ----------
    crop : float
        Smallest share of the area that is kept and shown at full size; 1 keeps all of it.
    flip : float
        Chance that left and right change places.
    degrees, zoom, shift, shear : float
        Turned by so many degrees to either side, scaled by this share up or down, moved by this share of
        width and height, slanted by this much sideways for every step down.
    brightness, contrast, saturation, hue : float
        Light and colour change by a factor between 1 − amount and 1 + amount, the hue by this share of a turn
        to either side.
    colour_chance : float
        Chance that they change at all.
    grey : float
        Chance that only light and dark remain.
    blur : float
        Chance of a soft focus.
    noise : float
        Spread of what is added to every pixel, where black is 0 and white is 1.
    outside : {"zeros", "reflection"}
        What comes in from outside: black, or the picture mirrored at its edge.
    """

    crop: float = 1.0
    flip: float = 0.0
    degrees: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    colour_chance: float = 1.0
    grey: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    outside: Outside = "zeros"

    def scaled(self, strength: float) -> Recipe:
        """Return the same kind of change, ``strength`` times as much: 0 changes nothing.

        Chances grow no further than here from a strength of 1 on.
        """
        often = min(1.0, strength)
        return Recipe(
            crop=max(SMALLEST_CROP, 1 - (1 - self.crop) * strength),
            flip=self.flip * often,
            degrees=self.degrees * strength,
            zoom=min(0.9, self.zoom * strength),
            shift=self.shift * strength,
            shear=self.shear * strength,
            brightness=min(1.0, self.brightness * strength),
            contrast=min(1.0, self.contrast * strength),
            saturation=min(1.0, self.saturation * strength),
            hue=min(0.5, self.hue * strength),
            colour_chance=self.colour_chance,
            grey=self.grey * often,
            blur=self.blur * often,
            noise=self.noise * strength,
            outside=self.outside,
        )


RECIPES: dict[PictureKind, Recipe] = {
    # A mirrored or upside-down digit is another one, and so is half a digit.
    "digits": Recipe(degrees=15, zoom=0.12, shift=0.12, shear=0.15, brightness=0.2, noise=0.05),
    # The palette of a work is part of what it is: no colour is touched, and most of the picture stays.
    "artworks": Recipe(crop=0.3, flip=0.5, degrees=5, blur=0.2, outside="reflection"),
    # SimCLR's, as SCAN and CC have it.
    "photographs": Recipe(
        crop=0.2,
        flip=0.5,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.1,
        colour_chance=0.8,
        grey=0.2,
        blur=0.2,
        outside="reflection",
    ),
}

# FixMatch's light views: moved by up to four pixels of 32, and mirrored where that is the same kind.
LIGHT: dict[PictureKind, Recipe] = {
    "digits": Recipe(degrees=5, zoom=0.05, shift=0.05),
    "artworks": Recipe(flip=0.5, shift=0.125, outside="reflection"),
    "photographs": Recipe(flip=0.5, shift=0.125, outside="reflection"),
}
