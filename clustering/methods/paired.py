"""Autoencoder methods whose fit can be handed pairs of items that belong together or must be kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike

from clustering.methods.autoencoding import AutoencoderClusterer
from clustering.training.events import Emit


class PairedClusterer(AutoencoderClusterer):
    """Base of methods that heed pairs; without any they cluster as the data alone suggest."""

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,  # noqa: ARG002
        *,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
        emit: Emit | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Train the network on ``X`` and the pairs, and find the clusters.

        Parameters
        ----------
        X, y, emit, checkpoint
            As in `DEC`.
        must_link, cannot_link : int array-like (p, 2), optional
            Pairs of row numbers, counted from 0, of items that belong together, and of items to keep apart.
            What follows from them is used too: see `clustering.methods.pairs.checked_pairs`.

        Raises
        ------
        StudioError
            When a parameter, the data or the pairs cannot be used, or the training runs away.
        """
        return self._fit(X, emit, checkpoint, must_link=must_link, cannot_link=cannot_link)
