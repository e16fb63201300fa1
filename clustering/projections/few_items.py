"""A map of so few items that neighbourhoods say nothing about them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.projections.axes import Axes
from clustering.projections.base import Projection

FEWEST_ITEMS = 5  # different ones; of fewer, no neighbourhood can be told from another


class MapsFew(Projection):
    """Base of projections that live from neighbourhoods and leave a few items to PCA."""

    _few: Axes | None

    def _map_of_few(
        self, items: NDArray[np.float32], n_different: int, settings: dict[str, Any]
    ) -> NDArray[np.float32]:
        self._few = Axes.fitted(items, settings["n_components"], settings["random_state"])
        self.engine_ = f"scikit-learn {version('scikit-learn')} on CPU (PCA in place of {self.info.title})"
        self.notes_ += (
            f"{self.info.title} needs at least {FEWEST_ITEMS} different items and found {n_different}; "
            "the map was made by PCA.",
        )
        return self._few(items)
