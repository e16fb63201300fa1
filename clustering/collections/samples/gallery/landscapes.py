"""Landscapes in layers, each range paler than the one before it."""

from __future__ import annotations

import numpy as np

from clustering.collections.samples.gallery.colours import Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import (
    Field,
    as_float,
    brush_marks,
    cloudy,
    on_canvas,
    on_paper,
    smooth_noise,
)
from clustering.collections.samples.gallery.scenes import in_the_light_of, ramp


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    layers: float = 5,
    hour: float = 0.4,
    mist: float = 0.4,
    ruggedness: float = 0.5,
    water: int = 0,
    trees: float = 0,
    paper: int = 0,
) -> Painting:
    """Stack ranges from the far and pale to the near and dark under a sky of that hour.

    Parameters
    ----------
    layers : float
        How many ranges.
    hour : float
        From 0 (dawn) through noon to 1 (night).
    mist : float
        How much white lies between the ranges.
    ruggedness : float
        0 gives dunes, 1 crags.
    water : int
        1 lets the foot of the picture be a lake that mirrors the ranges.
    trees : float
        Firs along the nearest range.
    paper : int
        1 for a wash on paper, 0 for oil on canvas.
    """
    width, height = size
    count = max(1, round(layers))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = rows / height, columns / width
    horizon = rng.uniform(0.40, 0.48) if not water else rng.uniform(0.33, 0.38)
    foot = 0.72 if water else 1.0
    picture = _sky(rng, palette, y)
    open_sky = np.ones((height, width, 1), dtype=np.float32)
    far, near = as_float(palette.colours[0]), as_float(palette.dark)
    body = [far, *(as_float(palette.colours[k]) for k in (1, 2) if k < len(palette.colours)), near]
    shapes = 1  # the sun or the moon
    for layer in range(count):
        share = (layer + 0.6) / count
        crest = horizon + (foot - horizon) * share * 0.72 - _ridge(rng, width, ruggedness, share)
        if layer == count - 1 and trees >= 1:
            firs, drawn = _firs(rng, width, round(trees), height)
            crest = crest - firs
            shapes += drawn
        depth = y - crest[None, :]
        cover = (1 / (1 + np.exp(-np.clip(depth * height * 2.2, -30, 30))))[..., None]
        colour = ramp(body, np.full(1, 0.12 + 0.8 * share, dtype=np.float32))[0]
        air = as_float(palette.ground) * 0.55 + 0.42
        veil = (mist * (1 - share * 0.6) * np.clip(depth / (foot - horizon) * 3.2, 0, 1) ** 1.5)[..., None]
        grain = smooth_noise(rng, (height, width), 40, 26)[..., None] * 0.014
        slope = colour + grain + 0.02 * (1 - share)
        picture = picture * (1 - cover) + (slope * (1 - veil) + air * veil) * cover
        open_sky = open_sky * (1 - cover)
        shapes += 1
    picture = _with_sun(rng, in_the_light_of(picture, hour), open_sky, y, x, hour, height / width)
    if water:
        picture = _mirrored(rng, picture, y, foot, in_the_light_of(as_float(palette.colours[2]), hour))
        shapes += 1
    if paper:
        wash = cloudy(rng, (height, width), 5, 4)[..., None] * 0.028
        return Painting(on_paper(rng, picture * 0.9 + 0.09 + wash, 1.2), shapes)
    stroke = (
        brush_marks(rng, (height, width), size=4) * 0.010 + cloudy(rng, (height, width), 14, 3) * 0.012
    )[..., None]
    return Painting(on_canvas(rng, picture + stroke, 1.1), shapes)


def _sky(rng: np.random.Generator, palette: Palette, y: Field) -> Field:
    """Return the sky with its clouds."""
    high = (
        as_float(palette.colours[min(3, len(palette.colours) - 1)]) * 0.55 + as_float(palette.ground) * 0.38
    )
    low = as_float(palette.ground)
    picture = ramp([high, low, low * 0.97 + 0.03], np.clip(y / 0.6, 0, 1))
    # clouds lie: three times as many bumps up as across, finer ones on top
    shape = y.shape
    clouds = np.sum([smooth_noise(rng, shape, 7 * 2**k, 2.2 * 2**k) / 1.8**k for k in range(4)], axis=0)
    streaks = np.clip((clouds - 0.2) * 0.42, 0, 0.8)[..., None] * np.clip(1.15 - y / 0.5, 0, 1)[..., None]
    return np.asarray(picture * (1 - streaks) + (low * 0.45 + 0.55) * streaks, dtype=np.float32)


def _with_sun(
    rng: np.random.Generator, picture: Field, open_sky: Field, y: Field, x: Field, hour: float, tall: float
) -> Field:
    """Return the picture with the sun of that hour, or the moon, and their glow where the sky is open."""
    # the sun climbs until noon and sinks after; by night the moon stands where it stood in the morning
    night = hour > 0.85
    height_ = 0.17 if night else 0.41 - 0.29 * np.sin(np.pi * hour / 0.85)
    sun_x = 0.15 + 0.7 * (hour / 0.85 if hour < 0.85 else 0.8) + rng.normal(0, 0.02)
    distance = np.hypot(x - sun_x, (y - height_) * tall)
    radius = 0.030 if night else 0.037
    disc = (1 / (1 + np.exp(-np.clip((radius - distance) * 500, -30, 30))))[..., None]
    glow = (0.62 * np.exp(-distance / 0.20) + 0.25 * np.exp(-(((y - height_ - 0.1) / 0.16) ** 2)))[..., None]
    low_sun = 0.0 if night else min(1.0, abs(hour - 0.42) / 0.4)
    white, red = np.array([1.0, 0.97, 0.88]), np.array([1.0, 0.62, 0.32])
    warm = (white * (1 - low_sun) + red * low_sun).astype(np.float32)
    reach = 0.62 if night else 0.5 + 0.5 * low_sun
    glow = glow * reach * (0.25 + 0.75 * open_sky)
    disc = disc * open_sky
    lit = picture * (1 - glow) + warm * glow
    return np.asarray(lit * (1 - disc) + (warm * 0.7 + 0.3) * disc, dtype=np.float32)


def _ridge(rng: np.random.Generator, width: int, ruggedness: float, share: float) -> Field:
    """Return the height of a range above its foot for each column."""
    wide = smooth_noise(rng, (4, width), 1, 3 + 3 * share)[2] * 0.055
    total = wide * (0.6 + 0.4 * ruggedness)
    for octave in range(1, 6):
        bumps = (4 + 2 * share) * 2**octave
        wave = smooth_noise(rng, (4, width), 1, bumps)[2]
        # folded noise has sharp crests, as rock has
        total = total + (0.5 - np.abs(wave)) * 0.055 * ruggedness / 1.9 ** (octave - 1)
    return np.asarray(total * (0.75 + 0.35 * share), dtype=np.float32)


def _firs(rng: np.random.Generator, width: int, count: int, height: int) -> tuple[Field, int]:
    """Return how far firs stand above the ground for each column, and how many there are."""
    above = np.zeros(width, dtype=np.float32)
    columns = np.arange(width)
    for _ in range(count):
        centre, tall = rng.uniform(0, width), rng.uniform(0.05, 0.15) * (1.35 if rng.random() < 0.15 else 1)
        half = tall * height * rng.uniform(0.16, 0.24)
        share = np.clip(1 - np.abs(columns - centre) / half, 0, 1)
        saw = share - 0.07 * np.abs(np.sin(share * 24)) * (share > 0) * (share < 0.94)
        above = np.maximum(above, tall * np.clip(saw, 0, 1))
    return above, count


def _mirrored(rng: np.random.Generator, picture: Field, y: Field, shore: float, deep: Field) -> Field:
    """Return the picture with a rippled mirror image below the shore."""
    height, width = y.shape
    line = round(shore * height)
    depth = height - line
    rows = np.arange(depth)
    ripple = np.sin(rows**1.25 * 0.35) * rows / depth * 5 + rng.normal(0, 0.6, depth)
    source = np.clip(line - 1 - rows * 0.92 + ripple, 0, line - 1).astype(int)
    mirror = picture[source]
    broken = smooth_noise(rng, (depth, width), depth / 5, 9)[..., None] * 0.035
    share = (0.16 + 0.30 * rows / depth)[:, None, None]
    picture[line:] = mirror * (1 - share) + deep * share + broken
    return picture


MANNER = Manner(
    "landscapes",
    paint,
    (
        Series(
            *("Blue Ranges", "frost", (360, 240), "landscape", "mist rises"),
            "Blue Ranges {roman}",
            {"layers": 6, "hour": 0.35, "mist": (0.0, 1.0), "ruggedness": 0.6, "paper": 1},
        ),
        Series(
            *("The Lake", "harbour", (360, 264), "landscape", "the day passes from dawn to night"),
            "The Lake, {hour}",
            {"layers": 4, "hour": (0.0, 1.0), "mist": 0.35, "ruggedness": 0.55, "water": 1},
        ),
        Series(
            *("Dunes", "terracotta", (360, 216), "landscape", "dunes become crags"),
            "Dunes and Crags, no. {place}",
            {"layers": 5, "hour": 0.6, "mist": 0.25, "ruggedness": (0.0, 1.0)},
        ),
        Series(
            *("Fir Valley", "meadow", (288, 360), "landscape", "the forest closes"),
            "Fir Valley, {shapes} firs and hills",
            {"layers": 5, "hour": 0.3, "mist": 0.55, "ruggedness": 0.5, "trees": (1, 34)},
        ),
        Series(
            *("Evening Ridges", "dusk", (360, 270), "landscape", "ranges multiply"),
            "Evening Ridges, {ordinal} view",
            {"layers": (1.6, 9.4), "hour": 0.74, "mist": 0.4, "ruggedness": 0.45},
        ),
        Series(
            *("Night Crossing", "night", (300, 360), "landscape", "dusk turns to night"),
            "Night Crossing, {first_colour}",
            {"layers": 4, "hour": (0.6, 1.0), "mist": 0.3, "ruggedness": 0.7, "water": 1, "trees": 12},
        ),
    ),
)
