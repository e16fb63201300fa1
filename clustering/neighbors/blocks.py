"""Exact search by matrix products on a graphics processor, a block of rows at a time, never n × n."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.neighbors.found import Neighbors
from clustering.progress import Progress, tell

GROUP = 32  # columns of which only the nearest is looked at first
SPARE = 8  # more candidates than wanted, so that rounding and ties at the edge do no harm
BYTES_AT_ONCE = 2**31  # of one block of rough distances on a graphics processor
BYTES_AT_ONCE_CPU = 2**24
ALIGNED = 8  # matrix products are quickest where the inner dimension is a multiple of this
CELLS_AT_ONCE = 2**26  # differences held as float64


def search_in_blocks(
    rows: NDArray[np.float32],
    new: NDArray[np.float32] | None,
    n_neighbors: int,
    device: str,
    progress: Progress,
) -> Neighbors:
    """Find the nearest of ``rows`` (n, d) to every row of ``new``, or of ``rows`` itself, not counting it.

    Rough distances come from a matrix product in float32 of centred rows, and the candidates they name are
    compared again by their differences in float64, so a row's neighbours do not depend on its block.
    """
    points = torch.from_numpy(np.ascontiguousarray(rows)).to(device)
    queries = points if new is None else torch.from_numpy(np.ascontiguousarray(new)).to(device)
    n, m = len(points), len(queries)
    middle = points.mean(dim=0, dtype=torch.float64).float()
    centred = points - middle
    unit = centred.abs().max().clamp(min=torch.finfo(torch.float32).tiny)  # keeps squares off overflow
    centred /= unit
    n_groups = -(-n // GROUP)
    table = _table(centred, n_groups * GROUP)
    del centred
    indices = torch.empty((m, n_neighbors), dtype=torch.int32)
    distances = torch.empty((m, n_neighbors), dtype=torch.float32)
    candidates_wanted = min(n_neighbors + SPARE, n - (new is None))
    step = max(1, _bytes_at_once(points.device) // (4 * len(table)))
    for start in range(0, m, step):
        block = queries[start : start + step]
        with _full_precision():
            rough = _asking((block - middle) / unit, table.shape[1]) @ table.T  # (b, n padded)
        if new is None:
            itself = torch.arange(len(block), device=device)
            rough[itself, start + itself] = torch.inf
        candidates = _smallest(rough.view(len(block), GROUP, n_groups), candidates_wanted)
        kept, lengths = _compared(points, block, candidates.sort(dim=1).values, n_neighbors)
        indices[start : start + step] = kept.to(torch.int32).cpu()
        distances[start : start + step] = lengths.float().cpu()
        tell(progress, min(start + step, m), m, "finding neighbours")
    return Neighbors(indices.numpy(), distances.numpy(), f"exact search on {_name(points.device)}")


def _table(centred: Tensor, length: int) -> Tensor:
    """Return [−2x, |x|², 0 …] of every row; rows added to fill the last group are infinitely far."""
    n, d = centred.shape
    table = centred.new_zeros((length, -(-(d + 1) // ALIGNED) * ALIGNED))
    table[:n, :d] = -2 * centred
    table[:n, d] = centred.square().sum(dim=1)
    table[n:, d] = torch.inf
    return table


def _asking(block: Tensor, width: int) -> Tensor:
    """Return [x, 1, 0 …], whose product with the table is the squared distance less |x|²."""
    asking = block.new_zeros((len(block), width))
    asking[:, : block.shape[1]] = block
    asking[:, block.shape[1]] = 1
    return asking


def _smallest(rough: Tensor, count: int) -> Tensor:
    """Return the columns of the ``count`` smallest values of rough (b, GROUP, g), int64 (b, count).

    A group is the columns g apart. The count smallest values lie in the count groups of smallest minimum, so
    that only one value in GROUP is sorted.
    """
    b, _, n_groups = rough.shape
    n_chosen = min(count, n_groups)
    groups = rough.amin(dim=1).topk(n_chosen, dim=1, largest=False, sorted=False).indices  # (b, c)
    inside = rough.gather(2, groups[:, None, :].expand(b, GROUP, n_chosen)).reshape(b, -1)
    place = inside.topk(count, dim=1, largest=False, sorted=False).indices
    within = torch.div(place, n_chosen, rounding_mode="floor")
    return within * n_groups + groups.gather(1, place % n_chosen)


def _compared(points: Tensor, block: Tensor, candidates: Tensor, n_neighbors: int) -> tuple[Tensor, Tensor]:
    step = max(1, CELLS_AT_ONCE // (candidates.shape[1] * points.shape[1]))
    exact = torch.cat(
        [
            (points[candidates[start : start + step]].double() - block[start : start + step, None].double())
            .square()
            .sum(dim=2)
            .sqrt()
            for start in range(0, len(block), step)
        ]
    )
    lengths, order = exact.sort(dim=1, stable=True)
    return candidates.gather(1, order[:, :n_neighbors]), lengths[:, :n_neighbors]


def _bytes_at_once(device: torch.device) -> int:
    if device.type != "cuda":
        return BYTES_AT_ONCE_CPU
    return int(min(BYTES_AT_ONCE, torch.cuda.mem_get_info(device)[0] // 8))


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


@contextmanager
def _full_precision() -> Iterator[None]:
    """Multiply float32 as float32, whatever shorter format a training has chosen for its own products."""
    chosen = torch.get_float32_matmul_precision()
    if chosen == "highest":
        yield
        return
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(chosen)
