"""What DRE's network reads: centred rows on one scale, and pixels in the shape of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.networks.convolutions import Picture
from clustering.projections.neighbor_map import Metric

BLOCK = 8192  # rows turned to float64 at a time


@dataclass(frozen=True)
class Standard:
    """Centres rows and divides all columns by one number, so that distances keep their proportions.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
        ``cosine``: rows are scaled to length 1 first.
    mean : float64 array (d,)
    scale : float
        Root of the mean variance of the columns.
    """

    metric: Metric
    mean: NDArray[np.float64]
    scale: float

    @classmethod
    def of(cls, items: NDArray[np.float32], metric: Metric) -> Self:
        """Return the standard of ``items`` (n, d)."""
        total, squares = np.zeros(items.shape[1]), 0.0
        for block in _blocks(items):
            total += _scaled(block, metric).sum(axis=0, dtype=np.float64)
        mean = total / len(items)
        for block in _blocks(items):
            squares += float(np.square(_scaled(block, metric) - mean).sum())
        return cls(metric, mean, math.sqrt(squares / items.size) or 1.0)

    def __call__(self, items: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``items`` (m, d) as the network reads them."""
        read = np.empty_like(items)
        for block, rows in zip(_blocks(items), _blocks(read), strict=True):
            rows[:] = (_scaled(block, self.metric) - self.mean) / self.scale
        return read

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return mean and scale by name."""
        return {"mean": self.mean, "scale": np.array([self.scale])}


def _blocks(items: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(items), BLOCK):
        yield items[start : start + BLOCK]


def _scaled(items: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    if metric == "euclidean":
        return items
    lengths = np.sqrt(np.einsum("nd,nd->n", items, items, dtype=np.float64))
    return (items / np.where(lengths > 0, lengths, 1.0)[:, None]).astype(np.float32)


def picture_of(n_features: int, given: tuple[int, ...] | None) -> Picture:
    """Return the height, width and channels of rows of pixels.

    Parameters
    ----------
    n_features : int
    given : (height, width) or (height, width, channels) or None
        None: square, grey or in three colours; no number is both.

    Raises
    ------
    StudioError
        When the rows cannot be such pictures.
    """
    if given is not None:
        if len(given) in (2, 3) and min(given) >= 1 and math.prod(given) == n_features:
            height, width, channels = (*given, 1)[:3]
            return height, width, channels
        raise StudioError(
            f"“picture” is {given}, but the items have {n_features} numbers each.",
            "Give height, width and, for colour, 3; multiplied they must make as many numbers.",
        )
    for channels in (1, 3):
        side = math.isqrt(n_features // channels)
        if side * side * channels == n_features:
            return side, side, channels
    raise StudioError(
        f"A “conv” trunk reads pictures, but {n_features} numbers an item are no square picture.",
        "Choose the trunk “fc”, give “picture” (height, width, channels), or use raw pixels as features.",
    )
