"""Dots of unmixed colour that the eye blends into light."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from clustering.collections.samples.gallery.colours import Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import OVERSAMPLING, as_float, on_canvas, settled
from clustering.collections.samples.gallery.scenes import scene


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    motif: str = "shore",
    dot: float = 4.0,
    hour: float = 0.5,
    contrast: float = 0.5,
) -> Painting:
    """Cover the canvas with dots whose colours scatter around the scene's own.

    Parameters
    ----------
    motif : str
        A scene of `scenes.scene`.
    dot : float
        Diameter in pixels of the finished picture.
    hour : float
        Time of day from 0 (dawn) to 1 (night).
    contrast : float
        How far the dots scatter from the mixed colour towards pure neighbours and complements.
    """
    width, height = size
    view = scene(motif, rng, palette, height, width, hour)
    # a thin underpainting of the scene shows between the dots
    under = Image.fromarray((view * 235 + 8).astype(np.uint8))
    sheet = under.resize((width * OVERSAMPLING, height * OVERSAMPLING), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(sheet)
    pure = np.stack([as_float(colour) for colour in (*palette.colours, palette.ground, palette.dark)])
    shapes = 0
    for coat, spacing in ((0, 1.0), (1, 1.9)):
        rows, columns = _jittered_grid(rng, height, width, dot * spacing)
        colours = view[np.clip(rows.astype(int), 0, height - 1), np.clip(columns.astype(int), 0, width - 1)]
        colours = _scattered(rng, colours, pure, contrast * (0.55 if coat == 0 else 1.0))
        radii = dot * OVERSAMPLING / 2 * rng.uniform(0.78, 1.12, len(rows))
        squeeze = rng.uniform(0.8, 1.0, len(rows))
        tones = (np.clip(colours, 0, 1) * 255).astype(int).tolist()
        xs, ys = columns * OVERSAMPLING, rows * OVERSAMPLING
        for x, y, radius, thin, tone in zip(xs, ys, radii, squeeze, tones, strict=True):
            pen.ellipse((x - radius, y - radius * thin, x + radius, y + radius * thin), fill=tuple(tone))
        shapes += len(rows)
    return Painting(on_canvas(rng, settled(sheet), 0.8), shapes)


def _jittered_grid(rng, height: int, width: int, spacing: float):  # type: ignore[no-untyped-def]
    """Return rows and columns of points on a staggered grid, each moved a little, in random order."""
    ys = np.arange(-spacing / 2, height + spacing, spacing * 0.87)
    xs = np.arange(-spacing / 2, width + spacing, spacing)
    columns, rows = np.meshgrid(xs, ys)
    columns[1::2] += spacing / 2
    rows = rows.ravel() + rng.normal(0, spacing * 0.16, rows.size)
    columns = columns.ravel() + rng.normal(0, spacing * 0.16, columns.size)
    order = rng.permutation(rows.size)
    return rows[order], columns[order]


def _scattered(rng, colours, pure, contrast: float):  # type: ignore[no-untyped-def]
    """Move each dot's colour towards a pure palette colour near it, some towards the complement."""
    distances = ((colours[:, None, :] - pure[None]) ** 2).sum(axis=2)
    pull = np.exp(-distances / 0.12)
    pull = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)
    taken = pure[np.minimum((rng.random((len(colours), 1)) > pull).sum(axis=1), len(pure) - 1)]
    share = contrast * rng.uniform(0.15, 0.75, (len(colours), 1))
    mixed = colours * (1 - share) + taken * share
    # some dots turn the hue half round at the same lightness: the complement that makes the rest sing
    opposite = rng.random(len(colours)) < 0.10 * (0.3 + contrast)
    light = mixed[opposite].mean(axis=1, keepdims=True)
    mixed[opposite] = light + (light - mixed[opposite]) * 0.9 + np.array([0.05, 0.0, -0.04])
    # and all of them are a little purer than the mixture they make
    mixed = mixed + (mixed - mixed.mean(axis=1, keepdims=True)) * 0.28
    return mixed + rng.normal(0, 0.035, (len(colours), 1)) + rng.normal(0, 0.03, colours.shape)


MANNER = Manner(
    "dots",
    paint,
    (
        Series(
            *("The Bay", "sea", (360, 264), "landscape", "from dawn to dusk"),
            "The Bay at {hour}",
            {"motif": "shore", "dot": 4.6, "hour": (0.0, 0.9), "contrast": 0.55},
        ),
        Series(
            *("Poplars", "meadow", (288, 360), "landscape", "dots grow"),
            "Poplars, {ordinal} study",
            {"motif": "poplars", "dot": (3.6, 9.5), "hour": 0.4, "contrast": 0.6},
        ),
        Series(
            *("Two Hills", "orchard", (360, 272), "landscape", "evening comes"),
            "Two Hills, {hour}",
            {"motif": "hills", "dot": 4.6, "hour": (0.15, 0.9), "contrast": 0.5},
        ),
        Series(
            *("Bowl of Fruit", "terracotta", (320, 320), "still life", "colours part"),
            "Bowl of Fruit {roman}",
            {"motif": "fruit", "dot": 4.6, "hour": 0.35, "contrast": (0.1, 1.0)},
        ),
        Series(
            *("Rings", "carnival", (330, 330), "abstract", "dots grow"),
            "Rings in {colours}",
            {"motif": "rings", "dot": (4.0, 11.0), "hour": 0.4, "contrast": 0.45},
        ),
        Series(
            *("Night Harbour", "night", (360, 252), "landscape", "lights come on"),
            "Night Harbour, {shapes} dots",
            {"motif": "lights", "dot": 4.8, "hour": (0.55, 1.0), "contrast": 0.5},
        ),
    ),
)
