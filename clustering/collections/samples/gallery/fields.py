"""Large fields of colour with soft edges that seem to breathe."""

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
    smooth_noise,
)


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    fields: float = 3,
    softness: float = 9,
    light: float = 0.0,
    balance: float = 0.5,
    order: tuple[int, ...] | str = "free",
) -> Painting:
    """Float two to four fields over a stained ground.

    Parameters
    ----------
    fields : float
        How many.
    softness : float
        Width of the edges in pixels.
    light : float
        −1 darkens everything towards the palette's dark, 1 lifts it towards the ground.
    balance : float
        Share of the height that the first field takes.
    order : str
        Indices of palette colours, ground first, as in ``"4203"``; ``"free"`` draws them.
    """
    width, height = size
    count = round(fields)
    colours = _chosen(rng, palette, count + 1, str(order))
    colours = [_lit(colour, palette, light) for colour in colours]
    picture = _stained(rng, colours[0], height, width)
    margin = width * rng.uniform(0.055, 0.085)
    cuts = _cuts(rng, count, balance)
    gap = height * rng.uniform(0.012, 0.03)
    for index in range(count):
        top = margin + (height - 2 * margin) * cuts[index] + (gap if index else 0)
        bottom = margin + (height - 2 * margin) * cuts[index + 1] - (gap if index < count - 1 else 0)
        inset = margin * rng.uniform(0.85, 1.15)
        veil = _soft_box(rng, (height, width), (inset, top, width - inset, bottom), softness)
        body = _stained(rng, colours[index + 1], height, width)
        picture = picture * (1 - veil) + body * veil
    return Painting(on_canvas(rng, picture, 1.15), count)


def _chosen(rng: np.random.Generator, palette: Palette, count: int, order: str) -> list[Field]:
    pool = [as_float(colour) for colour in (*palette.colours, palette.dark, palette.ground)]
    if order != "free":
        return [pool[int(letter)] for letter in order][:count]
    # neighbours must differ, else a field drowns in the next one
    chosen = [int(rng.integers(len(pool)))]
    while len(chosen) < count:
        apart = [
            float(np.abs(pool[k] - pool[chosen[-1]]).sum()) if k not in chosen else -1.0
            for k in range(len(pool))
        ]
        best = np.argsort(apart)[::-1][:3]
        chosen.append(int(rng.choice(best)))
    return [pool[index] for index in chosen]


def _lit(colour: Field, palette: Palette, light: float) -> Field:
    target = as_float(palette.ground if light > 0 else palette.dark)
    return colour + (target - colour) * abs(light) * 0.72


def _cuts(rng: np.random.Generator, count: int, balance: float) -> list[float]:
    rest = rng.uniform(0.7, 1.3, count - 1)
    shares = np.concatenate([[balance], rest / rest.sum() * (1 - balance)])
    return [0.0, *np.cumsum(shares).tolist()]


def _stained(rng: np.random.Generator, colour: Field, height: int, width: int) -> Field:
    """Return thin coats of one colour: broad strokes, clouds, a slow drift of hue."""
    coats = 0.020 * brush_marks(rng, (height, width), size=8)
    clouds = 0.052 * cloudy(rng, (height, width), 3, 4)
    drift = rng.normal(0, 0.022, 3).astype(np.float32) * smooth_noise(rng, (height, width), 2, 2)[..., None]
    # dark coats hide less of the weave and vary less than light ones
    strength = 0.5 + 0.6 * float(colour.mean())
    return colour + (coats + clouds)[..., None] * strength + drift


def _soft_box(
    rng: np.random.Generator, shape: tuple[int, int], box: tuple[float, float, float, float], softness: float
) -> Field:
    """Return how much of a field covers each pixel, (height, width, 1)."""
    height, width = shape
    left, top, right, bottom = box
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    fray = (
        cloudy(rng, (height, width), 9, 4) * softness * 0.42
        + smooth_noise(rng, (height, width), 3, 3) * softness * 0.3
    )
    sideways = np.minimum(columns - left, right - columns)
    upright = np.minimum(rows - top, bottom - rows)
    # a rounded corner: distances shorten where both edges are near
    near = np.minimum(sideways, upright) - 0.35 * softness * np.exp(
        -np.abs(sideways - upright) / (softness + 4)
    )
    inside = (near + fray) / max(softness, 0.5)
    veil = 1 / (1 + np.exp(-np.clip(inside * 2.6, -30, 30)))
    scumble = 0.95 + 0.03 * brush_marks(rng, (height, width), size=7)
    return (veil * np.clip(scumble, 0.75, 1))[..., None]


MANNER = Manner(
    "colour fields",
    paint,
    (
        Series(
            *("Embers", "ember", (272, 360), "abstract", "the fire goes out"),
            "Untitled ({colours})",
            {"fields": 3, "softness": 9.0, "light": (0.35, -0.75), "order": "4231"},
        ),
        Series(
            *("Chapel", "dusk", (256, 360), "abstract", "the upper field sinks"),
            "Chapel {roman}",
            {"fields": 2, "softness": 8.0, "light": -0.15, "balance": (0.22, 0.78), "order": "062"},
        ),
        Series(
            *("Salt and Water", "sea", (360, 272), "abstract", "edges dissolve"),
            "Salt and Water, no. {place}",
            {"fields": 2, "softness": (2.0, 34.0), "balance": 0.52, "order": "316"},
        ),
        Series(
            *("Morning Walls", "chalk", (330, 330), "abstract", "the room fills with light"),
            "Morning Wall, {first_colour}",
            {"fields": 3, "softness": 11.0, "light": (-0.55, 0.3), "order": "4032"},
        ),
        Series(
            *("Orchard Floor", "orchard", (288, 360), "abstract", "the ripe field grows"),
            "Orchard Floor, {colours}",
            {"fields": 3, "softness": 10.0, "balance": (0.2, 0.7), "order": "1243"},
        ),
        Series(
            *("Carnival Walls", "carnival", (300, 360), "abstract", "from two fields to four"),
            "{colours}",
            {"fields": (1.6, 4.4), "softness": 7.0, "balance": 0.36},
        ),
    ),
)
