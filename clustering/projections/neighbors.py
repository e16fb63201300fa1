"""Nearest neighbours: of a set within itself, and of new rows in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.progress import Progress, tell

# Items; at 70,000 × 50 and 91 neighbours exact search and NN-descent both took 20 s of one core;
# NN-descent found 99.9 % of the true ones and needs another 10 to 40 s to compile.
EXACT_UP_TO = 70_000
BLOCK = 1024  # rows compared with all others at a time
SPARE = 8  # more candidates than wanted, so that a tie at the edge is broken by exact distances

Neighbors = tuple[NDArray[np.int64], NDArray[np.float64]]


def neighbors_within(
    rows: NDArray[np.float32], n_neighbors: int, random_state: int, progress: Progress
) -> Neighbors:
    """Find the nearest other rows of every row.

    Parameters
    ----------
    rows : float32 array (n, d)
        All different.
    n_neighbors : int
        Below n; the row itself does not count.

    Returns
    -------
    indices, distances : int64 and float64 arrays (n, n_neighbors)
        Euclidean, nearest first.
    """
    doing = "finding neighbours"
    tell(progress, 0, len(rows), doing)
    if len(rows) <= EXACT_UP_TO:
        indices, distances = neighbors_in(rows, rows, n_neighbors + 1, progress)
    else:
        from pynndescent import NNDescent

        graph = NNDescent(rows, n_neighbors=n_neighbors + 1, random_state=random_state, low_memory=True)
        found, lengths = graph.neighbor_graph
        indices, distances = found.astype(np.int64), lengths.astype(np.float64)
        tell(progress, len(rows), len(rows), doing)
    itself = indices == np.arange(len(rows))[:, None]
    itself[~itself.any(axis=1), -1] = True  # a row that does not find itself loses its furthest neighbour
    shape = (len(rows), n_neighbors)
    return indices[~itself].reshape(shape), distances[~itself].reshape(shape)


def neighbors_in(
    rows: NDArray[np.float32], new: NDArray[np.float32], n_neighbors: int, progress: Progress
) -> Neighbors:
    """Find the rows nearest to every new row, exactly and independently of the other new rows.

    Parameters
    ----------
    rows : float32 array (n, d)
    new : float32 array (m, d)
    n_neighbors : int
        At most n.

    Returns
    -------
    indices, distances : int64 and float64 arrays (m, n_neighbors)
        Euclidean, nearest first; of equally near rows the one with the smaller index comes first.
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=min(n_neighbors + SPARE, len(rows)), algorithm="brute").fit(rows)
    indices = np.empty((len(new), n_neighbors), dtype=np.int64)
    distances = np.empty((len(new), n_neighbors))
    for start in range(0, len(new), BLOCK):
        block = slice(start, start + BLOCK)
        candidates = np.sort(index.kneighbors(new[block], return_distance=False), axis=1)
        # The matrix product behind the search rounds by batch; a row's own differences do not.
        exact = np.stack(
            [_distances(rows[found], row) for found, row in zip(candidates, new[block], strict=True)]
        )
        order = np.argsort(exact, axis=1, kind="stable")[:, :n_neighbors]
        indices[block] = np.take_along_axis(candidates, order, axis=1)
        distances[block] = np.take_along_axis(exact, order, axis=1)
        tell(progress, min(start + BLOCK, len(new)), len(new), "finding neighbours")
    return indices, distances


def _distances(rows: NDArray[np.float32], row: NDArray[np.float32]) -> NDArray[np.float64]:
    differences = rows.astype(np.float64) - row
    return np.sqrt(np.einsum("kd,kd->k", differences, differences))
