"""From a line drawn on the map to the items inside it, tested on the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Mode = Literal["replace", "add", "subtract", "clear"]
_MODES = ("replace", "add", "subtract", "clear")
_MOST_CORNERS = 512


@dataclass(frozen=True)
class Gesture:
    """One lasso, box or clearing, as the browser sends it.

    Parameters
    ----------
    token : str
        Names this gesture, so that a rerun does not apply it twice.
    mode : {"replace", "add", "subtract", "clear"}
    polygon : float64 array (v, 2)
        Corners in map coordinates.
    hidden : frozenset of int
        Groups greyed in the legend; their items are not selected.
    """

    token: str
    mode: Mode
    polygon: NDArray[np.float64]
    hidden: frozenset[int] = frozenset()

    @classmethod
    def read(cls, sent: Any) -> Gesture | None:
        """Return the gesture in what the browser sent, or None when it is not one."""
        if not isinstance(sent, Mapping) or sent.get("mode") not in _MODES:
            return None
        try:
            corners = np.asarray(sent.get("polygon", ()), dtype=np.float64)[: 2 * _MOST_CORNERS]
            hidden = frozenset(int(code) for code in sent.get("hidden", ()))
        except (TypeError, ValueError, OverflowError):
            return None
        if corners.ndim != 1 or corners.size % 2 or not np.isfinite(corners).all():
            return None
        return cls(str(sent.get("token", "")), sent["mode"], corners.reshape(-1, 2), hidden)


def inside_polygon(positions: ArrayLike, polygon: ArrayLike) -> NDArray[np.bool_]:
    """Return which positions lie inside a polygon by the even-odd rule.

    The arithmetic is that of ``search.js``, operation for operation in double precision, so that the browser
    and the server agree on every item.

    Parameters
    ----------
    positions : array-like (n, 2)
    polygon : array-like (v, 2)
        Corners in order; the last is joined to the first.

    Returns
    -------
    bool array (n,)
    """
    points = np.asarray(positions)
    corners = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    found = np.zeros(len(points), dtype=bool)
    if len(corners) < 3 or not len(points):
        return found
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))  # the rest cannot be inside
    x, y = points[near].astype(np.float64).T
    inside = np.zeros(len(near), dtype=bool)
    for (xi, yi), (xj, yj) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        if yi == yj:
            continue
        crosses = (yi > y) != (yj > y)
        inside ^= crosses & (x < (xj - xi) * (y - yi) / (yj - yi) + xi)
    found[near] = inside
    return found


def selected_items(
    gesture: Gesture,
    current: ArrayLike,
    positions: ArrayLike,
    codes: ArrayLike | None = None,
    visible: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Return the selection after a gesture.

    Parameters
    ----------
    gesture : Gesture
    current : int array-like
        Indices selected before.
    positions : array-like (n, 2)
    codes : int array-like (n,), optional
        Groups as coloured on the map; needed where the gesture has hidden ones.
    visible : bool array-like (n,), optional
        Items a filter left in.

    Returns
    -------
    int64 array
        Sorted indices.
    """
    before = np.asarray(current, dtype=np.int64)
    if gesture.mode == "clear":
        return before[:0]
    inside = inside_polygon(positions, gesture.polygon)
    if visible is not None:
        inside &= np.asarray(visible, dtype=bool)
    if codes is not None and gesture.hidden:
        inside &= ~np.isin(np.asarray(codes), _as_list(gesture.hidden))
    found = np.flatnonzero(inside)
    if gesture.mode == "add":
        return np.union1d(before, found)
    return np.setdiff1d(before, found) if gesture.mode == "subtract" else found


def _as_list(codes: Iterable[int]) -> list[int]:
    return sorted(codes)
