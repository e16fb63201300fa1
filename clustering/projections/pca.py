"""PCA: the straight shadow of the data along its two strongest directions."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.progress import Progress, tell
from clustering.projections.alignment import Similarity, mirrored
from clustering.projections.axes import Axes
from clustering.projections.base import NComponents, Projection, RandomState
from clustering.projections.info import ProjectionInfo


class PCA(Projection):
    """Principal component analysis (Pearson 1901; Hotelling 1933).

    Parameters
    ----------
    n_components : int, default 2
    random_state : int, default 0
        Decides only the rounding of large data, where the directions come from a random sketch.

    Attributes
    ----------
    explained_variance_ratio_ : float64 array (n_components,)
        Share of the total variance along each axis of the map.
    """

    info: ClassVar[ProjectionInfo] = ProjectionInfo(
        name="pca",
        title="PCA",
        paper="K. Pearson: On lines and planes of closest fit to systems of points in space",
        year=1901,
        source="doi:10.1080/14786440109462720",
        summary="A straight shadow along the two strongest directions: quick, the same every time, good for "
        "the broad shape, blind to fine groups.",
        honesty="Groups that overlap here may lie far apart in the directions that are not shown; see how "
        "much of the variance is shown before you conclude anything.",
        order=10,
    )

    def __init__(self, n_components: NComponents = 2, random_state: RandomState = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    @property
    def explained_variance_ratio_(self) -> NDArray[np.float64]:
        """Share of the total variance along each axis of the map."""
        return self._axes.shares

    def _map(
        self, items: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float32]:
        tell(progress, 0, 1, "finding the strongest directions")
        self._axes = Axes.fitted(items, settings["n_components"], settings["random_state"])
        self.engine_ = f"scikit-learn {version('scikit-learn')} on CPU"
        tell(progress, 1, 1, "finding the strongest directions")
        return self._axes(items)

    def _place(self, items: NDArray[np.float32], progress: Progress) -> NDArray[np.float32]:
        tell(progress, 0, 1, "placing items on the map")
        places = self._axes(items)
        tell(progress, 1, 1, "placing items on the map")
        return places

    def _frame_on(self, onto: ArrayLike) -> Similarity:
        return mirrored(self.embedding_, onto)  # its axes mean something and stay

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return dict(self._axes.arrays("axes"))

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._axes = Axes.restored(arrays, "axes")
