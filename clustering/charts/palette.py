"""Colours, symbols and names of clusters: the same on every page, in every chart, and never colour alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """The colours of our own interface, as hex strings."""

    paper: str
    surface: str
    ink: str
    quiet: str
    line: str
    accent: str


THEMES: dict[ThemeName, Theme] = {
    "light": Theme("#FAF8F4", "#FFFFFF", "#1F1D1A", "#6B665E", "#E4DFD6", "#A33B20"),
    "dark": Theme("#15171A", "#1D2024", "#ECE7DF", "#9B958B", "#2C3036", "#E0785A"),
}

OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")

# glasbey.extend_palette(OKABE_ITO, palette_size=20, lightness_bounds=(30, 80), chroma_bounds=(5, 90),
# colorblind_safe=True, cvd_type="deuteranomaly", cvd_severity=70): of 280 settings tried, the one whose
# closest pair stays furthest apart (CAM02-UCS: 13.3 in full colour vision; 7.7, 6.0 and 4.6 without green,
# red and blue cones). It goes on from Okabe-Ito, so the first seven clusters keep their colours beyond eight.
# Its second, #C6D2CA, was faint on paper: in its place the green that has a contrast of 3 or more on both
# themes and lies far from all others (17 in full colour vision, 8.8 or more without one kind of cone).
GLASBEY = (
    *("#596500", "#387058", "#7D6D75", "#EB10CE", "#18BA59", "#E3B6FF", "#A2048E"),
    *("#20C2A6", "#A26941", "#D2C27D", "#104DFF", "#7986FF", "#F79ACE"),
)

# Light to dark on paper, dark to light on the dark theme: more is always further from the background.
SEQUENTIAL: dict[ThemeName, tuple[str, ...]] = {
    "light": ("#D3C7B1", "#D8A87A", "#C97648", "#A33B20", "#6A1F12", "#340D09"),
    "dark": ("#453E3B", "#6E473C", "#A65A43", "#E0785A", "#F2AE8C", "#FCE9D3"),
}

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star")
GLYPHS = ("●", "■", "◆", "▲", "▼", "✚", "✖", "★")
UNASSIGNED = -1


def theme_of(name: str) -> Theme:
    """Return the colours of the theme called ``name``.

    Raises
    ------
    StudioError
        When it is neither ``"light"`` nor ``"dark"``.
    """
    if name not in THEMES:
        raise StudioError(f"There is no theme called “{name}”.", "Choose “light” or “dark”.")
    return THEMES[name]  # type: ignore[index]


def cluster_colors(
    n_clusters: int, theme: ThemeName = "light", centers_on_map: ArrayLike | None = None
) -> list[str]:
    """Return one colour a cluster, as ``#RRGGBB``.

    Parameters
    ----------
    n_clusters : int
        Clusters are numbered 0 … n_clusters − 1; the colour of a number depends only on these arguments.
    theme : {"light", "dark"}
        Decides the eighth of up to eight colours (ink or paper) and the lightness of more than twenty.
    centers_on_map : array-like (n_clusters, 2), optional
        Positions of the clusters on the map; with more than twenty clusters hue follows their angle around
        the middle of the map, so that neighbours look related. Without it hue follows the number.

    Returns
    -------
    list of str
        Up to 8: Okabe–Ito and ink. Up to 20: colours checked for colour blindness. Above: hue and lightness,
        where only numbers and symbols tell neighbours apart.
    """
    colors = theme_of(theme)
    if n_clusters <= len(OKABE_ITO) + 1:
        return [*OKABE_ITO, colors.ink][: max(n_clusters, 0)]
    if n_clusters <= len(OKABE_ITO) + len(GLASBEY):
        return [*OKABE_ITO, *GLASBEY][:n_clusters]
    return _colors_by_place(n_clusters, theme, centers_on_map)


def label_colors(labels: ArrayLike, colors: Sequence[str], theme: ThemeName = "light") -> list[str]:
    """Return the colour of every label; unassigned (-1) and unknown labels are line grey."""
    unassigned = theme_of(theme).line
    return [colors[label] if 0 <= label < len(colors) else unassigned for label in _integers(labels)]


def group_name(label: int, names: Sequence[str] | None = None) -> str:
    """Return what a person calls cluster ``label``: its own name, or “Group 3” for label 2.

    Groups are counted from 1; `group_number` gives the same number for the map.
    """
    if label < 0:
        return "Unassigned"
    if names is not None and label < len(names) and names[label]:
        return str(names[label])
    return f"Group {group_number(label)}"


def group_number(label: int) -> int:
    """Return the number shown for a label, counted from 1."""
    return int(label) + 1


def cluster_symbol(label: int) -> str:
    """Return the plotly symbol of a cluster; unassigned items are open circles."""
    return SYMBOLS[label % len(SYMBOLS)] if label >= 0 else "circle-open"


def cluster_glyph(label: int) -> str:
    """Return the same symbol as one character for legends and captions."""
    return GLYPHS[label % len(GLYPHS)] if label >= 0 else "○"


def sequential_scale(theme: ThemeName = "light") -> list[list[Any]]:
    """Return the plotly colour scale for confidence and numeric columns: places 0 to 1 with colours."""
    theme_of(theme)
    stops = SEQUENTIAL[theme]
    return [[index / (len(stops) - 1), color] for index, color in enumerate(stops)]


def sequential_colors(
    values: ArrayLike, theme: ThemeName = "light", low: float | None = None, high: float | None = None
) -> list[str]:
    """Return one colour a value between ``low`` and ``high`` (the data's own by default).

    Values that are missing or infinite are line grey.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    finite = np.isfinite(numbers)
    if not finite.any():
        return [theme_of(theme).line] * len(numbers)
    bottom = float(numbers[finite].min()) if low is None else low
    top = float(numbers[finite].max()) if high is None else high
    share = np.clip((numbers - bottom) / ((top - bottom) or 1.0), 0.0, 1.0)
    stops = np.array([_rgb(color) for color in SEQUENTIAL[theme]])
    places = np.linspace(0.0, 1.0, len(stops))
    mixed = np.stack([np.interp(np.where(finite, share, 0.0), places, stops[:, c]) for c in range(3)], axis=1)
    return [_hex(color) if good else theme_of(theme).line for color, good in zip(mixed, finite, strict=True)]


def contrast_ratio(first: str, second: str) -> float:
    """Return the WCAG 2 contrast of two hex colours, from 1 to 21; text needs 4.5, graphics 3."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(color: str) -> str:
    """Return black or white, whichever reads better on ``color``: its contrast is 4.5 or more."""
    return max(("#000000", "#FFFFFF"), key=lambda text: contrast_ratio(text, color))


def translucent(color: str, opacity: float) -> str:
    """Return a hex colour as ``rgba(…)`` with the given opacity from 0 to 1."""
    red, green, blue = (round(255 * part) for part in _rgb(color))
    return f"rgba({red},{green},{blue},{opacity:g})"


def _colors_by_place(n_clusters: int, theme: ThemeName, centers_on_map: ArrayLike | None) -> list[str]:
    ranks = np.arange(n_clusters)
    if centers_on_map is not None:
        centers = np.asarray(centers_on_map, dtype=np.float64)
        if centers.shape != (n_clusters, 2):
            raise StudioError(
                f"Colours for {n_clusters} clusters got centres of shape {centers.shape}.",
                f"Give an array of shape ({n_clusters}, 2).",
            )
        centers = np.nan_to_num(centers, nan=0.0, posinf=0.0, neginf=0.0)  # an empty cluster has no centre
        from_middle = centers - np.median(centers, axis=0)
        ranks[np.argsort(np.arctan2(from_middle[:, 1], from_middle[:, 0]), kind="stable")] = np.arange(
            n_clusters
        )
    # Three steps of lightness tell neighbours in hue apart; the steps keep contrast with the background.
    lightness = (0.48, 0.60, 0.71) if theme == "light" else (0.58, 0.70, 0.82)
    return [
        _from_oklch(lightness[rank % 3], 0.16, 2 * math.pi * rank / n_clusters) for rank in ranks.tolist()
    ]


def _from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """Return the sRGB colour of an OKLCH one, with less chroma where the screen has no such colour."""
    while True:
        a, b = chroma * math.cos(hue), chroma * math.sin(hue)
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
        if min(linear) >= 0.0 and max(linear) <= 1.0:
            return _hex(
                np.array([12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055 for x in linear])
            )
        chroma *= 0.97


def _luminance(color: str) -> float:
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in _rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(color: str) -> tuple[float, float, float]:
    return int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255


def _hex(color: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02X}" for part in color)


def _integers(labels: ArrayLike) -> list[int]:
    return [int(label) for label in np.asarray(labels).ravel().tolist()]
