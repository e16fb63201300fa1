"""Circles, wedges, bars and arcs, some of them see-through, in balance or falling."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from clustering.collections.samples.gallery.colours import Colour, Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import (
    OVERSAMPLING,
    blank,
    brush_marks,
    cloudy,
    mixed,
    on_canvas,
    on_paper,
    settled,
    varied,
    wobbled,
)


class _Forms:
    """A sheet that counts the forms laid on it; see-through ones multiply what lies beneath."""

    def __init__(self, size: Size, ground: Colour) -> None:
        self.sheet, self.pen = blank(size, ground)
        self.count = 0

    def glaze(self, colour: Colour, shape: str, points: object) -> None:
        veil = Image.new("RGB", self.sheet.size, (255, 255, 255))
        getattr(ImageDraw.Draw(veil), shape)(points, fill=colour)
        self.sheet = ImageChops.multiply(self.sheet, veil)
        self.pen = ImageDraw.Draw(self.sheet)
        self.count += 1

    def solid(self, colour: Colour, shape: str, points: object) -> None:
        getattr(self.pen, shape)(points, fill=colour)
        self.count += 1

    def ring(
        self, colour: Colour, box: tuple[float, ...], width: float, start: float = 0, end: float = 360
    ) -> None:
        self.pen.arc(box, start, end, fill=colour, width=max(1, round(width)))
        self.count += 1

    def bar(self, colour: Colour, line: tuple[float, ...], width: float) -> None:
        self.pen.line(line, fill=colour, width=max(1, round(width)))
        self.count += 1


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    forms: float = 12,
    largest: float = 0.42,
    tilt: float = 30,
    glazing: float = 0.5,
    roundness: float = 0.6,
    plan: str = "diagonal",
    paper: int = 0,
) -> Painting:
    """Place one great form, then lesser ones that answer it.

    Parameters
    ----------
    forms : float
        How many, about; small companions are counted when painted.
    largest : float
        Diameter of the great form in parts of the short side.
    tilt : float
        Direction of the composition in degrees.
    glazing : float
        Share of the forms that are see-through.
    roundness : float
        Share of the forms that are circles rather than wedges and bars.
    plan : {"diagonal", "targets", "orbit"}
        Strung along a diagonal, concentric rings in a grid, or circling the great form.
    paper : int
        1 for paper, 0 for canvas.
    """
    sheet = _Forms(size, varied(rng, palette.ground, 3))
    width, height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
    if plan == "targets":
        _targets(rng, sheet, palette, width, height, max(1, round(forms)))
    else:
        _composition(
            rng, sheet, palette, (width, height), round(forms), largest, tilt, glazing, roundness, plan
        )
    picture = settled(wobbled(rng, sheet.sheet, 0.8))
    tone = brush_marks(rng, picture.shape[:2], size=5) * 0.010 + cloudy(rng, picture.shape[:2], 4, 3) * 0.012
    finish = on_paper if paper else on_canvas
    return Painting(finish(rng, picture + tone[..., None], 0.9), sheet.count)


def _composition(
    rng: np.random.Generator,
    sheet: _Forms,
    palette: Palette,
    canvas: Size,
    forms: int,
    largest: float,
    tilt: float,
    glazing: float,
    roundness: float,
    plan: str,
) -> None:
    width, height = canvas
    short = min(width, height)
    angle = np.deg2rad(tilt)
    axis = np.array([np.cos(angle), -np.sin(angle)])
    centre = np.array([width, height]) * rng.uniform(0.36, 0.6, 2)
    loud = list(palette.colours[1:])
    radius = largest * short / 2
    halo = mixed(palette.ground, loud[-1], 0.28)
    sheet.solid(halo, "ellipse", _box(centre, radius * 1.35))
    sheet.solid(loud[int(rng.integers(len(loud)))], "ellipse", _box(centre, radius))
    if rng.random() < 0.75:
        inner = centre + rng.normal(0, radius * 0.12, 2)
        sheet.solid(
            loud[int(rng.integers(len(loud)))], "ellipse", _box(inner, radius * rng.uniform(0.4, 0.6))
        )
    for index in range(forms):
        share = (index + 0.5) / forms
        reach = radius * 0.5 * (0.25 + rng.lognormal(-0.75, 0.55))
        if plan == "orbit":
            way = angle + share * 2 * np.pi * 1.6
            place = centre + np.array([np.cos(way), -np.sin(way)]) * (radius * 1.15 + short * 0.3 * share)
        else:
            spread = rng.normal(0, short * 0.2)
            place = (
                centre
                + axis * (share - 0.5) * max(width, height) * 1.05
                + np.array([-axis[1], axis[0]]) * spread
            )
        colour = loud[int(rng.integers(len(loud)))] if rng.random() < 0.78 else palette.dark
        see_through = rng.random() < glazing
        lay = sheet.glaze if see_through else sheet.solid
        colour = mixed(colour, (255, 255, 255), 0.25) if see_through else colour
        draw = rng.random()
        if draw < roundness * 0.7:
            lay(colour, "ellipse", _box(place, reach))
        elif draw < roundness:
            begin = rng.uniform(0, 360)
            sheet.ring(
                palette.dark, _box(place, reach * 1.3), reach * 0.10, begin, begin + rng.uniform(120, 360)
            )
        elif draw < roundness + (1 - roundness) * 0.55:
            lay(colour, "polygon", _wedge(rng, place, angle, reach))
        else:
            half = axis * reach * rng.uniform(2.0, 4.2)
            ends = (*(place - half), *(place + half))
            sheet.bar(palette.dark if rng.random() < 0.7 else colour, ends, reach * rng.uniform(0.05, 0.16))
    _companions(rng, sheet, palette, centre, radius, angle)


def _companions(
    rng: np.random.Generator, sheet: _Forms, palette: Palette, centre: np.ndarray, radius: float, angle: float
) -> None:
    """Set a row of small squares or points, the accent that such pictures have somewhere."""
    step = np.array([np.cos(angle), -np.sin(angle)]) * radius * 0.16
    start = centre + np.array([-step[1], step[0]]) * rng.choice([-8.5, 8.5]) - step * 3
    for index in range(int(rng.integers(4, 8))):
        colour = palette.dark if index % 2 == 0 else palette.colours[-1]
        place = start + step * index * 1.25
        sheet.solid(colour, "ellipse" if rng.random() < 0.5 else "rectangle", _box(place, radius * 0.055))


def _targets(
    rng: np.random.Generator, sheet: _Forms, palette: Palette, width: int, height: int, across: int
) -> None:
    """Fill a grid with concentric rings, each square mixed anew."""
    step = min(width, height) / across
    columns, rows = max(1, round(width / step)), max(1, round(height / step))
    wide, tall = width / columns, height / rows
    pool = [*palette.colours, palette.dark, palette.ground]
    for row in range(rows):
        for column in range(columns):
            order = rng.permutation(len(pool))
            corner = (column * wide, row * tall)
            sheet.solid(
                varied(rng, pool[order[0]], 6), "rectangle", (*corner, corner[0] + wide, corner[1] + tall)
            )
            centre = np.array(corner) + np.array((wide, tall)) / 2 + rng.normal(0, step * 0.025, 2)
            rings = int(rng.integers(3, 6))
            for ring in range(rings):
                radius = min(wide, tall) / 2 * (0.95 - ring / rings) * rng.uniform(0.92, 1.02)
                sheet.solid(
                    varied(rng, pool[order[1 + ring % (len(pool) - 1)]], 8), "ellipse", _box(centre, radius)
                )


def _box(centre: np.ndarray, radius: float) -> tuple[float, float, float, float]:
    x, y = float(centre[0]), float(centre[1])
    return x - radius, y - radius, x + radius, y + radius


def _wedge(
    rng: np.random.Generator, tip: np.ndarray, angle: float, reach: float
) -> list[tuple[float, float]]:
    """Return a long triangle that points along the composition, or against it."""
    way = angle + rng.choice([0.0, np.pi]) + rng.normal(0, 0.22)
    long, half = reach * rng.uniform(2.2, 4.4), reach * rng.uniform(0.35, 0.8)
    along = np.array([np.cos(way), -np.sin(way)])
    side = np.array([-along[1], along[0]])
    corners = (tip, tip - along * long + side * half, tip - along * long - side * half)
    return [(float(x), float(y)) for x, y in corners]


MANNER = Manner(
    "circles and wedges",
    paint,
    (
        Series(
            *("Improvisation", "primary", (360, 288), "abstract", "from few forms to many"),
            "Improvisation {number}: {shapes} forms",
            {"forms": (5, 34), "largest": 0.46, "tilt": 38, "glazing": 0.35},
        ),
        Series(
            *("Great Circle", "terracotta", (330, 330), "abstract", "the circle grows"),
            "Great Circle {roman}",
            {"forms": 12, "largest": (0.22, 0.95), "tilt": 62, "glazing": 0.5, "plan": "orbit"},
        ),
        Series(
            *("Falling", "frost", (264, 360), "abstract", "the axis turns from rising to falling"),
            "Falling, {ordinal} position",
            {"forms": 16, "largest": 0.36, "tilt": (80, -70), "glazing": 0.45, "roundness": 0.3, "paper": 1},
        ),
        Series(
            *("Targets", "carnival", (360, 288), "abstract", "more and smaller targets"),
            "Colour Study, {shapes} rings and squares",
            {"forms": (1.6, 6.4), "plan": "targets"},
        ),
        Series(
            *("Glass", "chalk", (360, 270), "abstract", "forms turn to glass"),
            "Glass, no. {place}",
            {"forms": 18, "largest": 0.5, "tilt": 20, "glazing": (0.0, 1.0), "roundness": 0.75, "paper": 1},
        ),
        Series(
            *("Night Mechanics", "dusk", (300, 360), "abstract", "circles give way to wedges"),
            "Night Mechanics in {colours}",
            {"forms": 18, "largest": 0.44, "tilt": 52, "glazing": 0.4, "roundness": (1.0, 0.0)},
        ),
    ),
)
