"""Find neighbours: the engine is chosen by what there is and how much there is to do."""

from __future__ import annotations

import sys
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustering.neighbors.found import Neighbors
from clustering.neighbors.kept import keeping, recalled, remember
from clustering.progress import Progress, silent, tell

Engine = Literal["auto", "cuda", "cpu", "nn-descent"]

# Work is counted in pairs × (dimensions + 150). What one core does in about 25 s: 70,000 × 50, or
# 26,000 × 1280. At 70,000 × 50 and 91 neighbours NN-descent took 20 s too, found 99.9 % of the true ones, and
# needs another 10 to 40 s to compile.
EXACT_WORK = 70_000**2 * 200
# The first use of a graphics processor costs a process .8 s, what one core does with 3,500 × 50; after that
# 500 × 50 take 2 ms instead of 25.
CUDA_WORK = 3_500**2 * 200
CUDA_WORK_ONCE_STARTED = 500**2 * 200
SHARED = 90  # neighbours found where results are kept: what t-SNE of perplexity 30 wants
BLOCK = 1024  # rows compared with all others at a time
SPARE = 8  # more candidates than wanted, so that a tie at the edge is broken by exact distances
CELLS_AT_ONCE = 2**22  # differences held as float64
DOING = "finding neighbours"


def nearest_neighbors(
    rows: NDArray[np.float32],
    n_neighbors: int,
    *,
    random_state: int = 0,
    engine: Engine = "auto",
    progress: Progress = silent,
) -> Neighbors:
    """Find the nearest other rows of every row.

    Parameters
    ----------
    rows : float32 array (n, d)
        Finite. Rows may be equal; a row itself never counts as its neighbour.
    n_neighbors : int
        From 1 to n − 1.
    random_state : int
        Of NN-descent; the exact searches know no chance.
    engine : {"auto", "cuda", "cpu", "nn-descent"}
        ``"auto"`` searches exactly on an NVIDIA graphics processor when there is one and enough to do, else
        exactly on the CPU, and above about 70,000 rows of 50 dimensions by NN-descent.
    progress : callable
        Hears of every block; returning True stops.

    Raises
    ------
    Stopped
        When the listener asked for it.
    """
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    known = recalled(rows, n_neighbors)
    if known is not None:
        tell(progress, len(rows), len(rows), DOING)
        return known
    tell(progress, 0, len(rows), DOING)
    chosen = _chosen(len(rows), len(rows), rows.shape[1]) if engine == "auto" else engine
    wanted = n_neighbors
    if keeping() and chosen != "nn-descent":
        wanted = min(max(n_neighbors, SHARED), len(rows) - 1)
    found = _searched(rows, wanted, chosen, random_state, progress, may_change=engine == "auto")
    remember(rows, found)
    return found.first(n_neighbors)


def neighbors_in(
    rows: NDArray[np.float32], new: NDArray[np.float32], n_neighbors: int, progress: Progress = silent
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
    Neighbors
        Of the ``new`` rows, (m, n_neighbors): indices of ``rows``.
    """
    if _chosen(len(rows), len(new), rows.shape[1]) == "cuda":
        from clustering.neighbors.blocks import search_in_blocks

        return search_in_blocks(rows, new, n_neighbors, "cuda", progress)
    indices, distances = _candidates(rows, new, n_neighbors, progress)
    return Neighbors(indices.astype(np.int32), distances.astype(np.float32), "exact search on CPU")


def _searched(
    rows: NDArray[np.float32],
    wanted: int,
    engine: Engine,
    random_state: int,
    progress: Progress,
    may_change: bool,
) -> Neighbors:
    if engine == "cuda":
        import torch

        from clustering.neighbors.blocks import search_in_blocks

        try:
            return search_in_blocks(rows, None, wanted, "cuda", progress)
        except torch.OutOfMemoryError:  # the rows are too large for it, or something else fills it
            if not may_change:
                raise
        engine = _on_cpu(len(rows) ** 2 * (rows.shape[1] + 150))
    if engine == "cpu":
        return _without_self(*_candidates(rows, rows, wanted + 1, progress), wanted, "exact search on CPU")
    return _descended(rows, wanted, random_state, progress)


def _chosen(n_rows: int, n_queries: int, n_dimensions: int) -> Literal["cuda", "cpu", "nn-descent"]:
    work = n_rows * n_queries * (n_dimensions + 150)
    if work >= (CUDA_WORK_ONCE_STARTED if _cuda_started() else CUDA_WORK):
        import torch

        if torch.cuda.is_available():
            return "cuda"
    return _on_cpu(work)


def _cuda_started() -> bool:
    """Return whether this process uses a graphics processor already; asking does not load PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _on_cpu(work: int) -> Literal["cpu", "nn-descent"]:
    return "cpu" if work <= EXACT_WORK else "nn-descent"


def _candidates(
    rows: NDArray[np.float32], new: NDArray[np.float32], n_neighbors: int, progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=min(n_neighbors + SPARE, len(rows)), algorithm="brute").fit(rows)
    indices = np.empty((len(new), n_neighbors), dtype=np.int64)
    distances = np.empty((len(new), n_neighbors))
    for start in range(0, len(new), BLOCK):
        block = slice(start, start + BLOCK)
        candidates = np.sort(index.kneighbors(new[block], return_distance=False), axis=1)
        # The matrix product behind the search rounds by batch; a row's own differences do not.
        exact = _distances(rows, new[block], candidates)
        order = np.argsort(exact, axis=1, kind="stable")[:, :n_neighbors]
        indices[block] = np.take_along_axis(candidates, order, axis=1)
        distances[block] = np.take_along_axis(exact, order, axis=1)
        tell(progress, min(start + BLOCK, len(new)), len(new), DOING)
    return indices, distances


def _distances(
    rows: NDArray[np.float32], new: NDArray[np.float32], candidates: NDArray[np.int64]
) -> NDArray[np.float64]:
    exact = np.empty(candidates.shape)
    step = max(1, CELLS_AT_ONCE // (candidates.shape[1] * rows.shape[1]))
    for start in range(0, len(new), step):
        block = slice(start, start + step)
        differences = rows[candidates[block]].astype(np.float64) - new[block, None]  # (b, c, d)
        exact[block] = np.sqrt(np.einsum("bcd,bcd->bc", differences, differences))
    return exact


def _descended(
    rows: NDArray[np.float32], n_neighbors: int, random_state: int, progress: Progress
) -> Neighbors:
    from pynndescent import NNDescent

    graph = NNDescent(rows, n_neighbors=n_neighbors + 1, random_state=random_state, low_memory=True)
    indices, distances = graph.neighbor_graph
    tell(progress, len(rows), len(rows), DOING)
    return _without_self(indices, distances, n_neighbors, "NN-descent on CPU (about 99.9 % of the true ones)")


def _without_self(
    indices: NDArray[np.integer], distances: NDArray[np.floating], n_neighbors: int, engine: str
) -> Neighbors:
    itself = indices == np.arange(len(indices))[:, None]
    itself[~itself.any(axis=1), -1] = True  # a row that does not find itself loses its furthest neighbour
    shape = (len(indices), n_neighbors)
    return Neighbors(
        indices[~itself].reshape(shape).astype(np.int32),
        distances[~itself].reshape(shape).astype(np.float32),
        engine,
    )
