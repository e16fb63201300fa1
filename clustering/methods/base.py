"""The contract every method keeps: scikit-learn's, plus events, soft assignments, saving without pickle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from clustering.methods.info import MethodInfo
from clustering.methods.saving import load_fitted, save_fitted
from clustering.training.events import Emit

Judge = Callable[[ArrayLike], tuple[NDArray[np.float32], NDArray[np.float32]]]


class Clusterer(ClusterMixin, TransformerMixin, BaseEstimator, ABC):
    """Base of all methods, plain and deep.

    Attributes
    ----------
    labels_ : int64 array (n,)
    soft_assignments_ : float32 array (n, K)
        Rows sum to 1.
    embedding_ : float32 array (n, m)
        The latent space the clusters were found in.
    cluster_centers_ : float32 array (K, m)
        In the same space.
    history_ : list of dict
        The events of the fit as rows.
    n_features_in_ : int
    """

    info: ClassVar[MethodInfo]

    @abstractmethod
    def fit(
        self, X: ArrayLike, y: Any = None, *, emit: Emit | None = None, checkpoint: Path | None = None
    ) -> Self:
        """Find the clusters of ``X``.

        Parameters
        ----------
        X : array-like (n, d)
            Finite numbers.
        y : ignored
            No label ever chooses anything.
        emit : callable, optional
            Hears every event; returning True stops the fit after the running epoch.
        checkpoint : Path, optional
            Folder for checkpoints; when it already holds one of this very fit, the fit goes on from there.

        Raises
        ------
        StudioError
            When a parameter or the data cannot be used.
        """

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster of each row of ``X``, shape (n,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    @abstractmethod
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the soft assignments of ``X``, shape (n, K)."""

    @abstractmethod
    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the latents of ``X``, shape (n, m)."""

    def prepared(self) -> Judge:
        """Return a function from rows (n, d) to latents (n, m) and soft assignments (n, K).

        The same as `transform` and `predict_proba`; what both need is made ready once, for many small calls.
        """
        return lambda X: (self.transform(X), self.predict_proba(X))

    def save(self, folder: Path) -> None:
        """Write the fitted model to ``folder``: ``model.json`` and ``arrays.safetensors``, no pickle."""
        check_is_fitted(self)
        save_fitted(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model that `save` wrote; it predicts as the saved one did.

        Raises
        ------
        StudioError
            When the folder holds no such model.
        """
        return load_fitted(cls, folder)
