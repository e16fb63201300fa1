"""What a few labels tell of all other items: the plain ways, at once, that any other has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.labelling.surveying import BLOCK, unit_rows

INVERSE_PENALTY = 100.0  # C of the linear probe on columns of one spread, rows of length about 1


@dataclass(frozen=True)
class Guess:
    """A class for every item.

    Parameters
    ----------
    soft_assignments : float32 array (n, K)
        How likely each class is; rows sum to 1.
    """

    soft_assignments: NDArray[np.float32]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The likeliest class of every item, (n,)."""
        return np.asarray(self.soft_assignments.argmax(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Way:
    """A way from a few labels to all items."""

    title: str
    summary: str
    guess: Callable[[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], int], NDArray[np.float32]]


def guesses(
    features: NDArray[np.float32],
    items: NDArray[np.int64],
    classes: NDArray[np.int64],
    way: str = "linear_probe",
) -> Guess:
    """Return a class for every item from those of a few.

    Parameters
    ----------
    features : float32 array (n, d)
    items : int64 array (m,)
        Rows with a label.
    classes : int64 array (m,)
        0 … K − 1, every one of them at least once.
    way : str
        A key of `WAYS`.

    Raises
    ------
    StudioError
        When there are fewer than two classes, or no such way.
    """
    if way not in WAYS:
        raise StudioError(f"There is no way “{way}”.", f"Choose one of: {', '.join(WAYS)}.")
    n_classes = len(np.unique(classes))
    if n_classes < 2:
        raise StudioError(
            f"There {'is one label' if n_classes else 'are no labels'} to learn from; two different ones are "
            "the least.",
            "Give items of another kind their label too.",
        )
    return Guess(WAYS[way].guess(features, items, classes, n_classes))


def _nearest_label(
    features: NDArray[np.float32], items: NDArray[np.int64], classes: NDArray[np.int64], n_classes: int
) -> NDArray[np.float32]:
    """Return Student-t weights (DEC, eq. 1) of the distance to the nearest label of every class."""
    unit = unit_rows(features)
    squared = np.empty((len(unit), n_classes), dtype=np.float32)
    for start in range(0, len(unit), BLOCK):
        apart = 2 - 2 * unit[start : start + BLOCK] @ unit[items].T  # (block, m)
        for kind in range(n_classes):
            squared[start : start + BLOCK, kind] = apart[:, classes == kind].min(axis=1)
    squared = np.maximum(squared, 0)
    scale = max(float(squared.min(axis=1).mean()), 1e-12)
    kernel = 1 / (1 + squared / scale)
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True), dtype=np.float32)


def _linear_probe(
    features: NDArray[np.float32],
    items: NDArray[np.int64],
    classes: NDArray[np.int64],
    n_classes: int,  # noqa: ARG001
) -> NDArray[np.float32]:
    """Return what a logistic regression says of features brought to one spread."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 0, spread, np.inf) * np.sqrt(features.shape[1])
    probe = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000).fit(
        (features[items] - mean) / scale, classes
    )
    parts = [
        probe.predict_proba((features[start : start + BLOCK] - mean) / scale)
        for start in range(0, len(features), BLOCK)
    ]
    return np.concatenate(parts).astype(np.float32)


WAYS: dict[str, Way] = {
    "linear_probe": Way(
        "Linear probe",
        "A logistic regression on the features: learns which of their directions tell the labels apart.",
        _linear_probe,
    ),
    "nearest_label": Way(
        "Nearest label",
        "Every item takes the label of the nearest item that has one.",
        _nearest_label,
    ),
}
