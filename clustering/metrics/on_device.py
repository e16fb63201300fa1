"""Ranks of neighbours on a graphics processor: what `neighbourhood` measures, for every item in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.progress import Progress, tell

BYTES_AT_ONCE = 2**30  # of one block of distances
BYTES_AT_ONCE_CPU = 2**24
PLAIN_UP_TO = 8  # dimensions in which differences are taken pair by pair


def scores_on_device(
    space: NDArray[Any],
    picture: NDArray[Any],
    anchors: NDArray[np.intp],
    ks: Sequence[int],
    device: str,
    progress: Progress,
) -> NDArray[np.float64]:
    """Return trustworthiness, continuity and recall of the anchors for every k, float64 (3, len(ks), m).

    Distances are float64; of equally near items the first counts as nearer.
    """
    high, low = _points(space, device), _points(picture, device)
    n, most = len(high), max(ks)
    rows = torch.from_numpy(anchors).to(device)
    totals = torch.empty((3, len(ks), len(rows)), dtype=torch.float64, device=device)
    step = max(1, _bytes_at_once(high.device) // (8 * n))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        in_space, in_map = _to_all(high, block), _to_all(low, block)
        true, seen = _nearest(in_space, most), _nearest(in_map, most)  # (b, most)
        ranks_of_seen, ranks_of_true = _ranks(in_space, seen), _ranks(in_map, true)
        for column, k in enumerate(ks):
            unit = 2 / (k * (2 * n - 3 * k - 1))
            false = (ranks_of_seen[:, :k] - k).clamp_(min=0)
            torn = (ranks_of_true[:, :k] - k).clamp_(min=0)
            scores = (
                1 - unit * false.sum(dim=1, dtype=torch.float64),
                1 - unit * torn.sum(dim=1, dtype=torch.float64),
                (false == 0).double().mean(dim=1),
            )
            totals[:, column, start : start + step] = torch.stack(scores)
        tell(progress, min(start + step, len(rows)), len(rows), "comparing neighbours")
    return totals.cpu().numpy()


def _points(array: NDArray[Any], device: str) -> Tensor:
    points = torch.from_numpy(np.ascontiguousarray(array)).to(device).double()
    return points - points.mean(dim=0)


def _to_all(points: Tensor, rows: Tensor) -> Tensor:
    """Return squared distances from some rows to all, (b, n), infinite from a row to itself."""
    here = points[rows]
    if points.shape[1] <= PLAIN_UP_TO:
        squared = torch.zeros((len(rows), len(points)), dtype=points.dtype, device=points.device)
        for axis in range(points.shape[1]):
            squared += (here[:, axis, None] - points[:, axis]).square_()
    else:
        squared = torch.addmm(points.square().sum(dim=1)[None, :], here, points.T, alpha=-2)
        squared += here.square().sum(dim=1, keepdim=True)
    return squared.scatter_(1, rows[:, None], torch.inf)


def _nearest(distances: Tensor, k: int) -> Tensor:
    """Return the k nearest, int64 (b, k), nearest first; among equally far ones those of lowest index."""
    border = distances.topk(k, dim=1, largest=False, sorted=False).values.amax(dim=1, keepdim=True)
    inside, on_it = distances < border, distances == border
    room = k - inside.sum(dim=1, keepdim=True)
    inside |= on_it & (on_it.cumsum(dim=1, dtype=torch.int32) <= room)
    found = inside.nonzero()[:, 1].view(-1, k)
    return found.gather(1, distances.gather(1, found).sort(dim=1, stable=True).indices)


def _ranks(distances: Tensor, members: Tensor) -> Tensor:
    """Return ranks of members (b, k) among all by distance, 1 the nearest, equals by index."""
    order = torch.arange(distances.shape[1], device=distances.device)
    ranks = torch.empty_like(members)
    for position, member in enumerate(members.T[:, :, None]):
        own = distances.gather(1, member)
        before = (distances < own) | ((distances == own) & (order < member))
        ranks[:, position] = 1 + before.sum(dim=1)
    return ranks


def _bytes_at_once(device: torch.device) -> int:
    if device.type != "cuda":
        return BYTES_AT_ONCE_CPU
    return int(min(BYTES_AT_ONCE, torch.cuda.mem_get_info(device)[0] // 16))
