"""Rectangles in plain colours between black lines."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from clustering.collections.samples.gallery.colours import Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import (
    OVERSAMPLING,
    blank,
    brush_marks,
    mixed,
    on_canvas,
    settled,
    varied,
    wobbled,
)

Box = tuple[float, float, float, float]


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    cells: float = 12,
    line: float = 6,
    coloured: float = 0.4,
    rhythm: str = "free",
) -> Painting:
    """Divide the canvas again and again; leave some cells open, fill others.

    Parameters
    ----------
    cells : float
        How many rectangles.
    line : float
        Width of the black lines in pixels of the finished picture; 0 leaves gaps of ground.
    coloured : float
        Share of the cells that carry colour.
    rhythm : {"free", "columns", "boogie"}
        Free division, tall columns first, or small blocks running along the lines.
    """
    scale = OVERSAMPLING
    width, height = size[0] * scale, size[1] * scale
    sheet, pen = blank(size, palette.dark if line else mixed(palette.ground, palette.dark, 0.08))
    boxes = _divided(rng, width, height, max(3, round(cells)), rhythm == "columns")
    whites = [mixed(palette.ground, palette.colours[0], share) for share in (0.0, 0.15, 0.35)]
    gap = max(line, 1.5) * scale / 2
    loud = list(palette.colours[1:])
    if rhythm == "boogie":  # at night the open cells are dark and the filled ones lit
        whites = [mixed(palette.dark, colour, 0.55) for colour in palette.colours[:2]] + [palette.colours[0]]
    filled = _spread_out(rng, boxes, coloured)
    last = -1
    for index, (left, top, right, bottom) in enumerate(boxes):
        colour = whites[int(rng.integers(len(whites)))]
        if index in filled:
            choice = int(rng.integers(len(loud)))
            choice = (choice + 1) % len(loud) if choice == last else choice
            last, colour = choice, loud[choice]
        inner = (
            left + (gap if left > 0 else 0),
            top + (gap if top > 0 else 0),
            right - (gap if right < width else 0),
            bottom - (gap if bottom < height else 0),
        )
        if inner[2] > inner[0] and inner[3] > inner[1]:
            pen.rectangle(inner, fill=varied(rng, colour, 3))
    shapes = len(boxes)
    if rhythm == "boogie":
        shapes += _blocks_on_lines(rng, pen, boxes, palette, gap, (width, height))
    picture = settled(wobbled(rng, sheet, 0.55))
    marks = brush_marks(rng, picture.shape[:2], upright=bool(rng.integers(2)), size=4)
    return Painting(on_canvas(rng, picture + marks[..., None] * 0.011, 0.8), shapes)


def _divided(rng: np.random.Generator, width: int, height: int, cells: int, columns: bool) -> list[Box]:
    """Split the largest box until there are ``cells``, never in the middle and never into slivers."""
    boxes: list[Box] = [(0.0, 0.0, float(width), float(height))]
    least = min(width, height) * (0.10 if cells < 20 else 0.045)
    while len(boxes) < cells:
        weight = [(r - l) * (b - t) * rng.uniform(0.55, 1.6) for l, t, r, b in boxes]
        left, top, right, bottom = boxes.pop(int(np.argmax(weight)))
        wide = (right - left) * rng.uniform(0.75, 1.35) > (bottom - top) * (0.55 if columns else 1.0)
        share = float(rng.choice([rng.uniform(0.24, 0.4), rng.uniform(0.6, 0.76)]))
        if wide and right - left > 2 * least:
            cut = left + (right - left) * share
            boxes += [(left, top, cut, bottom), (cut, top, right, bottom)]
        elif bottom - top > 2 * least:
            cut = top + (bottom - top) * share
            boxes += [(left, top, right, cut), (left, cut, right, bottom)]
        else:
            boxes.append((left, top, right, bottom))
            if max(r - l for l, t, r, b in boxes) <= 2 * least:
                break
            least *= 0.9
    return boxes


def _spread_out(rng: np.random.Generator, boxes: list[Box], share: float) -> set[int]:
    """Choose the cells to fill, each next one as far as possible from those chosen before."""
    centres = np.array([((l + r) / 2, (t + b) / 2) for l, t, r, b in boxes])
    wanted = max(2, round(len(boxes) * share))
    chosen = [int(rng.integers(len(boxes)))]
    while len(chosen) < min(wanted, len(boxes)):
        nearest = np.min([np.hypot(*(centres - centres[index]).T) for index in chosen], axis=0)
        chosen.append(int(np.argmax(nearest * rng.uniform(0.6, 1.0, len(boxes)))))
    return set(chosen)


def _blocks_on_lines(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    boxes: list[Box],
    palette: Palette,
    gap: float,
    sheet: tuple[int, int],
) -> int:
    """Set small coloured blocks where lines meet; return how many."""
    colours = [*palette.colours[1:], palette.ground]
    blocks = 0
    for _, _, right, bottom in boxes:
        if right < sheet[0] and bottom < sheet[1]:
            reach = gap * 1.0
            colour = colours[int(rng.integers(len(colours)))]
            pen.rectangle((right - reach, bottom - reach, right + reach, bottom + reach), fill=colour)
            blocks += 1
    return blocks


MANNER = Manner(
    "rectangles",
    paint,
    (
        Series(
            *("Crossings", "primary", (288, 360), "abstract", "from few cells to many"),
            "Composition {number}, {colours}",
            {"cells": (6, 26), "line": 5.0, "coloured": 0.36},
        ),
        Series(
            *("Heavy Lines", "primary", (336, 336), "abstract", "lines grow heavier"),
            "Composition {number} with heavy lines",
            {"cells": 11, "line": (2.5, 13.0), "coloured": 0.4},
        ),
        Series(
            *("Harbour Plan", "harbour", (360, 270), "abstract", "more cells take colour"),
            "Harbour Plan {roman}",
            {"cells": 18, "line": 4.0, "coloured": (0.15, 0.9)},
        ),
        Series(
            *("City at Night", "night", (300, 360), "abstract", "the streets multiply"),
            "City at Night, {shapes} windows",
            {"cells": (24, 64), "line": 3.0, "coloured": 0.45, "rhythm": "boogie"},
        ),
        Series(
            *(
                "Brick and Field",
                "terracotta",
                (360, 252),
                "abstract",
                "lines thin out until only gaps remain",
            ),
            "Brick and Field {place}",
            {"cells": 22, "line": (4.5, 0.0), "coloured": 0.65},
        ),
        Series(
            *("Tall Rooms", "chalk", (240, 360), "abstract", "from few columns to many"),
            "Tall Rooms, {ordinal} state",
            {"cells": (7, 30), "line": 2.6, "coloured": 0.5, "rhythm": "columns"},
        ),
    ),
)
