"""What the colours on a map mean: a small list that travels beside the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NUMBERS_ABOVE = 8  # groups; from here on the map carries numbers instead of names
RAMP_STEPS = 256


@dataclass(frozen=True)
class Legend:
    """Names and colours of groups, or the ends of a ramp.

    Parameters
    ----------
    title : str
        What the colours stand for: ``"Group"``, ``"Style"``, ``"Confidence"``.
    colours : sequence of str
        One CSS colour a group in the order of the codes (``"ink"`` follows the theme), or the ramp's steps.
    names : sequence of str
        Names of the groups; empty for a ramp.
    medoids : sequence of int
        Item that stands for each group on the map, -1 for none.
    shapes : bool
        Draw each group in its own shape as well (9 to 20 groups).
    labels : bool
        Write names or numbers on the map; right for clusters, wrong for a column whose values lie scattered.
    low, high : str
        The ends of a ramp in words.
    missing : str
        What an item without a value is called.
    share : bool
        The ramp goes from 0 to 100 %.
    """

    title: str
    colours: Sequence[str]
    names: Sequence[str] = ()
    medoids: Sequence[int] = ()
    shapes: bool = False
    labels: bool = True
    low: str = ""
    high: str = ""
    missing: str = "Unassigned"
    share: bool = False

    @property
    def kind(self) -> str:
        """``"groups"`` or ``"ramp"``."""
        return "groups" if self.names else "ramp"

    def options(self) -> dict[str, Any]:
        """Return the legend as the browser reads it."""
        return {
            "kind": self.kind,
            "title": self.title,
            "colours": list(self.colours),
            "names": [str(name) for name in self.names],
            "medoids": [int(item) for item in self.medoids],
            "shapes": self.shapes,
            "labels": self.labels and bool(self.names),
            "numbers": self.labels and len(self.names) > NUMBERS_ABOVE,
            "low": self.low,
            "high": self.high,
            "missing": self.missing,
            "share": self.share,
        }


def ramp_codes(
    values: ArrayLike, ends: tuple[float, float] | None = None
) -> tuple[NDArray[np.int64], float, float]:
    """Return the step of a 256-step ramp for each value, and the ends of the ramp.

    Parameters
    ----------
    values : array-like (n,)
        Numbers; not finite ones get code -1.
    ends : (low, high), optional
        Where the ramp begins and ends; by default at the smallest and largest finite value.

    Returns
    -------
    codes : int64 array (n,)
    low, high : float
        The ends of the ramp; 0 and 0 when there is no finite value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        return np.full(len(numbers), -1, np.int64), 0.0, 0.0
    low, high = ends or (float(numbers[known].min()), float(numbers[known].max()))
    share = ((np.where(known, numbers, low) - low) / (high - low or 1.0)).clip(0.0, 1.0)
    return np.where(known, np.round(share * (RAMP_STEPS - 1)), -1).astype(np.int64), low, high
