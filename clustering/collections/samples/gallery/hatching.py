"""Engravings: tone made of lines that swell where it is dark and cross where it is darker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clustering.collections.samples.gallery.colours import Palette
from clustering.collections.samples.gallery.manner import Manner, Painting, Series, Size
from clustering.collections.samples.gallery.material import (
    Field,
    as_float,
    averaged,
    cloudy,
    enlarged,
    on_paper,
    smooth_noise,
)


def paint(
    rng: np.random.Generator,
    palette: Palette,
    size: Size,
    motif: str = "spheres",
    light: float = 0.3,
    lines: float = 60,
    crossing: float = 0.5,
    depth: float = 1.0,
    amount: float = 3,
    tint: float = 0.0,
) -> Painting:
    """Engrave a motif.

    Parameters
    ----------
    motif : {"spheres", "mountains", "vase", "waves", "moon", "drapery"}
    light : float
        Where the light stands, from −1 (far left) to 1 (far right).
    lines : float
        Lines across the plate in the first direction.
    crossing : float
        0 never crosses lines, 1 crosses them in every half tone.
    depth : float
        Contrast of the tones.
    amount : float
        How many things are shown.
    tint : float
        Strength of a flat second plate in the palette's colour.
    """
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    longest = max(width, height)
    x, y = (columns - width / 2) / longest * 2, (rows - height / 2) / longest * 2
    tone, flow = _MOTIFS[motif](rng, x, y, light, max(1, round(amount)))
    dark = enlarged(np.clip((1 - tone) * depth, 0, 1))
    course = flow + smooth_noise(rng, (height, width), 7, 7) * 0.006
    ink = np.zeros(dark.shape, dtype=np.float32)
    shapes = 0
    for angle, threshold, share in (
        (24.0, 0.06, 1.0),
        (-38.0, 0.52 - 0.3 * crossing, 0.9),
        (80.0, 0.80, 0.8),
    ):
        if angle != 24.0 and crossing <= 0:
            break
        way = np.deg2rad(angle)
        across = enlarged((x * np.sin(way) + y * np.cos(way) + course) * lines * share / 2)
        excess = np.clip((dark - threshold) / (1.02 - threshold), 0, 1)
        thick = 0.64 * excess**0.85
        inside = np.abs(across - np.floor(across) - 0.5) * 2
        stroke = np.clip((thick - inside) * 3.2 + 0.5, 0, 1) * (excess > 0.015)
        ink = np.maximum(ink, stroke)
        shapes += _distinct(across[stroke > 0.5])
    return Painting(_printed(rng, palette, averaged(ink), tone, tint), shapes)


def _distinct(across: Field) -> int:
    """Return how many different lines the inked places lie on."""
    if not across.size:
        return 0
    lines = np.floor(across).astype(np.int64)
    return int(np.count_nonzero(np.bincount(lines - lines.min())))


def _printed(rng: np.random.Generator, palette: Palette, ink: Field, tone: Field, tint: float) -> np.ndarray:
    """Print the plate on paper with a margin, a plate mark and ink that took unevenly."""
    height, width = ink.shape
    picture = np.broadcast_to(as_float(palette.ground), (height, width, 3)).copy()
    if tint > 0:
        plate = as_float(palette.colours[min(2, len(palette.colours) - 1)])
        cover = np.clip(tint * (0.25 + 0.75 * (1 - tone)), 0, 0.85)[..., None]
        picture = picture * (1 - cover) + plate * cover
    took = np.clip(0.90 + 0.07 * cloudy(rng, (height, width), 18, 3), 0.6, 1)
    margin = round(min(height, width) * 0.045)
    frame = np.zeros((height, width), dtype=np.float32)
    frame[margin:-margin, margin:-margin] = 1
    picture = picture * frame[..., None] + as_float(palette.ground) * (1 - frame[..., None])
    cover = (ink * took * frame)[..., None]
    picture = picture * (1 - cover) + as_float(palette.dark) * cover
    rim = frame - np.pad(frame[1:-1, 1:-1], 1)
    picture -= rim[..., None] * 0.05
    return on_paper(rng, picture, 0.9)


def _sphere(
    x: Field, y: Field, cx: float, cy: float, radius: float, light: float
) -> tuple[NDArray[np.bool_], Field, Field]:
    """Return where a ball is, how it is lit, and its height, for one lamp high up at ``light``."""
    u, v = (x - cx) / radius, (y - cy) / radius
    inside = u * u + v * v < 1
    z = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    lamp = np.array([0.75 * light, -0.6, 0.62])
    lamp /= np.linalg.norm(lamp)
    lit = np.clip(u * lamp[0] + v * lamp[1] + z * lamp[2], 0, 1)
    bounce = 0.10 * np.clip(v, 0, 1) * (1 - lit)
    return inside, (0.04 + 0.96 * lit**0.9 + bounce).astype(np.float32), z.astype(np.float32)


def _spheres(rng: np.random.Generator, x: Field, y: Field, light: float, amount: int) -> tuple[Field, Field]:
    floor = 0.22
    tone: Field = np.where(y < floor, 0.56 + 0.25 * (y + 1) / 2, 0.97 - 0.25 * (y - floor)).astype(np.float32)
    flow: Field = np.where(y < floor, 0.0, 0.02).astype(np.float32)
    places = np.linspace(-0.62, 0.62, amount) if amount > 1 else np.array([0.0])
    order = rng.permutation(amount)
    for index in order:
        radius = rng.uniform(0.16, 0.27) if amount > 1 else 0.36
        cx, cy = float(places[index] + rng.normal(0, 0.03)), floor + rng.uniform(0.02, 0.3) - radius * 0.6
        foot = cy + radius * 0.97
        reach = (x - cx + light * radius * 1.3) / (radius * 1.65)
        shade = np.exp(-(reach**4) - ((y - foot) / (radius * 0.2)) ** 2)
        tone = tone * (1 - 0.85 * shade)
        inside, lit, z = _sphere(x, y, cx, cy, radius, light)
        tone = np.where(inside, lit, tone)
        flow = np.where(inside, z * radius * 0.55, flow)
    return tone, flow


def _mountains(
    rng: np.random.Generator, x: Field, y: Field, light: float, amount: int
) -> tuple[Field, Field]:
    tone = (0.80 + 0.18 * (y + 0.8)).astype(np.float32)
    flow = np.zeros_like(tone)
    for layer in range(amount):
        share = (layer + 1) / amount
        rough = cloudy(rng, x.shape, 3.0 + 1.5 * share, 4)
        crest_line = cloudy(rng, (8, x.shape[1]), 3 + 2 * share, 6)[4] * (0.20 - 0.07 * share)
        crest = -0.42 + 0.85 * share * 0.9 + crest_line[None, :]
        below = np.clip(y - crest, 0, 2)
        # a spur leaves the crest where it bends and leans sideways as it descends
        bent = smooth_noise(rng, x.shape, 5, 6)
        spur = np.sin((x + (0.9 if layer % 2 else -0.7) * below) * 11 + bent * 1.7)
        slope = (0.36 * spur + rough * 0.10) * light * (0.5 + 0.5 * share)
        face = np.clip(0.64 + slope - 0.12 * share + 0.22 * below, 0.03, 0.97)
        mist = np.clip((y - crest) * (1.7 - share) * 1.2, 0, 0.5) * (1 - share)
        inside = y > crest
        tone = np.where(inside, np.clip(face + mist, 0, 1), tone)
        flow = np.where(inside, rough * 0.02, flow)
    return tone.astype(np.float32), flow.astype(np.float32)


def _vase(rng: np.random.Generator, x: Field, y: Field, light: float, amount: int) -> tuple[Field, Field]:
    table = 0.52
    tone: Field = np.where(y < table, 0.62 - 0.3 * x * light, 0.92).astype(np.float32)
    flow: Field = np.zeros_like(tone)
    a, b, c = rng.uniform(0.16, 0.34), rng.uniform(0.05, 0.14), rng.uniform(0, 6)
    belly = rng.uniform(0.55, 1.5)
    t = np.clip((y + 0.42) / (table + 0.38), 0, 1)
    half = (
        a * np.clip(np.sin(np.pi * t**belly), 0, 1) ** 1.2
        + b * (1 - t)
        + 0.07 * (t > 0.9)
        + 0.025 * np.sin(t * 9 + c)
    )
    inside = (np.abs(x) < half) & (y > -0.42) & (y < table + 0.04)
    u = np.clip(x / np.maximum(half, 1e-3), -1, 1)
    lit = np.clip(u * light * 0.8 + np.sqrt(np.clip(1 - u * u, 0, 1)) * 0.72, 0, 1)
    shade = np.exp(-(((x + light * 0.4) / 0.42) ** 4) - ((y - table - 0.03) / 0.07) ** 2)
    tone = tone * (1 - 0.8 * shade)
    bands = 1 - 0.16 * (np.sin(t * 34) > 0.86)
    tone = np.where(inside, 0.05 + 0.93 * lit * bands, tone)
    flow = np.where(inside, -np.sqrt(np.clip(1 - u * u, 0, 1)) * half * 0.5, flow)
    for stem in range(amount):
        lean = (stem - (amount - 1) / 2) * 0.16 + rng.normal(0, 0.02)
        top = -0.62 - rng.uniform(0, 0.16)
        along = np.clip((y + 0.42) / (top + 0.42), 0, 1)
        cx = lean * along**1.4
        tone = np.where((np.abs(x - cx) < 0.009) & (y < -0.4) & (y > top), 0.02, tone)
        ball, bloom, _ = _sphere(x, y, float(lean), float(top), rng.uniform(0.07, 0.11), light)
        petals = 0.75 + 0.25 * np.sin(np.arctan2(y - top, x - lean) * 9)
        tone = np.where(ball, bloom * petals, tone)
    return tone.astype(np.float32), flow.astype(np.float32)


def _waves(rng: np.random.Generator, x: Field, y: Field, light: float, amount: int) -> tuple[Field, Field]:
    horizon = -0.25
    sun_x = light * 0.6
    sky = 0.70 + 0.28 * np.exp(-np.hypot(x - sun_x, y - horizon + 0.12) * 2.2)
    sun = np.hypot(x - sun_x, y - horizon + 0.16) < 0.10
    near = np.clip(y - horizon, 1e-3, 2)
    rough = cloudy(rng, x.shape, 4, 4)
    swell = np.sin(
        (np.log(near + 0.06) * amount * 3.1) + np.sin(x * 4 + rng.uniform(0, 6)) * 0.8 + rough * 0.5
    )
    glitter = np.exp(-(((x - sun_x) / (0.08 + 0.35 * near)) ** 2)) * 0.55
    sea = 0.40 + 0.34 * swell + glitter - 0.12 * near
    tone = np.where(y < horizon, np.where(sun, 1.0, sky), np.clip(sea, 0.02, 1))
    flow = np.where(y < horizon, 0.0, swell * 0.035 * np.sqrt(near))
    return tone.astype(np.float32), flow.astype(np.float32)


def _moon(rng: np.random.Generator, x: Field, y: Field, light: float, amount: int) -> tuple[Field, Field]:
    cloud = cloudy(rng, x.shape, 3, 5)
    distance = np.hypot(x - 0.12, y + 0.3)
    tone = 0.10 + 0.42 * np.exp(-distance * 2.6) + 0.13 * np.clip(cloud, -1, 1.5)
    u, v = (x - 0.12) / 0.24, (y + 0.3) / 0.24
    edge = light * np.sqrt(np.clip(1 - v * v, 0, 1))
    tone = np.where(distance < 0.24, np.where(u > edge, 0.97 - 0.08 * (cloud > 0.6), 0.14), tone)
    flow = cloud * 0.012
    for layer in range(amount):
        crest_line = cloudy(rng, (8, x.shape[1]), 2.5 + layer, 5)[4] * 0.09
        crest = 0.30 + 0.22 * layer / amount * 1.5 + crest_line[None, :]
        inside = y > crest
        tone = np.where(inside, np.clip(0.34 - 0.26 * layer / amount + 0.10 * cloud, 0.01, 1), tone)
    return tone.astype(np.float32), flow.astype(np.float32)


def _drapery(rng: np.random.Generator, x: Field, y: Field, light: float, amount: int) -> tuple[Field, Field]:
    bend = smooth_noise(rng, x.shape, 3, 3) * 0.5
    lean = rng.uniform(-0.5, 0.5)
    course = (x + lean * y + 0.22 * np.sin(y * 2.2 + bend)) * amount * 2.3 + bend
    height = np.sin(course) + 0.35 * np.sin(course * 2.3 + 1 + y * 2)
    slope = np.gradient(height, axis=1) * x.shape[1] / (amount * 9)
    tone = np.clip(0.52 + slope * light * 0.75 + height * 0.2, 0.03, 1)
    return tone.astype(np.float32), (height * 0.028).astype(np.float32)


_MOTIFS: dict[str, Callable[..., tuple[Field, Field]]] = {
    "spheres": _spheres,
    "mountains": _mountains,
    "vase": _vase,
    "waves": _waves,
    "moon": _moon,
    "drapery": _drapery,
}

MANNER = Manner(
    "hatching",
    paint,
    (
        Series(
            *("Three Spheres", "ink", (360, 264), "still life", "the lamp moves from left to right"),
            "Three Spheres, {ordinal} state",
            {"motif": "spheres", "light": (-1.0, 1.0), "lines": 74, "amount": 3},
        ),
        Series(
            *("Passes", "terracotta", (360, 270), "landscape", "ranges multiply"),
            "Mountain Pass {roman}",
            {"motif": "mountains", "light": 0.8, "lines": 92, "amount": (1.6, 6.4), "crossing": 0.6},
        ),
        Series(
            *("Vases", "harbour", (264, 360), "still life", "the blue plate is inked more strongly"),
            "Vase, {ordinal} impression",
            {"motif": "vase", "light": -0.7, "lines": 84, "amount": 3, "tint": (0.0, 0.75)},
        ),
        Series(
            *("The Open Sea", "sea", (360, 252), "landscape", "waves shorten"),
            "The Open Sea, plate {place}",
            {
                "motif": "waves",
                "light": 0.2,
                "lines": 96,
                "amount": (1.0, 4.4),
                "crossing": 0.35,
                "tint": 0.12,
            },
        ),
        Series(
            *("Moonrise", "night", (288, 360), "landscape", "the moon wanes"),
            "Moonrise, night {place}",
            {"motif": "moon", "light": (-1.0, 0.9), "lines": 88, "amount": 2, "crossing": 0.7},
        ),
        Series(
            *("Drapery", "ink", (330, 330), "still life", "from open to dense crossing"),
            "Drapery Study {roman}",
            {"motif": "drapery", "light": 0.9, "lines": 70, "amount": 2, "crossing": (0.0, 1.0)},
        ),
    ),
)
