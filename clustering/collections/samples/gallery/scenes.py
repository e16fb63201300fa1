"""Simple motifs as soft images: what dots are set over, and the sky that landscapes share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clustering.collections.samples.gallery.colours import Palette
from clustering.collections.samples.gallery.material import Field, as_float, cloudy, smooth_noise

# Light by the hour, from dawn (0) through noon to night (1): tint of the air, and how much of it there is.
_HOURS = np.array([0.0, 0.25, 0.5, 0.72, 0.86, 1.0])
_AIR = np.array(
    [
        [0.98, 0.72, 0.70],
        [0.95, 0.94, 0.86],
        [0.97, 0.98, 0.95],
        [0.99, 0.70, 0.40],
        [0.66, 0.44, 0.52],
        [0.16, 0.24, 0.44],
    ]
)
_SHARE = np.array([0.46, 0.16, 0.04, 0.42, 0.58, 0.80])


def in_the_light_of(picture: Field, hour: float) -> Field:
    """Return the picture as the air of that hour tints it."""
    air = np.array([np.interp(hour, _HOURS, _AIR[:, channel]) for channel in range(3)], dtype=np.float32)
    share = float(np.interp(hour, _HOURS, _SHARE))
    dim = np.float32(1 - 0.34 * max(0.0, hour - 0.7) / 0.3)
    return (picture * (1 - share) + picture * air * share * 0.8 + air * share * 0.24) * dim


def scene(
    motif: str, rng: np.random.Generator, palette: Palette, height: int, width: int, hour: float
) -> Field:
    """Return a motif in a palette at an hour, float32 (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = _MOTIFS[motif](rng, palette, rows / height, columns / width)
    lit = picture if motif in ("rings", "fruit", "lights") else in_the_light_of(picture, hour)
    if motif == "lights":
        lit = _with_lights(rng, palette, in_the_light_of(picture, min(hour, 0.95)), hour)
    return np.clip(lit, 0, 1).astype(np.float32)


def ramp(colours: list[Field], at: Field) -> Field:
    """Return colours evenly spaced along ``at`` (0 to 1), blended, (height, width, 3)."""
    stops = np.linspace(0, 1, len(colours))
    table = np.stack(colours)
    return np.stack([np.interp(at, stops, table[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def _over(picture: Field, colour: Field, cover: Field) -> Field:
    return picture * (1 - cover[..., None]) + colour * cover[..., None]


def _sky_and(palette: Palette, y: Field, horizon: float) -> Field:
    pale, clear = as_float(palette.ground), as_float(palette.colours[min(2, len(palette.colours) - 1)])
    return ramp([clear * 0.55 + pale * 0.45, pale], np.clip(y / horizon, 0, 1))


def _edge(distance: Field, softness: float = 0.006) -> Field:
    return (1 / (1 + np.exp(-np.clip(distance / softness, -30, 30)))).astype(np.float32)


def _shore(rng: np.random.Generator, palette: Palette, y: Field, x: Field) -> Field:
    tall = y.shape[0] / y.shape[1]
    horizon = rng.uniform(0.36, 0.44)
    picture = _sky_and(palette, y, horizon)
    sun_x = rng.uniform(0.2, 0.8)
    sun = _edge(0.055 - np.hypot((x - sun_x), (y - horizon * 0.55) * tall), 0.012)
    glow = np.exp(-(((x - sun_x) / 0.3) ** 2) - ((y - horizon * 0.55) / 0.25) ** 2)
    warm = as_float(palette.colours[3])
    picture = _over(picture, warm * 0.5 + 0.5, glow * 0.7)
    picture = _over(picture, warm * 0.4 + 0.6, sun)
    ripples = cloudy(rng, y.shape, 5, 4)
    depth = np.clip((y - horizon) / (1 - horizon), 0, 1)
    water = ramp(
        [as_float(palette.colours[0]), as_float(palette.colours[1]), as_float(palette.colours[2])], depth
    )
    glitter = np.exp(-(((x - sun_x) / (0.06 + 0.12 * depth)) ** 2)) * (np.sin(y * 190 + ripples * 3) > 0.1)
    water = _over(water, warm * 0.4 + 0.6, (glitter * 0.75).astype(np.float32))
    picture = _over(picture, water, _edge(y - horizon, 0.003))
    far = horizon - 0.05 * np.clip(np.sin(x * 3.1 + rng.uniform(0, 6)) + 0.3 * np.sin(x * 11), 0, 2)
    picture = _over(
        picture, as_float(palette.colours[2]) * 0.6 + 0.25, _edge(y - far) * _edge(horizon - y, 0.003)
    )
    bank = 0.82 + 0.1 * np.sin(x * 2.4 + rng.uniform(0, 6)) + 0.01 * ripples
    return _over(picture, as_float(palette.colours[3]) * 0.9, _edge(y - bank, 0.008))


def _hills(rng: np.random.Generator, palette: Palette, y: Field, x: Field) -> Field:
    picture = _sky_and(palette, y, 0.5)
    clouds = cloudy(rng, y.shape, 2.5, 4)
    picture = _over(picture, as_float(palette.ground), np.clip(clouds * 0.4, 0, 0.6) * (y < 0.5))
    for index, level in enumerate((0.46, 0.58, 0.74)):
        crest = level - 0.13 * np.sin(x * rng.uniform(2.5, 4.5) + rng.uniform(0, 6)) - 0.01 * clouds
        colour = as_float(palette.colours[(0, 1, 4)[index] % len(palette.colours)])
        rows_of_field = 0.06 * np.sin((y - crest) * 90 + x * 14) * (index > 0)
        picture = _over(picture, colour, _edge(y - crest))
        picture += (rows_of_field * _edge(y - crest))[..., None].astype(np.float32)
    path_x = 0.5 + 0.18 * np.sin(y * 7 + rng.uniform(0, 6)) * (1 - y)
    path = _edge(0.02 + 0.16 * np.clip(y - 0.6, 0, 1) - np.abs(x - path_x), 0.01) * (y > 0.62)
    return _over(picture, as_float(palette.colours[2]) * 0.5 + 0.42, path.astype(np.float32) * 0.9)


def _poplars(rng: np.random.Generator, palette: Palette, y: Field, x: Field) -> Field:
    picture = _sky_and(palette, y, 0.7)
    picture = _over(picture, as_float(palette.colours[3]) * 0.6 + 0.35, np.clip(0.55 - y, 0, 1))
    rough = cloudy(rng, y.shape, 16, 3)
    ground = 0.72 + 0.02 * np.sin(x * 6)
    picture = _over(picture, as_float(palette.colours[0]), _edge(y - ground))
    picture = _over(
        picture, as_float(palette.colours[2]), np.clip(rough * 0.5, 0, 0.7) * _edge(y - ground - 0.05)
    )
    trees = int(rng.integers(4, 7))
    for tree in range(trees):
        centre = (tree + 0.5) / trees + rng.uniform(-0.04, 0.04)
        top, foot = rng.uniform(0.08, 0.2), 0.74
        share = np.clip((y - top) / (foot - top), 0, 1)
        half = 0.055 * np.clip(np.sin(np.pi * share**0.75), 0, 1) ** 0.8 + 0.006
        cover = _edge(half - np.abs(x - centre) + rough * 0.006, 0.006) * (y > top) * (y < foot)
        side = np.clip((x - centre) / 0.06 * 0.5 + 0.5, 0, 1)[..., None]
        leaf = as_float(palette.colours[1]) * (1 - side) + as_float(palette.dark) * 0.75 * side
        picture = _over(picture, leaf + 0.05 * rough[..., None], cover.astype(np.float32))
        shade = _edge(0.03 - np.abs((x - centre) - (y - foot) * 0.5), 0.01) * (y > foot) * 0.5
        picture = _over(picture, as_float(palette.dark), shade.astype(np.float32))
    return picture


def _fruit(rng: np.random.Generator, palette: Palette, y: Field, x: Field) -> Field:
    tall = y.shape[0] / y.shape[1]
    picture = ramp([as_float(palette.colours[3]) * 0.8, as_float(palette.ground)], np.clip(x + y * 0.3, 0, 1))
    picture = _over(picture, as_float(palette.colours[0]) * 0.9, _edge(y - 0.62, 0.004))
    shadow = np.exp(-(((x - 0.56) / 0.33) ** 2) - ((y - 0.8) / 0.05) ** 2)
    picture = _over(picture, as_float(palette.dark), (0.75 * shadow).astype(np.float32))
    skins = [
        as_float(c) for c in (palette.colours[1], palette.colours[2], palette.colours[4], palette.colours[0])
    ]
    for index in range(6):
        cx, cy = (
            0.3 + 0.085 * index + rng.uniform(-0.02, 0.02),
            0.50 - 0.07 * (index % 2) + rng.uniform(-0.02, 0.02),
        )
        radius = rng.uniform(0.085, 0.115)
        u, v = (x - cx) / radius, (y - cy) * tall / radius
        inside = np.hypot(u, v)
        light = np.clip(0.55 - 0.5 * u * 0.6 - 0.5 * v * 0.7, 0.05, 1.2)[..., None]
        skin = skins[index % len(skins)] * (0.45 + 0.8 * light)
        picture = _over(picture, skin, _edge(1 - inside, 0.05))
    rim = np.abs(x - 0.52) / 0.31
    bowl = (y > 0.55) & (y < 0.55 + 0.25 * np.sqrt(np.clip(1 - rim**2, 0, 1)))
    glaze = as_float(palette.ground) * (0.95 - 0.5 * np.clip((x - 0.3) / 0.5, 0, 1))[..., None]
    return _over(picture, glaze, bowl.astype(np.float32))


def _rings(rng: np.random.Generator, palette: Palette, y: Field, x: Field) -> Field:
    tall = y.shape[0] / y.shape[1]
    cx, cy = rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65)
    distance = np.hypot(x - cx, (y - cy) * tall) + 0.015 * smooth_noise(rng, y.shape, 4, 4)
    colours = [as_float(palette.colours[k]) for k in rng.permutation(len(palette.colours))]
    return ramp([*colours, colours[0], *colours[:2]], np.clip(distance / 0.8, 0, 1))


def _lights(rng: np.random.Generator, palette: Palette, y: Field, x: Field) -> Field:
    picture = ramp([as_float(palette.colours[0]), as_float(palette.colours[2])], np.clip(y / 0.55, 0, 1))
    water = ramp([as_float(palette.colours[1]), as_float(palette.dark)], np.clip((y - 0.55) / 0.45, 0, 1))
    houses = rng.uniform(0.0, 0.11, 14) * (rng.random(14) < 0.8)
    roofs = 0.5 - houses[np.minimum((x * 14).astype(int), 13)]
    picture = _over(picture, as_float(palette.dark), _edge(y - roofs, 0.003))
    return _over(picture, water, _edge(y - 0.56, 0.004))


def _with_lights(rng: np.random.Generator, palette: Palette, picture: Field, hour: float) -> Field:
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = columns / width, rows / height
    glow = np.zeros((height, width), dtype=np.float32)
    for _ in range(round(4 + 26 * max(0.0, (hour - 0.5) * 2))):
        lx, ly = rng.uniform(0.03, 0.97), rng.uniform(0.47, 0.55)
        glow += np.exp(-(((x - lx) * width) ** 2 + ((y - ly) * height) ** 2) / 30)
        path = np.exp(-(((x - lx) / (0.008 + 0.03 * np.clip(y - 0.56, 0, 1))) ** 2)) * (y > 0.56)
        glow += (path * np.exp(-(y - 0.56) / 0.22) * (0.6 + 0.4 * np.sin(y * 160 + lx * 50))).astype(
            np.float32
        )
    return _over(picture, as_float(palette.colours[3]), np.clip(glow, 0, 1))


_MOTIFS: dict[str, Callable[..., Field]] = {
    "shore": _shore,
    "hills": _hills,
    "poplars": _poplars,
    "fruit": _fruit,
    "rings": _rings,
    "lights": _lights,
}
