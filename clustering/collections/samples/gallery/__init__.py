"""The generated gallery: 600 pictures in eight manners, painted here, with metadata that are true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.collections.samples.gallery import (
    circles,
    dots,
    drips,
    fields,
    hatching,
    landscapes,
    rectangles,
    stripes,
)
from clustering.collections.samples.gallery.colours import PALETTES, main_colours
from clustering.collections.samples.gallery.manner import Manner, Series
from clustering.collections.samples.gallery.titles import titled

MANNERS: tuple[Manner, ...] = (
    rectangles.MANNER,
    fields.MANNER,
    dots.MANNER,
    drips.MANNER,
    stripes.MANNER,
    circles.MANNER,
    hatching.MANNER,
    landscapes.MANNER,
)
PER_MANNER = 75
FIRST_SEED = 1_912_000  # picture number i is painted with seed FIRST_SEED + i and nothing else


@dataclass(frozen=True)
class Plan:
    """One picture before it is painted.

    Parameters
    ----------
    manner : Manner
    series : Series
    number : int
        Running number within the manner, from 1.
    place : int
        Place in the series, from 1.
    of : int
        Length of the series.
    seed : int
    """

    manner: Manner
    series: Series
    number: int
    place: int
    of: int
    seed: int

    @property
    def file(self) -> str:
        """Name of the picture's file."""
        return f"{self.manner.name.replace(' ', '-')}-{self.number:02d}.jpg"


def plans() -> list[Plan]:
    """Return all pictures in order: by manner, then series, then place."""
    found: list[Plan] = []
    for manner in MANNERS:
        lengths = _shared_out(PER_MANNER, len(manner.series))
        number = 0
        for series, length in zip(manner.series, lengths, strict=True):
            for place in range(1, length + 1):
                number += 1
                found.append(Plan(manner, series, number, place, length, FIRST_SEED + len(found)))
    return found


def painted(plan: Plan) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Paint one picture.

    Returns
    -------
    pixels : uint8 array (height, width, 3)
    metadata : dict
        file, title, manner, subject, palette, dominant_colour, dominant_hex, shapes, series, place_in_series,
        series_quality, format, seed.
    """
    share = (plan.place - 1) / max(1, plan.of - 1)
    rng = np.random.default_rng(plan.seed)
    painting = plan.manner.painting(rng, plan.series, PALETTES[plan.series.palette], share)
    colours = main_colours(painting.pixels)
    metadata = {
        "file": plan.file,
        "title": titled(plan.series, plan.number, plan.place, share, colours, painting.shapes),
        "manner": plan.manner.name,
        "subject": plan.series.subject,
        "palette": plan.series.palette,
        "dominant_colour": colours[0][0],
        "dominant_hex": colours[0][1],
        "shapes": painting.shapes,
        "series": plan.series.name,
        "place_in_series": plan.place,
        "series_quality": plan.series.evolves,
        "format": _format(plan.series.size),
        "seed": plan.seed,
    }
    return painting.pixels, metadata


def _shared_out(total: int, parts: int) -> list[int]:
    return [total // parts + (1 if part < total % parts else 0) for part in range(parts)]


def _format(size: tuple[int, int]) -> str:
    width, height = size
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"
