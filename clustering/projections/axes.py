"""Principal axes: the straight look at the data, and the first step of every other projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

BLOCK = 8192  # rows turned to float64 at a time
LARGEST = (
    100_000_000  # values (800 MB as float64) the axes are computed from; of more, a random sample of rows
)


@dataclass(frozen=True)
class Axes:
    """The directions of largest variance.

    Parameters
    ----------
    mean : float64 array (d,)
    directions : float64 array (c, d)
        Orthonormal, strongest first; zeros where the data have fewer dimensions than asked for.
    shares : float64 array (c,)
        Share of the total variance along each direction.
    """

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    shares: NDArray[np.float64]

    @classmethod
    def fitted(cls, rows: NDArray[np.float32], n_axes: int, random_state: int) -> Self:
        """Find the ``n_axes`` strongest axes of ``rows`` (n, d); chance (a sketch, a sample) has a seed."""
        n_features = rows.shape[1]
        n_found = min(n_axes, *rows.shape)
        directions = np.zeros((n_axes, n_features))
        shares = np.zeros(n_axes)
        if not np.ptp(rows, axis=0).any():  # one row, or all alike: no direction at all
            return cls(rows[0].astype(np.float64), directions, shares)
        from sklearn.decomposition import PCA

        found = PCA(n_found, random_state=random_state).fit(_sample(rows, random_state).astype(np.float64))
        directions[:n_found] = found.components_
        shares[:n_found] = found.explained_variance_ratio_
        return cls(found.mean_, directions, shares)

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the places of ``rows`` (m, d) along the axes, (m, c).

        Computed in float64 and rounded once, so that a row's place does not depend on the rows beside it.
        """
        places = np.empty((len(rows), len(self.directions)), dtype=np.float32)
        for start in range(0, len(rows), BLOCK):
            block = slice(start, start + BLOCK)
            places[block] = (rows[block].astype(np.float64) - self.mean) @ self.directions.T
        return places

    def arrays(self, prefix: str) -> dict[str, NDArray[np.float64]]:
        """Return everything as arrays whose names begin with ``prefix``."""
        return {
            f"{prefix}_mean": self.mean,
            f"{prefix}_directions": self.directions,
            f"{prefix}_shares": self.shares,
        }

    @classmethod
    def restored(cls, arrays: dict[str, NDArray[np.float64]], prefix: str) -> Self:
        """Return the axes whose `arrays` these are."""
        return cls(*(arrays[f"{prefix}_{part}"] for part in ("mean", "directions", "shares")))


def _sample(rows: NDArray[np.float32], random_state: int) -> NDArray[np.float32]:
    if rows.size <= LARGEST:
        return rows
    chosen = np.random.default_rng(random_state).choice(len(rows), LARGEST // rows.shape[1], replace=False)
    return rows[np.sort(chosen)]
