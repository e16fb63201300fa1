"""Autoencoder methods whose fit can be handed links between the items."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike

from clustering.methods.autoencoding import AutoencoderClusterer
from clustering.training.events import Emit


class LinkedClusterer(AutoencoderClusterer):
    """Base of methods that use links; what they do without any, each says itself."""

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,  # noqa: ARG002
        *,
        edges: ArrayLike | None = None,
        emit: Emit | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Train the network on ``X`` and its links, and find the clusters.

        Parameters
        ----------
        X, y, emit, checkpoint
            As in `DEC`.
        edges : int array-like (e, 2) or sparse matrix (n, n), optional
            Links between rows of ``X``: pairs of row numbers counted from 0, or links where the matrix is not
            0. Neither direction nor weight counts.

        Raises
        ------
        StudioError
            When a parameter, the data or the links cannot be used, or the training runs away.
        """
        return self._fit(X, emit, checkpoint, edges)
