"""Links between items, as a person hands them over or as the nearest neighbours give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from torch import Tensor

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.neighbors import nearest_neighbors
from clustering.training.data import Data
from clustering.training.inference import ROWS_AT_ONCE

MEND = "Give pairs of row numbers, counted from 0, or a sparse matrix of items × items."


def checked_edges(edges: ArrayLike | Any, n_items: int, what: str = "links") -> NDArray[np.int64]:
    """Return every link once, the smaller row number first, int64 (e, 2), in ascending order.

    Direction and weights are dropped, and so is a link of an item with itself.

    Parameters
    ----------
    edges : int array-like (e, 2), or sparse matrix (n, n)
        Pairs of row numbers counted from 0; or links where the matrix is not 0.
    n_items : int
    what : str
        They are called so in the sentences.

    Raises
    ------
    StudioError
        For another shape, for what is no whole number, or for a row that does not exist.
    """
    pairs = _from_matrix(edges, n_items, what) if issparse(edges) else _from_pairs(edges, what)
    wrong = np.flatnonzero((pairs < 0).any(axis=1) | (pairs >= n_items).any(axis=1))
    if wrong.size:
        one, other = pairs[wrong[0]]
        raise StudioError(
            f"{wrong.size} of the {len(pairs)} {what} name items that do not exist (first: {one}–{other}, "
            f"number {wrong[0] + 1}); there are {n_items} items.",
            f"Give row numbers from 0 to {n_items - 1}.",
        )
    ends = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    numbers = np.unique(ends[:, 0] * n_items + ends[:, 1])
    return np.stack([numbers // n_items, numbers % n_items], axis=1)


def nearest_edges(data: Data, n_neighbors: int) -> NDArray[np.int64]:
    """Return the links of all items to their nearest neighbours, whichever names the other, int64 (e, 2)."""
    return nearest_pairs(gathered(data), min(n_neighbors, data.n_items - 1))


def distinct_nearest_edges(data: Data, n_neighbors: int) -> NDArray[np.int64]:
    """Return the same among different items alone: of equal items (twins) the first stands for all."""
    first, _ = twins(data)
    k = min(n_neighbors, len(first) - 1)
    return first[nearest_pairs(gathered(data)[first], k)].astype(np.int64)


def nearest_pairs(rows: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the links of rows (n, d) to their k nearest, whichever names the other, int64 (e, 2)."""
    if k < 1:
        return np.empty((0, 2), dtype=np.int64)
    found = nearest_neighbors(rows, k).indices.astype(np.int64)
    return checked_edges(np.stack([np.repeat(np.arange(len(rows)), k), found.ravel()], axis=1), len(rows))


def twins(data: Data) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which rows stand for all that equal them, and for every row its place among those.

    Looked for once: all seeds of a fit and all its phases share what was found.
    """
    if data.twins is None:
        data.twins = distinct_rows(gathered(data))
    return data.twins


def share_within(edges: Tensor, labels: Tensor) -> float:
    """Return the share of the links (e, 2) whose ends have the same label, of labels (n,)."""
    one, other = labels[edges].unbind(dim=1)
    return float((one == other).float().mean())


def gathered(data: Data) -> NDArray[np.float32]:
    """Return the features as the network sees them, float32 (n, d), on the host."""
    rows = np.empty((data.n_items, data.n_features), dtype=np.float32)
    for part, features in data.chunks(ROWS_AT_ONCE):
        rows[part] = features.cpu().numpy()
    return rows


def _from_matrix(matrix: Any, n_items: int, what: str) -> NDArray[np.int64]:
    if matrix.shape != (n_items, n_items):
        raise StudioError(
            f"The matrix of {what} is {' × '.join(map(str, matrix.shape))}, but there are {n_items} items.",
            MEND,
        )
    linked = matrix.tocoo()
    there = linked.data != 0
    return np.stack([linked.row[there], linked.col[there]], axis=1).astype(np.int64)


def _from_pairs(edges: ArrayLike, what: str) -> NDArray[np.int64]:
    pairs = np.asarray(edges)
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise StudioError(
            f"The {what} are no list of pairs: an array of {' × '.join(map(str, pairs.shape))} was given.",
            MEND,
        )
    if not np.issubdtype(pairs.dtype, np.integer):
        raise StudioError(f"The {what} hold what are no row numbers ({pairs.dtype} was given).", MEND)
    return pairs.astype(np.int64)
