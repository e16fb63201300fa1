"""Stripes that swell and bend until they shimmer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.collections.samples.gallery.colours import Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import (
    as_float,
    averaged,
    brush_marks,
    enlarged,
    on_canvas,
    on_paper,
)


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    stripes: float = 24,
    bend: float = 0.5,
    waves: float = 1.5,
    swell: float = 0.3,
    turn: float = 0.0,
    colours: str = "dg",
    course: str = "wave",
) -> Painting:
    """Lay bands side by side along a course that bends.

    Parameters
    ----------
    stripes : float
        How many fit across the canvas.
    bend : float
        How far each stripe leaves its straight way, in parts of the canvas; 0 keeps it straight.
    waves : float
        Bends along a stripe.
    swell : float
        How much stripes narrow and widen across the canvas.
    turn : float
        Direction of the stripes in degrees; 0 is upright.
    colours : str
        Indices of palette colours in their order across; ``d`` is the dark, ``g`` the ground.
    course : {"wave", "lens", "fan"}
        Waves, a lens that bulges in the middle, or a fan from one corner.
    """
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    longest = max(width, height)
    x, y = (columns - width / 2) / longest, (rows - height / 2) / longest
    angle = np.deg2rad(turn)
    across = x * np.cos(angle) + y * np.sin(angle)
    along = y * np.cos(angle) - x * np.sin(angle)
    start = rng.uniform(0, 2 * np.pi)
    if course == "lens":
        distance = np.hypot(across * 1.15, along)
        across = across * (1 - bend * 0.75 * np.exp(-((distance / 0.27) ** 2)))
    elif course == "fan":
        pole = 0.9 - 0.35 * bend
        across = np.arctan2(across, along + pole) * (0.55 + 0.2 * bend) + 0.04 * bend * np.sin(
            along * 9 + start
        )
    else:
        across = across + bend * 0.09 * np.sin(along * waves * 2 * np.pi + start + across * 3.0)
        across = across + bend * 0.03 * np.sin(along * waves * 3.7 * np.pi + 2 * start)
    phase = across + swell * 0.045 * np.sin(across * 2 * np.pi * 2.2 + start)
    band = np.floor(enlarged(phase * np.float32(stripes))).astype(np.int32)
    order = _order(palette, colours)
    picture = averaged(order[band % len(order)])
    marks = brush_marks(rng, picture.shape[:2], upright=abs(turn) < 45, size=4)[..., None] * 0.008
    surface = on_paper if len(order) == 2 else on_canvas
    return Painting(surface(rng, picture + marks, 0.75), _visible(band))


def _visible(band: NDArray[np.int32]) -> int:
    """Return how many bands there are, slivers at the edge not counted."""
    return int(np.count_nonzero(np.bincount((band - band.min()).ravel()) > 0.002 * band.size))


def _order(palette: Palette, colours: str) -> np.ndarray:
    named = {"d": palette.dark, "g": palette.ground}
    return np.stack([as_float(named[key] if key in named else palette.colours[int(key)]) for key in colours])


MANNER = Manner(
    "stripes",
    paint,
    (
        Series(
            *("Current", "ink", (300, 360), "abstract", "straight lines begin to flow"),
            "Current {place}",
            {"stripes": 44, "bend": (0.0, 1.1), "waves": 1.4, "swell": 0.2, "turn": 90, "colours": "dg"},
        ),
        Series(
            *("Lens", "night", (336, 336), "abstract", "the middle bulges"),
            "Lens, {ordinal} state",
            {"stripes": 40, "bend": (0.0, 0.95), "swell": 0.0, "colours": "dg", "course": "lens"},
        ),
        Series(
            *("Tide", "sea", (360, 252), "abstract", "the tide rises: more and narrower stripes"),
            "Tide {roman}",
            {"stripes": (14, 60), "bend": 0.6, "waves": 1.2, "swell": 0.7, "turn": 84, "colours": "g0d1g32"},
        ),
        Series(
            *("Awning", "carnival", (360, 288), "abstract", "the stripes turn"),
            "Awning, {shapes} stripes",
            {"stripes": 30, "bend": 0.12, "waves": 0.8, "swell": 0.5, "turn": (0, 78), "colours": "g3g1g2g4"},
        ),
        Series(
            *("Fan", "dusk", (288, 360), "abstract", "the fan opens"),
            "Fan in {colours}",
            {"stripes": 46, "bend": (0.0, 1.2), "swell": 0.25, "colours": "d1320", "course": "fan"},
        ),
        Series(
            *("Ploughed", "orchard", (240, 360), "abstract", "widths begin to swell"),
            "Ploughed, no. {place}",
            {"stripes": 34, "bend": 0.35, "waves": 1.0, "swell": (0.0, 1.5), "turn": 8, "colours": "4g12g3"},
        ),
    ),
)
