"""Paint flung and dripped in layers of strands, pools and specks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import ImageDraw

from clustering.collections.samples.gallery.colours import Colour, Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import (
    OVERSAMPLING,
    blank,
    cloudy,
    mixed,
    on_canvas,
    settled,
    varied,
)


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    strands: float = 40,
    thickness: float = 2.2,
    curl: float = 0.5,
    pull: float = 0.0,
    ground: float = 0.0,
    layers: str = "",
) -> Painting:
    """Fling strands of each colour over one another, and specks after each.

    Parameters
    ----------
    strands : float
        How many in all.
    thickness : float
        Mean width of a strand in pixels of the finished picture.
    curl : float
        0 flings in long sweeps, 1 in tight loops.
    pull : float
        Share of the strands that run straight down instead, as wet paint does.
    ground : float
        0 paints on the palette's ground, 1 on its dark.
    layers : str
        Indices of palette colours from the first layer to the last; ``d`` is the dark, ``g`` the ground.
    """
    width, height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
    sheet, pen = blank(size, mixed(palette.ground, palette.dark, ground))
    colours = _layers(palette, layers or "d0g12d3")
    shapes = 0
    per_layer = max(1, round(strands / len(colours)))
    for colour in colours:
        for _ in range(per_layer):
            wide = thickness * OVERSAMPLING * rng.lognormal(-0.3, 0.6)
            tone = varied(rng, colour, 4)
            if rng.random() < pull:
                _run_down(rng, pen, tone, width, height, wide)
            else:
                _fling(rng, pen, tone, width, height, wide, curl)
            shapes += 1
        shapes += _specks(rng, pen, colour, width, height, thickness, round(10 + per_layer * 2.2))
    picture = settled(sheet)
    gloss = cloudy(rng, (size[1], size[0]), 20, 2)[..., None] * 0.012
    return Painting(on_canvas(rng, picture + gloss, 1.1), shapes)


def _layers(palette: Palette, order: str) -> list[Colour]:
    named = {"d": palette.dark, "g": palette.ground}
    return [named[key] if key in named else palette.colours[int(key) % len(palette.colours)] for key in order]


def _fling(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    tone: Colour,
    width: int,
    height: int,
    wide: float,
    curl: float,
) -> None:
    """Draw one strand: a point that keeps its momentum while its heading and speed drift."""
    steps = int(rng.integers(46, 84))
    step = (0.016 + 0.006 * (1 - curl)) * max(width, height)
    # the wrist turns one way for a while, then the other: a few slow waves, never a coil
    along = np.linspace(0, 1, steps)
    bends = rng.integers(2, 5) + 3.0 * curl
    sway = np.sin(2 * np.pi * bends * along + rng.uniform(0, 6)) + 0.6 * np.sin(
        2 * np.pi * bends * 0.47 * along + rng.uniform(0, 6)
    )
    turn = sway * (0.10 + 0.26 * curl) + rng.normal(0, 0.05 + 0.10 * curl) * 0.5 + rng.normal(0, 0.05, steps)
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(turn)
    speed = step * np.exp(0.45 * np.sin(np.linspace(0, rng.uniform(5, 14), steps) + rng.uniform(0, 6)))
    xs = rng.uniform(-0.05, 1.05) * width + np.cumsum(np.cos(heading) * speed)
    ys = rng.uniform(-0.05, 1.05) * height + np.cumsum(np.sin(heading) * speed * 0.85)
    # fast paint is thin, slow paint pools; the strand starts and ends in a point
    widths = wide * (step / speed) ** 1.5 * np.exp(0.25 * np.sin(np.linspace(0, 25, steps)))
    widths *= np.clip(np.minimum(np.arange(steps), np.arange(steps)[::-1]) / 5, 0.25, 1)
    _stroke(pen, xs, ys, widths, tone)


def _run_down(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, tone: Colour, width: int, height: int, wide: float
) -> None:
    """Draw one run of wet paint with a drop at its end."""
    steps = 40
    top = rng.uniform(-0.2, 0.45) * height
    length = rng.uniform(0.2, 0.75) * height
    ys = top + np.linspace(0, length, steps)
    xs = rng.uniform(0, 1) * width + np.cumsum(rng.normal(0, 0.25, steps))
    widths = wide * np.linspace(1.1, 0.55, steps)
    widths[-2:] = wide * 1.25
    _stroke(pen, xs, ys, widths, tone)


def _stroke(
    pen: ImageDraw.ImageDraw, xs: np.ndarray, ys: np.ndarray, widths: np.ndarray, tone: Colour
) -> None:
    points = list(zip(xs.tolist(), ys.tolist(), widths.tolist(), strict=True))
    for (x0, y0, w0), (x1, y1, w1) in pairwise(points):
        pen.line((x0, y0, x1, y1), fill=tone, width=max(1, round((w0 + w1) / 2)))
        if w1 > 2.5:
            pen.ellipse((x1 - w1 / 2, y1 - w1 / 2, x1 + w1 / 2, y1 + w1 / 2), fill=tone)


def _specks(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    colour: Colour,
    width: int,
    height: int,
    thickness: float,
    count: int,
) -> int:
    """Spatter specks in a few bursts; return how many."""
    bursts = rng.uniform(0, 1, (max(2, count // 12), 2)) * (width, height)
    for _ in range(count):
        x, y = bursts[int(rng.integers(len(bursts)))] + rng.normal(0, 0.13, 2) * max(width, height)
        radius = thickness * OVERSAMPLING * min(2.2, rng.lognormal(-0.9, 0.6))
        long = radius * rng.uniform(0.8, 1.3)
        pen.ellipse((x - radius, y - long, x + radius, y + long), fill=varied(rng, colour, 5))
    return count


MANNER = Manner(
    "drips",
    paint,
    (
        Series(
            *("Thicket", "ink", (360, 240), "abstract", "from few strands to a web"),
            "Number {number}, thicket",
            {"strands": (24, 230), "thickness": 1.9, "curl": 0.45, "layers": "d0g4d1"},
        ),
        Series(
            *("Autumn Web", "orchard", (360, 264), "abstract", "the web closes"),
            "Autumn Web {roman}",
            {"strands": (50, 240), "thickness": 2.0, "curl": 0.55, "layers": "d3g0425"},
        ),
        Series(
            *("Blue Weather", "harbour", (336, 336), "abstract", "from sweeps to loops"),
            "Blue Weather, no. {place}",
            {"strands": 130, "thickness": 2.0, "curl": (0.0, 1.0), "layers": "d2g134g"},
        ),
        Series(
            *("Firework", "carnival", (288, 360), "abstract", "the strands thicken"),
            "Firework {roman}",
            {"strands": 110, "thickness": (0.9, 4.4), "curl": 0.6, "ground": 1.0, "layers": "4g132g"},
        ),
        Series(
            *("Rain on Glass", "frost", (252, 360), "abstract", "more and more runs straight down"),
            "Rain on Glass, {shapes} marks",
            {"strands": 120, "thickness": 1.9, "curl": 0.4, "pull": (0.0, 1.0), "layers": "4g20d3"},
        ),
        Series(
            *("Lava", "ember", (330, 330), "abstract", "the ground darkens"),
            "Lava {roman}",
            {"strands": 130, "thickness": 2.3, "curl": 0.5, "ground": (0.0, 1.0), "layers": "4120g3"},
        ),
    ),
)
