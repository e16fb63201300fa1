"""Paper, canvas, brush and hand: what keeps painted surfaces from looking like printed ones.

Pictures under work are float32 arrays (height, width, 3) of sRGB between 0 and 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from clustering.collections.samples.gallery.colours import Colour

Field = NDArray[np.floating[Any]]
OVERSAMPLING = 2  # drawn at twice the size, then averaged: smooth edges


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], rows: float, columns: float) -> Field:
    """Return noise of mean 0 and deviation near 1, about ``rows`` × ``columns`` bumps, in ``shape``."""
    small = rng.standard_normal((max(2, round(rows) + 1), max(2, round(columns) + 1))).astype(np.float32)
    big = Image.fromarray(small, mode="F").resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(big, dtype=np.float32)


def cloudy(rng: np.random.Generator, shape: tuple[int, ...], bumps: float, octaves: int = 4) -> Field:
    """Return fractal noise: each octave twice as fine and half as strong, in ``shape``."""
    height, width = shape[:2]
    total = np.zeros((height, width), dtype=np.float32)
    for octave in range(octaves):
        rows = bumps * 2**octave * height / max(height, width)
        columns = bumps * 2**octave * width / max(height, width)
        total += smooth_noise(rng, (height, width), rows, columns) / 2**octave
    return total / np.float32(1.2)


def brush_marks(
    rng: np.random.Generator, shape: tuple[int, ...], upright: bool = False, size: int = 5
) -> Field:
    """Return streaks of a flat brush ``size`` pixels wide, lying or upright, mean 0, in ``shape``."""
    height, width = shape[:2]
    fine, coarse = max(height, width) / size * 2, max(height, width) / (size * 14)
    rows, columns = (coarse, fine) if upright else (fine, coarse)
    streaks = smooth_noise(rng, (height, width), rows * height / max(height, width), columns)
    return streaks * (0.7 + 0.3 * cloudy(rng, (height, width), 3, 2))


def wobbled(rng: np.random.Generator, drawn: Image.Image, reach: float, bumps: float = 14) -> Image.Image:
    """Return a drawing whose edges waver by about ``reach`` pixels, as a hand wavers."""
    width, height = drawn.size
    rows, columns = np.mgrid[0:height, 0:width]
    down = smooth_noise(rng, (height, width), bumps, bumps) * reach + rows
    right = smooth_noise(rng, (height, width), bumps, bumps) * reach + columns
    down = np.clip(np.rint(down).astype(int), 0, height - 1)
    right = np.clip(np.rint(right).astype(int), 0, width - 1)
    return Image.fromarray(np.asarray(drawn)[down, right])


def enlarged(field: Field, times: int = OVERSAMPLING) -> Field:
    """Return a smooth field at several times its size, so that it need not be computed there."""
    height, width = field.shape
    big = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32), mode="F")
    return np.asarray(big.resize((width * times, height * times), Image.Resampling.BICUBIC))


def averaged(field: Field, times: int = OVERSAMPLING) -> Field:
    """Return a field (height, width) or picture (height, width, 3) at a fraction of its size."""
    height, width = field.shape[0] // times, field.shape[1] // times
    blocks = field.reshape(height, times, width, times, *field.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def blank(size: tuple[int, int], ground: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an oversampled sheet of one colour and a pen for it; ``size`` is the final one."""
    sheet = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), ground)
    return sheet, ImageDraw.Draw(sheet)


def settled(sheet: Image.Image) -> Field:
    """Return an oversampled sheet at its final size as floats, (height, width, 3)."""
    small = sheet.reduce(OVERSAMPLING)
    return np.asarray(small, dtype=np.float32) / 255


def as_float(colour: ArrayLike) -> Field:
    """Return a colour of 0–255 as three floats of 0–1."""
    return np.asarray(colour, dtype=np.float32) / 255


def mixed(first: ArrayLike, second: ArrayLike, share: float) -> Colour:
    """Return the colour that lies ``share`` of the way from the first to the second."""
    start, end = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    red, green, blue = (int(v) for v in np.clip(start + (end - start) * share, 0, 255).round())
    return red, green, blue


def varied(rng: np.random.Generator, colour: Colour, by: float) -> Colour:
    """Return the colour as mixed anew by hand: lightness and each channel off by about ``by`` (0–255)."""
    shift = rng.normal(0, by) + rng.normal(0, by / 2, 3)
    red, green, blue = (int(v) for v in np.clip(np.asarray(colour) + shift, 0, 255).round())
    return red, green, blue


def on_canvas(rng: np.random.Generator, picture: Field, strength: float = 1.0) -> NDArray[np.uint8]:
    """Return the finished picture on woven cloth: threads, uneven priming, a little dirt."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    bend = smooth_noise(rng, (height, width), 6, 6)
    weave = np.sin(rows * 2.2 + bend) * np.cos(columns * 2.2 + bend)
    grain = rng.standard_normal((height, width), dtype=np.float32)
    relief = 0.012 * weave + 0.011 * grain + 0.014 * cloudy(rng, (height, width), 4, 3)
    return _finished(picture, relief * strength)


def on_paper(rng: np.random.Generator, picture: Field, strength: float = 1.0) -> NDArray[np.uint8]:
    """Return the finished picture on paper: fibres, a fine tooth, foxing along the edges."""
    height, width = picture.shape[:2]
    tooth = smooth_noise(rng, (height, width), height / 2.5, width / 2.5)
    grain = rng.standard_normal((height, width), dtype=np.float32)
    relief = 0.012 * tooth + 0.008 * grain + 0.012 * cloudy(rng, (height, width), 3, 3)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    age = np.exp(-edge / 16)[..., None] * np.array([0.02, 0.035, 0.06], dtype=np.float32)
    return _finished(picture - age, relief * strength)


def _finished(picture: Field, relief: Field) -> NDArray[np.uint8]:
    lit = picture * (1 + relief[..., None]) + relief[..., None] * 0.35
    return (np.clip(lit, 0, 1) * 255).round().astype(np.uint8)
