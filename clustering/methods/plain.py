"""What the plain baselines share: the frame of a fit, its events, soft assignments from distances, saving."""

from __future__ import annotations

import time
from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.utils.validation import check_is_fitted

from clustering.methods.base import Clusterer
from clustering.methods.inputs import checked_items, checked_settings
from clustering.training.device import Device
from clustering.training.events import Emit, Epoch, Finished, History, Started

Phases = tuple[tuple[str, int], ...]
_ROWS_AT_ONCE = 16_384


class Telling:
    """Tells a listener how a fit goes, and remembers whether the listener asked it to stop.

    Parameters
    ----------
    method : str
        Registry name.
    phases : tuple of (str, int)
        As in `Started`.
    shape : tuple of int
        Items and features.
    emit : callable or None
    where : Device
        Where the fit runs.
    """

    def __init__(
        self, method: str, phases: Phases, shape: tuple[int, ...], emit: Emit | None, where: Device
    ) -> None:
        self.where = where
        self.history = History(emit)
        self.total = sum(epochs for _, epochs in phases)
        self.done = 0
        self.begun = time.perf_counter()
        self.stopped = bool(
            self.history(
                Started(
                    method,
                    phases,
                    shape[0],
                    shape[1],
                    where.device.type,
                    where.reason,
                )
            )
        )

    def epoch(
        self,
        phase: str,
        epoch: int,
        epochs: int,
        losses: dict[str, float] | None = None,
        labels: NDArray[Any] | None = None,
        alarms: tuple[str, ...] = (),
    ) -> bool:
        """Report one finished step; return True once asked to stop (nothing more is told then)."""
        if self.stopped:
            return True
        self.done += 1
        seconds = time.perf_counter() - self.begun
        sizes = () if labels is None else tuple(np.bincount(labels[labels >= 0]).tolist())
        left = seconds / self.done * (self.total - self.done)
        self.stopped = bool(
            self.history(
                Epoch(
                    phase, epoch, epochs, losses or {}, sizes, alarms=alarms, seconds=seconds, remaining=left
                )
            )
        )
        return self.stopped

    def finished(self, reason: str) -> list[dict[str, Any]]:
        """Report the end and return the history as rows."""
        reason = "stopped on request" if self.stopped else reason
        self.history(Finished(reason, time.perf_counter() - self.begun))
        return self.history.rows


class PlainClusterer(Clusterer):
    """Base of the methods without a network of their own.

    A method writes `_phases` and `_find`; one with a rule for new items also writes `_assign`.
    """

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,  # noqa: ARG002
        *,
        emit: Emit | None = None,
        checkpoint: Path | None = None,  # noqa: ARG002
    ) -> Self:
        """Find the clusters of ``X``.

        Parameters
        ----------
        X : array-like (n, d)
            Finite numbers; used as float32.
        y : ignored
            No label ever chooses anything.
        emit : callable, optional
            Hears every event; returning True ends the fit after the running step with what was found so far.
        checkpoint : ignored
            A plain method is over too soon to be worth resuming.

        Returns
        -------
        self

        Raises
        ------
        StudioError
            When a parameter or the data cannot be used.
        """
        settings = checked_settings(self)
        items = checked_items(self, X, fitting=True)
        self._check(items, settings)
        where = self._where(items, settings)
        telling = Telling(self.info.name, self._phases(settings), items.shape, emit, where)
        reason = self._find(items, settings, telling)
        self.history_ = telling.finished(reason)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster of each row of ``X``, int64 (n,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the soft assignments of ``X``, float32 (n, K); rows sum to 1."""
        check_is_fitted(self)
        return self._assign(self._latents(checked_items(self, X)))

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return where ``X`` lies in the space the clusters were found in, float32 (n, m)."""
        check_is_fitted(self)
        return self._latents(checked_items(self, X))

    @abstractmethod
    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        """Refuse data and settings that do not go together."""

    def _where(self, items: NDArray[np.float32], settings: dict[str, Any]) -> Device:  # noqa: ARG002
        """Return where a fit runs and why."""
        return Device(torch.device("cpu"), "plain methods run on the processor")

    @abstractmethod
    def _phases(self, settings: dict[str, Any]) -> Phases:
        """Return the phases a fit will go through."""

    @abstractmethod
    def _find(self, items: NDArray[np.float32], settings: dict[str, Any], telling: Telling) -> str:
        """Set the fitted attributes and return why the fit ended."""

    def _assign(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the soft assignments of latents."""
        raise NotImplementedError

    def _reduce(self, items: NDArray[np.float32], latent_dim: int | None, seed: int) -> NDArray[np.float32]:
        """Learn the way into the latent space: the features themselves, or their principal components."""
        self.pca_mean_: NDArray[Any] | None = None
        self.pca_components_: NDArray[Any] | None = None
        if latent_dim is not None and latent_dim < min(items.shape):
            from sklearn.decomposition import PCA

            pca = PCA(latent_dim, random_state=seed).fit(items)
            self.pca_mean_, self.pca_components_ = pca.mean_, pca.components_
        return self._latents(items)

    def _latents(self, items: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.pca_mean_ is None or self.pca_components_ is None:
            return np.array(items)
        centred = items.astype(np.float64) - self.pca_mean_
        return (centred @ self.pca_components_.T.astype(np.float64)).astype(np.float32)


def squared_distances(latents: NDArray[Any], centers: NDArray[Any]) -> NDArray[np.float64]:
    """Return squared Euclidean distances (n, K), pair by pair, so no row depends on its company."""
    parts = [
        cdist(latents[start : start + _ROWS_AT_ONCE], centers, "sqeuclidean")
        for start in range(0, len(latents), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def student_t(latents: NDArray[Any], centers: NDArray[Any], spread: float) -> NDArray[np.float32]:
    """Return Student-t soft assignments (n, K), the kernel of DEC's eq. 1 with one degree of freedom.

    Parameters
    ----------
    latents, centers : arrays (n, m) and (K, m)
    spread : float
        Mean squared distance of the fitted items to their own centre: the unit in which distances count, so
        that scaling the features changes nothing. These are relative certainties, not calibrated
        probabilities.
    """
    unit = max(spread, float(np.finfo(np.float32).tiny))
    kernel = 1 / (1 + squared_distances(latents, centers) / unit)  # (n, K)
    return (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
