"""Spectral methods whose eigenvectors reach beyond a sample: Nyström's extension."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh

from clustering.methods.cutting import DENSE_UP_TO, STARTS, cut, of_unit_size
from clustering.methods.nearest import Found, NearestItemClusterer
from clustering.methods.plain import Phases, Telling
from clustering.parameters import Meaning

PATIENCE = 3_000  # restarts of the iterative solver

SampleSize = Annotated[
    int,
    Interval(ge=100, le=100_000),
    Meaning("Compute on at most this many items; the others are placed by them (Nyström).", advanced=True),
]
Extension = Callable[[NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True)
class Solved:
    """What an eigenproblem gave.

    Parameters
    ----------
    vectors : float64 array (s, K)
        Of the items it was posed on.
    extended : callable
        Other items (q, d) → the values the eigenvectors take there (q, K), row by row.
    alarms : tuple of str
        What a person should know of the graph.
    """

    vectors: NDArray[np.float64]
    extended: Extension
    alarms: tuple[str, ...] = ()


class NystromClusterer(NearestItemClusterer):
    """Base of methods that cut the last eigenvectors of a matrix over all pairs of items.

    Above ``sample_size`` different items the eigenproblem is posed on a random sample of them, and every
    other item takes the values that its own row of the matrix gives it. All items are then cut together, and
    a new item takes the place of the nearest fitted one.
    """

    @abstractmethod
    def _solved(self, items: NDArray[np.float32], settings: dict[str, Any]) -> Solved:
        """Return the eigenvectors of the K smallest eigenvalues for different items (s, d)."""

    def _phases(self, _settings: dict[str, Any]) -> Phases:
        return (("eigenvectors", 1), ("starts", STARTS))

    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        seed, most = settings["random_state"], settings["sample_size"]
        chosen = np.arange(len(distinct))
        if len(distinct) > most:
            chosen = np.sort(np.random.default_rng(seed).choice(len(distinct), most, replace=False))
            alarms = (
                *alarms,
                f"The eigenvectors are those of {most:,} of the {len(distinct):,} different items; the "
                "others are placed by them.",
            )
        solved = self._solved(distinct[chosen], settings)
        others = np.setdiff1d(np.arange(len(distinct)), chosen, assume_unique=True)
        vectors = np.empty((len(distinct), solved.vectors.shape[1]))
        vectors[chosen] = solved.vectors
        if len(others):
            vectors[others] = solved.extended(distinct[others])
        telling.epoch("eigenvectors", 1, 1, alarms=alarms + solved.alarms)
        return cut(of_unit_size(vectors), counts, settings["n_clusters"], seed, telling)


def last_eigenvectors(
    product: Callable[[NDArray[Any]], NDArray[Any]], n_items: int, n_vectors: int, largest: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest eigenvalues (K,), ascending, and their eigenvectors (n, K), of a symmetric matrix.

    Parameters
    ----------
    product : callable
        Columns (n, m) → the matrix times them.
    n_items, n_vectors : int
    largest : float
        No eigenvalue is above it: the matrix is turned around there, so that the smallest converge first.
    seed : int
    """
    if n_items <= max(DENSE_UP_TO, 3 * n_vectors):
        values, vectors = eigh(product(np.eye(n_items)), subset_by_index=(0, n_vectors - 1))
        return values, vectors
    turned = LinearOperator(
        (n_items, n_items), matvec=lambda v: largest * v - product(v.reshape(-1, 1)).ravel(), dtype=np.float64
    )
    start = np.random.default_rng(seed).standard_normal(n_items)
    values, vectors = eigsh(
        turned, n_vectors, which="LA", v0=start, ncv=max(4 * n_vectors, 40), maxiter=PATIENCE
    )
    order = np.argsort(-values)
    return largest - values[order], vectors[:, order]


def last_of_pieces(
    matrix: csr_array, n_vectors: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `last_eigenvectors` does, of a sparse matrix whose rows sum to 0, piece by piece.

    Every piece of the graph has an eigenvalue 0, and an iterative solver would miss some of those copies.
    Where there are more pieces than vectors, the larger pieces have theirs.
    """
    _, piece = connected_components(matrix, directed=False)
    largest_first = np.argsort(-np.bincount(piece), kind="stable")
    values, vectors = [], []
    for number in largest_first[:n_vectors]:
        members = np.flatnonzero(piece == number)
        part = matrix[members][:, members]
        largest = float(abs(part).sum(axis=1).max())  # no eigenvalue is above it (Gershgorin)
        found, within = last_eigenvectors(
            part.dot,
            len(members),
            min(n_vectors, len(members)),
            largest,
            seed,
        )
        found[0] = 0.0
        values.append(found)
        vectors.append(np.zeros((len(matrix.indptr) - 1, len(found))))
        vectors[-1][members] = within
    order = np.argsort(np.concatenate(values), kind="stable")[:n_vectors]
    return np.concatenate(values)[order], np.concatenate(vectors, axis=1)[:, order]
