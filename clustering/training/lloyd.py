"""k-means as pseudo-label methods run it: a few rounds from random rows, and centres that may be refilled."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from clustering.training.kmeans import WORK_ELEMENTS

APART = 1 / 1024  # share by which a copied centre and its original are moved to either side


class Relabelled(NamedTuple):
    """What a few rounds of k-means found.

    Parameters
    ----------
    centers : Tensor (k, m)
    labels : int64 Tensor (n,)
    idle : int
        Centres that had no item in the last round: refilled by `lloyd`, left alone by `spherical`.
    """

    centers: Tensor
    labels: Tensor
    idle: int


def random_rows(points: Tensor, n_rows: int, generator: Generator) -> Tensor:
    """Return ``n_rows`` different rows of points (n, m), drawn on the generator's device."""
    order = torch.randperm(len(points), generator=generator, device=generator.device)
    return points[order[:n_rows].to(points.device)]


def lloyd(points: Tensor, centers: Tensor, rounds: int, generator: Generator) -> Relabelled:
    """Move centres to the means of their points, ``rounds`` times, and label the points by the nearest.

    A centre without points becomes a copy of another, drawn in proportion to its points, moved a little apart
    from it, and takes half of them: what DeepCluster's k-means library does.

    Parameters
    ----------
    points, centers : Tensor (n, m) and (k, m)
    rounds : int
        20 in DeepCluster.
    generator : Generator
        Draws the centres that share; on the CPU.
    """
    idle = 0
    for _ in range(rounds):
        sums, sizes = _added_up(points, _nearest(points, centers), len(centers))
        centers = torch.where(sizes[:, None] > 0, sums / sizes.clamp_min(1)[:, None], centers)
        idle = int((sizes == 0).sum())
        if idle:
            centers = _refilled(centers, sizes, generator)
    return Relabelled(centers, _nearest(points, centers), idle)


def spherical(points: Tensor, centers: Tensor, rounds: int) -> Relabelled:
    """Do the same among directions: the largest product is the nearest, and centres keep length 1.

    A centre without points stays where it is (DeepCluster-v2).

    Parameters
    ----------
    points, centers : Tensor (n, m) and (k, m)
        Rows of length 1.
    rounds : int
        10 in DeepCluster-v2.
    """
    idle = 0
    for _ in range(rounds):
        sums, sizes = _added_up(points, _alike(points, centers), len(centers))
        centers = torch.where(sizes[:, None] > 0, normalize(sums, dim=1), centers)
        idle = int((sizes == 0).sum())
    return Relabelled(centers, _alike(points, centers), idle)


def _nearest(points: Tensor, centers: Tensor) -> Tensor:
    lengths = centers.square().sum(dim=1) / 2
    return _best(points, centers, -lengths)


def _alike(points: Tensor, centers: Tensor) -> Tensor:
    return _best(points, centers, centers.new_zeros(len(centers)))


def _best(points: Tensor, centers: Tensor, lead: Tensor) -> Tensor:
    """Return for each point the centre whose product with it, plus its lead (k,), is largest, int64 (n,)."""
    rows = max(1, WORK_ELEMENTS // len(centers))
    return torch.cat([torch.addmm(lead, part, centers.T).argmax(dim=1) for part in points.split(rows)])


def _added_up(points: Tensor, labels: Tensor, n_clusters: int) -> tuple[Tensor, Tensor]:
    """Return the sums (k, m) and the sizes (k,) of clusters: a product, which leaves no order to chance."""
    clusters = torch.arange(n_clusters, device=points.device)
    sums = points.new_zeros(n_clusters, points.shape[1])
    rows = max(1, WORK_ELEMENTS // n_clusters)
    for part, some in zip(points.split(rows), labels.split(rows), strict=True):
        sums += (some[:, None] == clusters).to(points.dtype).T @ part
    return sums, torch.bincount(labels, minlength=n_clusters)


def _refilled(centers: Tensor, sizes: Tensor, generator: Generator) -> Tensor:
    """Give every centre without points half of those of another."""
    centers, left = centers.clone(), sizes.cpu().double()
    sign = torch.ones(centers.shape[1], device=centers.device, dtype=centers.dtype)
    sign[1::2] = -1
    for empty in (left == 0).nonzero()[:, 0].tolist():
        chance = (left - 1).clamp_min(0)  # one point cannot be shared
        if not chance.any():
            break
        full = int(torch.multinomial(chance, 1, generator=generator))
        centers[empty] = centers[full] * (1 + APART * sign)
        centers[full] = centers[full] * (1 - APART * sign)
        left[empty] = left[full] // 2
        left[full] -= left[empty]
    return centers
