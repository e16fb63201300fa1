"""The contract every projection keeps: scikit-learn's, plus progress, a named engine, no pickle."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Interval
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from clustering.checks import checked_items, checked_settings
from clustering.errors import StudioError
from clustering.parameters import Meaning
from clustering.progress import Progress, silent
from clustering.projections.alignment import Similarity
from clustering.projections.info import ProjectionInfo

NComponents = Annotated[
    int,
    Interval(ge=1, le=3),
    Meaning("Dimensions of the map; 2 is a picture on the screen.", advanced=True),
]
RandomState = Annotated[
    int,
    Interval(ge=0, le=2**32 - 1),
    Meaning(
        "Start of all chance: the same number gives the same map, another one shows what is chance in it."
    ),
]


class Projection(TransformerMixin, BaseEstimator):
    """Base of all projections.

    Attributes
    ----------
    embedding_ : float32 array (n, n_components)
        The map.
    engine_ : str
        What computed it, its version and the device: ``"umap-learn 0.5.12 on CPU"``.
    notes_ : tuple of str
        Sentences about what was changed to make the map possible, such as a lowered perplexity.
    seconds_ : float
        Wall time of the fit, in seconds.
    n_features_in_ : int
    """

    info: ClassVar[ProjectionInfo]
    n_components: int
    random_state: int

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,  # noqa: ARG002
        *,
        start: ArrayLike | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Make the map of ``X``.

        Parameters
        ----------
        X : array-like (n, d)
            Finite numbers.
        y : ignored
        start : array-like (n, n_components), optional
            Where the items begin: an earlier map of them, from which the points then go on. Only for
            projections whose ``info.going_on`` is not None.
        progress : callable
            Hears every step; returning True stops the fit.

        Raises
        ------
        StudioError
            When a parameter or the data cannot be used.
        Stopped
            When the listener asked for it; nothing is fitted then.
        """
        settings = checked_settings(self)
        items = checked_items(self, X, fitting=True)
        started = perf_counter()
        self.__dict__.pop("embedding_", None)  # a stopped fit leaves nothing fitted, not a mixture of two
        self.notes_: tuple[str, ...] = ()
        self._frame: Similarity | None = None
        self._begun = None if start is None else self._checked_start(start, len(items))
        places = self._map(items, settings, progress)
        self._begun = None
        self.embedding_ = np.ascontiguousarray(places, dtype=np.float32)
        self.seconds_ = perf_counter() - started
        return self

    def fit_transform(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        start: ArrayLike | None = None,
        progress: Progress = silent,
    ) -> NDArray[np.float32]:
        """Make the map of ``X`` and return it, shape (n, n_components)."""
        return self.fit(X, y, start=start, progress=progress).embedding_.copy()

    def lay_on(self, onto: ArrayLike) -> Self:
        """Turn, mirror and shift the finished map so that it lies on another of the same items.

        New items are placed on the map as it lies then. Its size stays: projections measure distances.

        Parameters
        ----------
        onto : array-like (n, n_components)
            The other map, in the order of the fit.
        """
        check_is_fitted(self, "embedding_")
        moved = self._frame_on(onto)
        self._frame = moved if self._frame is None else self._frame.then(moved)
        self.embedding_ = moved(self.embedding_)
        return self

    def _frame_on(self, onto: ArrayLike) -> Similarity:
        return Similarity.fitted(self.embedding_, onto, scaled=False)

    def transform(self, X: ArrayLike, *, progress: Progress = silent) -> NDArray[np.float32]:
        """Place rows on the finished map, each on its own: no row's place depends on the others.

        Parameters
        ----------
        X : array-like (m, d)
            Finite numbers in the columns of the fit.
        progress : callable
            Hears every step; returning True stops.

        Returns
        -------
        float32 array (m, n_components)
        """
        check_is_fitted(self, "embedding_")
        items = checked_items(self, X)
        places = np.ascontiguousarray(self._place(items, progress), dtype=np.float32)
        return places if self._frame is None else self._frame(places)

    def save(self, folder: Path) -> None:
        """Write what `transform` needs to ``folder``: ``model.json``, ``arrays.safetensors``; no pickle."""
        from safetensors.numpy import save_file

        check_is_fitted(self, "embedding_")
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "projection": self.info.name,
            "parameters": self.get_params(deep=False),
            "engine": self.engine_,
            "notes": self.notes_,
            "seconds": self.seconds_,
            "n_features": self.n_features_in_,
            "feature_names": [str(name) for name in getattr(self, "feature_names_in_", ())],
        }
        arrays = {name: np.ascontiguousarray(array) for name, array in self._arrays().items()}
        arrays |= {} if self._frame is None else self._frame.arrays("frame")
        save_file(arrays | {"embedding": self.embedding_}, folder / "arrays.safetensors.part")
        (folder / "arrays.safetensors.part").replace(folder / "arrays.safetensors")
        (folder / "model.json.part").write_text(json.dumps(told, indent=1), encoding="utf-8")
        (folder / "model.json.part").replace(folder / "model.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a projection that `save` wrote; it places rows as the saved one did.

        Raises
        ------
        StudioError
            When the folder holds none, another kind, or files that cannot be read.
        """
        told, arrays = _read(folder)
        kind = _kind(cls, told["projection"], folder)
        loaded = kind(**told["parameters"])
        loaded.engine_, loaded.notes_, loaded.seconds_ = told["engine"], tuple(told["notes"]), told["seconds"]
        loaded.n_features_in_ = told["n_features"]
        if told["feature_names"]:
            loaded.feature_names_in_ = np.array(told["feature_names"], dtype=object)
        loaded.embedding_ = arrays.pop("embedding")
        loaded._frame = Similarity.restored(arrays, "frame") if "frame_turn" in arrays else None
        loaded._restore(arrays)
        return loaded

    def _checked_start(self, start: ArrayLike, n_items: int) -> NDArray[np.float64]:
        if self.info.going_on is None:
            raise StudioError(
                f"{self.info.title} cannot begin from given places.",
                "Leave them out, and lay the finished map on the other one.",
            )
        places = np.asarray(start, dtype=np.float64)
        if places.shape != (n_items, self.n_components) or not np.isfinite(places).all():
            raise StudioError(
                f"The places to begin from have shape {places.shape} or are not finite; expected "
                f"({n_items}, {self.n_components}) finite numbers.",
                "Give an earlier map of the same items.",
            )
        return places

    @abstractmethod
    def _map(
        self, items: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.floating[Any]]:
        """Fit, set ``engine_`` and return the map of ``items`` (n, d)."""

    @abstractmethod
    def _place(self, items: NDArray[np.float32], progress: Progress) -> NDArray[np.floating[Any]]:
        """Return the places of ``items`` (m, d) on the fitted map, row by row."""

    @abstractmethod
    def _arrays(self) -> dict[str, NDArray[Any]]:
        """Return the fitted state that `_place` needs."""

    @abstractmethod
    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take the fitted state back."""


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        told = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        return told, load_file(folder / "arrays.safetensors")
    except FileNotFoundError as error:
        raise StudioError(
            f"“{folder}” holds no saved projection: {Path(error.filename or folder).name} is missing.",
            "Give the folder that was written by save, or make the map again.",
        ) from None
    except (SafetensorError, json.JSONDecodeError) as error:
        raise StudioError(
            f"The projection saved in “{folder}” cannot be read: {error}.",
            "Make the map again.",
        ) from None


def _kind(cls: type[Any], name: str, folder: Path) -> type[Any]:
    from clustering.projections import projection

    kind = projection(name)
    if not issubclass(kind, cls):
        raise StudioError(
            f"“{folder}” holds a saved {kind.info.title} map, not one of {cls.info.title}.",
            f"Load it with {kind.__name__}.load.",
        )
    return kind
