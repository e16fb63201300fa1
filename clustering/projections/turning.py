"""Maps lie down: where the axes mean nothing, a map is turned so that its long side lies horizontally."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DRAWN = 2  # rises when maps are drawn in another way: browsers keep what an address has given for ever
WITH_AXES = ("pca",)  # the first axis means something: never turned
FRAME = 1.5  # width over height of the usual frame
WORTHWHILE = 1.02  # a map that is seen hardly larger stays as it was computed


def as_drawn(positions: NDArray[np.float32], projection: str, lies: bool = False) -> NDArray[np.float32]:
    """Return a map's positions as they are drawn, (n, 2): turned, never mirrored or stretched.

    Parameters
    ----------
    positions : float32 array (n, 2)
    projection : str
        Name of the projection; those whose axes mean something stay as they are.
    lies : bool
        The map was laid on another one and stays there.
    """
    return drawing(positions, projection, lies)(positions)


def drawing(
    positions: NDArray[np.float32], projection: str, lies: bool = False
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return what brings places of a map to where they are drawn; also such as are not on it yet."""
    places = np.asarray(positions)
    if lies or projection in WITH_AXES or len(places) < 3:
        return np.asarray
    middle = places.mean(axis=0, dtype=np.float64)
    angle = angle_of(places - middle)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    if _seen((places - middle) @ turn.T) < WORTHWHILE * _seen(places):
        return np.asarray
    return lambda some: np.ascontiguousarray((some - middle) @ turn.T + middle, dtype=np.float32)


def angle_of(centred: NDArray[np.float64]) -> float:
    """Return the angle of the direction of largest variance with the horizontal, from -π/2 to π/2."""
    (across, mixed), (_, up) = centred.T @ centred
    return 0.5 * math.atan2(2.0 * mixed, across - up)


def _seen(points: NDArray[np.floating]) -> float:
    """Return how large a map is seen when it is fitted into the usual frame."""
    width, height = np.maximum(np.ptp(points, axis=0), 1e-12)
    return float(min(FRAME / width, 1.0 / height))
