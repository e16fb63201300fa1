"""What a manner is: a way to paint, and the series painted that way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.collections.samples.gallery.colours import Palette

Size = tuple[int, int]  # width, height in pixels


@dataclass(frozen=True)
class Painting:
    """A finished picture.

    Parameters
    ----------
    pixels : uint8 array (height, width, 3)
    shapes : int
        How many cells, dots, strands, stripes, forms or layers were painted, counted while painting.
    """

    pixels: NDArray[np.uint8]
    shapes: int


@dataclass(frozen=True)
class Series:
    """Pictures that belong together and change by one quality from the first to the last.

    Parameters
    ----------
    name : str
    palette : str
    size : (width, height)
    subject : str
        What is shown, or "abstract".
    evolves : str
        The quality that changes along the series.
    title : str
        May use {number}, {place}, {ordinal}, {roman}, {hour}, {colours}, {first_colour}, {shapes}.
    settings : mapping
        Arguments of the manner's painter; a pair of numbers runs from the first picture to the last.
    """

    name: str
    palette: str
    size: Size
    subject: str
    evolves: str
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def settings_at(self, share: float) -> dict[str, Any]:
        """Return the painter's arguments ``share`` (0 to 1) of the way through the series."""
        return {
            name: value[0] + (value[1] - value[0]) * share if isinstance(value, tuple) else value
            for name, value in self.settings.items()
        }


@dataclass(frozen=True)
class Manner:
    """A way to paint.

    Parameters
    ----------
    name : str
        What the metadata say.
    paint : callable
        ``paint(rng, palette, size, **settings)`` returns a `Painting`.
    series : tuple of Series
    """

    name: str
    paint: Callable[..., Painting]
    series: tuple[Series, ...]

    def painting(self, rng: np.random.Generator, series: Series, palette: Palette, share: float) -> Painting:
        """Paint the picture ``share`` of the way through a series."""
        return self.paint(rng, palette, series.size, **series.settings_at(share))
