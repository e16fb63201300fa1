"""What a search for neighbours returns: two small arrays that are easy to keep, and who found them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Neighbors:
    """The nearest rows of every row, nearest first; of equally near ones the smaller index first.

    Parameters
    ----------
    indices : int32 array (n, k)
    distances : float32 array (n, k)
        Euclidean.
    engine : str
        Who found them, for a person: ``"exact search on CPU"``.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]
    engine: str

    def first(self, k: int) -> Self:
        """Return the ``k`` nearest of each row."""
        if k == self.indices.shape[1]:
            return self
        return type(self)(
            np.ascontiguousarray(self.indices[:, :k]),
            np.ascontiguousarray(self.distances[:, :k]),
            self.engine,
        )
