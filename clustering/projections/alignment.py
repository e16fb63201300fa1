"""Maps of the same items in one frame: turned, mirrored, scaled and shifted onto one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError

PAIRS = 20_000  # drawn by chance, of which the mean distance on a map is taken


@dataclass(frozen=True)
class Similarity:
    """A turn, perhaps a mirroring, one scale for all directions, and a shift: shapes stay what they are.

    Parameters
    ----------
    turn : float64 array (c, c)
        Orthogonal.
    scale : float
    shift : float64 array (c,)
        ``x`` goes to ``scale · x @ turn + shift``.
    """

    turn: NDArray[np.float64]
    scale: float
    shift: NDArray[np.float64]

    @classmethod
    def fitted(cls, points: ArrayLike, onto: ArrayLike, scaled: bool = True) -> Self:
        """Return the similarity that brings ``points`` closest to ``onto``, by their squared distances.

        Procrustes analysis (Gower 1975) of two maps: with both centred, the turn is U Vᵀ of
        ``pointsᵀ onto = U S Vᵀ`` and the scale tr S / ‖points‖².

        Parameters
        ----------
        points, onto : array-like (n, c)
        scaled : bool
            False leaves the size as it is.

        Raises
        ------
        StudioError
            When the maps are not of the same items.
        """
        moving, fixed = _pair(points, onto)
        middle, target = moving.mean(axis=0), fixed.mean(axis=0)
        moving, fixed = moving - middle, fixed - target
        left, stretch, right = np.linalg.svd(moving.T @ fixed)
        turn, length = left @ right, float((moving**2).sum())
        # a map of one place has no size, and one that is shrunk to nothing shows nothing
        scale = float(stretch.sum()) / length if length > 0 else 1.0
        scale = scale if scale > 0 and scaled else 1.0
        return cls(turn, scale, target - scale * middle @ turn)

    def __call__(self, points: ArrayLike) -> NDArray[np.float32]:
        """Return where ``points`` (m, c) come to lie, (m, c)."""
        moved = self.scale * np.asarray(points, dtype=np.float64) @ self.turn + self.shift
        return np.asarray(moved, dtype=np.float32)

    def then(self, other: Similarity) -> Similarity:
        """Return this similarity followed by another as one."""
        return Similarity(
            self.turn @ other.turn,
            self.scale * other.scale,
            other.scale * self.shift @ other.turn + other.shift,
        )

    def arrays(self, prefix: str) -> dict[str, NDArray[np.float64]]:
        """Return everything as arrays whose names begin with ``prefix``."""
        return {
            f"{prefix}_turn": self.turn,
            f"{prefix}_scale": np.array([self.scale]),
            f"{prefix}_shift": self.shift,
        }

    @classmethod
    def restored(cls, arrays: dict[str, NDArray[Any]], prefix: str) -> Self:
        """Return the similarity whose `arrays` these are."""
        return cls(arrays[f"{prefix}_turn"], float(arrays[f"{prefix}_scale"][0]), arrays[f"{prefix}_shift"])


def align(points: ArrayLike, onto: ArrayLike) -> NDArray[np.float32]:
    """Return a map laid as closely as it can on another map of the same items.

    Parameters
    ----------
    points, onto : array-like (n, c)
        Places of the same items in the same order.

    Returns
    -------
    float32 array (n, c)
        ``points`` turned, mirrored, scaled and shifted; distances keep their proportions. The mean squared
        distance to ``onto`` never grows.
    """
    return Similarity.fitted(points, onto)(points)


def mirrored(points: ArrayLike, onto: ArrayLike) -> Similarity:
    """Return the similarity that only mirrors each axis, or not, to agree with ``onto``.

    For maps whose axes mean something: the direction along an axis is chance, the axis itself is not.
    """
    moving, fixed = _pair(points, onto)
    middle = moving.mean(axis=0)
    signs = np.where(((moving - middle) * (fixed - fixed.mean(axis=0))).sum(axis=0) < 0, -1.0, 1.0)
    return Similarity(np.diag(signs), 1.0, middle - middle * signs)


def spread(points: ArrayLike, seed: int = 0) -> float:
    """Return the mean distance between two items of a map: the yardstick of every movement.

    An item put at a place of the map by chance moves about so far. Of large maps random pairs are measured.
    """
    places = np.asarray(points, dtype=np.float64)
    if len(places) < 2:
        return 0.0
    if len(places) * (len(places) - 1) // 2 <= PAIRS:
        from scipy.spatial.distance import pdist

        return float(pdist(places).mean())
    first, second = np.random.default_rng(seed).integers(len(places), size=(2, PAIRS))
    apart = places[first[first != second]] - places[second[first != second]]
    return float(np.sqrt((apart**2).sum(axis=1)).mean())


def movement(points: ArrayLike, onto: ArrayLike) -> float:
    """Return how far items move from one map to another, on average, as a share of the second's `spread`.

    0: nothing moves; about 1: every item lies as if put there by chance.
    """
    moving, fixed = _pair(points, onto)
    yardstick = spread(fixed)
    return float(np.sqrt(((moving - fixed) ** 2).sum(axis=1)).mean()) / yardstick if yardstick > 0 else 0.0


def _pair(points: ArrayLike, onto: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    moving, fixed = np.asarray(points, dtype=np.float64), np.asarray(onto, dtype=np.float64)
    if moving.ndim != 2 or moving.shape != fixed.shape or not len(moving):
        raise StudioError(
            f"A map of shape {moving.shape} cannot be laid on one of shape {fixed.shape}.",
            "Give two maps of the same items, in the same order.",
        )
    return moving, fixed
