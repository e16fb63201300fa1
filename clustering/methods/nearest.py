"""Methods that have no rule for new items: a new item takes the place of the fitted item nearest to it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from clustering.arrays import distinct_rows
from clustering.methods.inputs import check_group_count, checked_items
from clustering.methods.plain import PlainClusterer, Telling

_CELLS_AT_ONCE = 2**23


@dataclass(frozen=True)
class Found:
    """What a method found for the distinct items it looked at.

    Parameters
    ----------
    labels : int64 array (u,)
    soft_assignments : float32 array (u, K)
    embedding : float32 array (u, m)
    centers : float32 array (K, m)
    reason : str
        Why the fit ended.
    """

    labels: NDArray[np.int64]
    soft_assignments: NDArray[np.float32]
    embedding: NDArray[np.float32]
    centers: NDArray[np.float32]
    reason: str = "the groups were found in one pass"


class NearestItemClusterer(PlainClusterer):
    """Base of methods that group the items they see and say nothing of others.

    Twins (equal rows) share one place. Above ``max_items`` items, where a method has that parameter, the
    groups are found on a random sample, and every other item is treated as a new one. So `fit` and `predict`
    agree on every subset, whatever its order.

    Attributes
    ----------
    items_ : float32 array (u, d)
        The distinct items the groups were found on.
    rows_ : int64 array (u,)
        Their row numbers in the fitted data.
    counts_ : int64 array (u,)
        How many of the items looked at are equal to each.
    places_ : int64 array (n,)
        For every fitted row the item in ``items_`` whose place it has.
    """

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster of the fitted item nearest to each row of ``X``, int64 (n,)."""
        places = self._places(X)
        return self.labels_[places]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the soft assignments of the fitted item nearest to each row of ``X``, float32 (n, K)."""
        places = self._places(X)
        return self.soft_assignments_[places]

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the place of the fitted item nearest to each row of ``X``, float32 (n, m)."""
        places = self._places(X)
        return self.embedding_[places]

    @abstractmethod
    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        """Group distinct items (u, d), each of which occurs ``counts`` (u,) times."""

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        if "n_clusters" in settings:
            check_group_count(settings["n_clusters"], len(items), len(distinct_rows(items)[0]))

    def _find(self, items: NDArray[np.float32], settings: dict[str, Any], telling: Telling) -> str:
        sample, alarms = _sampled(len(items), settings)
        first, twin_of = distinct_rows(items[sample])
        self.items_, self.rows_ = items[sample][first], sample[first].astype(np.int64)
        self.counts_ = np.bincount(twin_of)
        found = self._find_among(self.items_, self.counts_, settings, telling, alarms)
        self.places_ = np.empty(len(items), dtype=np.int64)
        self.places_[sample] = twin_of
        others = np.setdiff1d(np.arange(len(items)), sample, assume_unique=True)
        self.places_[others] = nearest_items(items[others], self.items_)
        self._keep(found)
        return found.reason

    def _keep(self, found: Found) -> None:
        """Give every fitted row what was found for the item whose place it has."""
        self.labels_ = found.labels[self.places_]
        self.soft_assignments_ = found.soft_assignments[self.places_]
        self.embedding_ = found.embedding[self.places_]
        self.cluster_centers_ = found.centers

    def _places(self, X: ArrayLike) -> NDArray[np.int64]:
        check_is_fitted(self)
        return self.rows_[nearest_items(checked_items(self, X), self.items_)]


def nearest_items(queries: NDArray[np.float32], items: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return for each query (q, d) the index of the nearest item (u, d); the lowest index among equals.

    A matrix product finds the candidates, then their distances are computed exactly, so that the answer for
    one query does not depend on the others and an item is always nearest to itself.
    """
    nearest = np.empty(len(queries), dtype=np.intp)
    middle = items.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = items - middle
    unit = max(np.abs(centred).max(), np.finfo(np.float32).tiny)  # keeps squares away from overflow
    centred /= unit
    lengths = np.einsum("ij,ij->i", centred, centred)
    step = max(1, _CELLS_AT_ONCE // len(items))
    for start in range(0, len(queries), step):
        block = queries[start : start + step]
        moved = (block - middle) / unit
        rough = lengths - 2 * (moved @ centred.T)  # (b, u), squared distance but for the query's own length
        doubt = 1e-5 * (lengths.max() + np.einsum("ij,ij->i", moved, moved))
        near = rough <= (rough.min(axis=1) + doubt)[:, None]
        for row, candidates in enumerate(near):
            indices = np.flatnonzero(candidates)
            if len(indices) > 1:
                gaps = items[indices].astype(np.float64) - block[row]
                indices = indices[[np.square(gaps).sum(axis=1).argmin()]]
            nearest[start + row] = indices[0]
    return nearest


def _sampled(n_items: int, settings: dict[str, Any]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    limit = settings.get("max_items", n_items)
    if n_items <= limit:
        return np.arange(n_items), ()
    rng = np.random.default_rng(settings["random_state"])
    alarm = (
        f"Groups were found on {limit:,} of the {n_items:,} items; each other joins the item nearest to it."
    )
    return np.sort(rng.choice(n_items, limit, replace=False)), (alarm,)
