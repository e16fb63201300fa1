"""The two curves by which DRE's second stage turns distances on the map into nearness."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

POINTS, FURTHEST = 300, 3.0  # where the curves are fitted, as in umap-learn


@cache
def heavy_kernel(min_dist: float) -> tuple[float, float]:
    """Return a, b of (1 + a x²)^−b, DRE's kernel as released."""
    return _fitted(lambda x, a, b: (1 + a * x**2) ** -b, min_dist)


@cache
def umap_kernel(min_dist: float) -> tuple[float, float]:
    """Return a, b of 1 / (1 + a x^2b), UMAP's kernel."""
    return _fitted(lambda x, a, b: 1 / (1 + a * x ** (2 * b)), min_dist)


def _fitted(curve: Callable[..., NDArray[np.float64]], min_dist: float) -> tuple[float, float]:
    """Fit a curve to 1 up to ``min_dist`` and exp(min_dist − x) from there on, by least squares."""
    from scipy.optimize import curve_fit

    x = np.linspace(0, FURTHEST, POINTS)
    wanted = np.where(x < min_dist, 1.0, np.exp(min_dist - x))
    found: Any = curve_fit(curve, x, wanted)[0]
    return float(found[0]), float(found[1])
