"""Draw a window of a series as a small picture: the item's face on maps, walls and cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SMALL = 128  # pixels, longer side of a thumbnail
ASPECT = 1.5
PAPER, LINE = "#FFFFFF", "#E4DFD6"
# Okabe–Ito on white, without the yellow that nobody sees there; further channels begin again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1F1D1A")
OVERLAID = 3  # channels on one pair of axes; more get a lane each
LANES = 8  # lanes at most: further channels share them
FINER = 3  # drawn so many times larger, then made small: PIL's lines have no soft edge


def drawn_window(window: NDArray[Any], about: Mapping[str, Any], size: int | None = None) -> Image.Image:
    """Return the waveform of a window, RGB.

    All windows of a collection are drawn between the same values, so that a quiet one looks quiet.

    Parameters
    ----------
    window : array (steps, channels)
    about : mapping
        ``low`` and ``high``: between which values each channel is drawn.
    size : int, optional
        Width in pixels; 512 by default.
    """
    width = size or 512
    height = round(width / ASPECT)
    picture = Image.new("RGB", (width * FINER, height * FINER), PAPER)
    draw = ImageDraw.Draw(picture)
    shares = _shares(np.asarray(window, np.float64), about["low"], about["high"])
    lanes = lanes_of(window.shape[1])
    edge = 0.06 * height * FINER
    tall = (height * FINER - 2 * edge) / (max(lanes) + 1)
    across = np.linspace(0.03, 0.97, len(window)) * width * FINER
    thick = max(round(1.4 * FINER), round(width * FINER / 85 / max(1, (max(lanes) + 1) ** 0.5)))
    for lane in range(1, max(lanes) + 1) if width > SMALL else ():  # on a map they would hide the waves
        draw.line([(0, edge + lane * tall), (width * FINER, edge + lane * tall)], LINE, FINER)
    for channel, lane in enumerate(lanes):
        top = edge + lane * tall + 0.06 * tall
        down = top + (1 - shares[:, channel]) * tall * 0.88
        points = np.column_stack([across, down]).ravel().tolist()
        draw.line(points, colour_of(channel), thick, joint="curve")
    return picture.resize((width, height), Image.Resampling.BOX)


def lanes_of(n_channels: int) -> list[int]:
    """Return the lane each channel is drawn in, from the top; few channels share one."""
    if n_channels <= OVERLAID:
        return [0] * n_channels
    lanes = min(n_channels, LANES)
    return [channel * lanes // n_channels for channel in range(n_channels)]


def colour_of(channel: int) -> str:
    """Return the colour of a channel, the same in every picture and chart."""
    return COLOURS[channel % len(COLOURS)]


def _shares(window: NDArray[np.float64], low: Sequence[float], high: Sequence[float]) -> NDArray[np.float64]:
    """Return where values lie between low and high, 0 to 1; a channel without spread lies in the middle."""
    bottom, spread = np.asarray(low), np.asarray(high) - np.asarray(low)
    shares = np.where(spread > 0, (window - bottom) / np.where(spread > 0, spread, 1), 0.5)
    return shares.clip(0, 1)
