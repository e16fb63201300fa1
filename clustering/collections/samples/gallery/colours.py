"""Palettes shared by all manners, and plain names for colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """A handful of colours that go together.

    Parameters
    ----------
    name : str
    ground : colour
        Paper or primed canvas.
    dark : colour
        What stands in for black.
    colours : tuple of colours
        From the quietest to the loudest.
    """

    name: str
    ground: Colour
    dark: Colour
    colours: tuple[Colour, ...]


def _palette(name: str, ground: str, dark: str, *colours: str) -> Palette:
    return Palette(name, _rgb(ground), _rgb(dark), tuple(_rgb(colour) for colour in colours))


def _rgb(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        _palette("primary", "F1ECDF", "1B1A1C", "D9D5C9", "E9B82B", "20468C", "C7321E"),
        _palette("harbour", "E9E2D2", "1E2A36", "B9C4C6", "6F8C9B", "2F5673", "B4532E", "E0A15A"),
        _palette("ember", "E8CDAE", "2A1214", "7A2B22", "A33A1F", "D0601F", "E9963A", "4A1B28"),
        _palette("orchard", "EFE6CE", "2C2A1C", "A8AD7C", "6E7F4A", "D7A73F", "A9502E", "45572F"),
        _palette("night", "CFD2D3", "0E1526", "1B2A4A", "28507A", "3E7C8C", "E7CF7A", "8D93B8"),
        _palette("chalk", "F4EFE9", "4A4648", "DCC9C4", "C6D2CC", "B5BFCF", "E0B9A3", "8F8C99"),
        _palette("meadow", "F2EFD9", "23351F", "A9C27A", "6AA05A", "E6C84A", "7FB3C9", "D9744A"),
        _palette("ink", "EFE7D6", "211C1A", "8A8072", "5B5148", "B7A88E", "3A332E"),
        _palette("dusk", "EAD9D2", "241B33", "5D4A7A", "A2627F", "E39A78", "F2C48D", "394A6D"),
        _palette("sea", "EDE8D8", "0F2E33", "9CC7C1", "4A9A9B", "1F6573", "E3C48C", "D98A6A"),
        _palette("terracotta", "F0E0CC", "33201A", "C98B6B", "A85A3C", "E0B48A", "6B7F78", "7A3B2B"),
        _palette("frost", "F1F3F2", "2A3440", "D3DEE3", "A8C0CF", "7394AD", "C9B8C4", "4C6580"),
        _palette("carnival", "F6EFE2", "211A2B", "F0B7B0", "F2C230", "2A9D8F", "E4572E", "6C4AB6"),
    )
}

# Reference points for plain colour names, sRGB.
NAMED: dict[str, str] = {
    "black": "17161A",
    "charcoal": "3B3A40",
    "grey": "86868A",
    "silver": "BCBEC0",
    "white": "F6F5F2",
    "cream": "EDE3CC",
    "sand": "D9BE92",
    "brown": "6B4226",
    "rust": "A24C28",
    "maroon": "5E1F22",
    "red": "C4311F",
    "rose": "C77A8A",
    "pink": "EBBFBC",
    "orange": "E08A35",
    "ochre": "CF9A34",
    "yellow": "EBC93F",
    "olive": "6F7239",
    "green": "4F9152",
    "sage": "A9B68C",
    "teal": "2C7F84",
    "aqua": "9CCBC6",
    "light blue": "A6C1D3",
    "slate": "5F7A90",
    "blue": "2A5592",
    "navy": "1A2747",
    "violet": "5F4787",
    "lilac": "A79BC0",
}


def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return colours in Oklab, where equal distances look equally different (Ottosson 2020).

    Parameters
    ----------
    rgb : array (..., 3)
        sRGB between 0 and 1.
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cone = np.cbrt(
        linear
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return cone @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


_NAMES = tuple(NAMED)
_POINTS = oklab(np.array([_rgb(text) for text in NAMED.values()]) / 255)


def main_colours(pixels: NDArray[np.uint8]) -> list[tuple[str, str, float]]:
    """Return the colours of a picture by plain name, most frequent first.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)

    Returns
    -------
    list of (name, hex, share)
        ``hex`` is the mean of the pixels that carry the name, ``share`` their part of the picture.
    """
    sample = pixels[::4, ::4].reshape(-1, 3) / 255
    distances = ((oklab(sample)[:, None, :] - _POINTS[None]) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(_NAMES))
    found = []
    for index in np.argsort(-counts, kind="stable"):
        if counts[index]:
            mean = (sample[nearest == index].mean(axis=0) * 255).round().astype(int)
            hexed = "#{:02x}{:02x}{:02x}".format(*mean)
            found.append((_NAMES[index], hexed, float(counts[index] / len(sample))))
    return found


def striking_colours(colours: list[tuple[str, str, float]]) -> list[str]:
    """Return the two names a person would put in a title: vivid or dark ones before the ground they lie on.

    Parameters
    ----------
    colours : list of (name, hex, share)
        As `main_colours` gives them.
    """

    def weight(entry: tuple[str, str, float]) -> float:
        lightness, *opponents = oklab(np.array(_rgb(entry[1][1:])) / 255)
        vividness = 0.004 + float(np.hypot(*opponents)) + (0.15 if lightness < 0.4 else 0.0)
        return entry[2] ** 0.7 * vividness * (0.3 if lightness > 0.85 else 1.0)

    return [name for name, _, share in sorted(colours, key=weight, reverse=True)[:2] if share > 0.01]
