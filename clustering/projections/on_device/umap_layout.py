"""UMAP's optimiser with all links at once: expected attraction, sampled repulsion, several steps an epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.neighbors import Neighbors
from clustering.progress import Progress, tell
from clustering.projections.dre_affinities import memberships
from clustering.projections.on_device.graph import Graph, symmetric_graph

STEPS = 4  # an epoch; one alone overshoots where an item has many links
CLIP = 4.0  # of every single move, as in umap-learn
SIDE = 10.0  # of the box the points start in, as in umap-learn
TINY = 1e-12  # squared distance
GENTLE = 0.3  # first rate of a map that goes on, as in `umap_library`
OFF = 1e-3  # keeps the repulsion of points on one spot finite, as in umap-learn


@dataclass(frozen=True)
class Kernel:
    """w(d) = 1 / (1 + a d^2b): how linked two points look on the map."""

    a: float
    b: float

    def attraction(self, squared: Tensor) -> Tensor:
        """Return the coefficient c of the move c (y_i − y_j) that brings linked points together."""
        powered = squared.pow(self.b)
        return powered.mul(-2 * self.a * self.b).div_(powered.mul(self.a).add_(1).mul_(squared))

    def repulsion(self, squared: Tensor) -> Tensor:
        """Return the coefficient of the move that drives strangers apart; 0 for a point and itself."""
        crowded = squared.pow(self.b).mul_(self.a).add_(1).mul_(squared + OFF)
        return torch.where(squared > 0, 2 * self.b / crowded, 0.0)


def fuzzy_graph(found: Neighbors, device: str) -> Graph:
    """Return UMAP's fuzzy union μ = μ + μᵀ − μ∘μᵀ of the neighbours' memberships (McInnes 2018, alg. 1–3)."""
    distances = torch.from_numpy(found.distances).to(device)
    indices = torch.from_numpy(found.indices).to(device)
    return symmetric_graph(indices, memberships(distances.square()), lambda a, b: a + b - a * b)


def lay_out(
    graph: Graph,
    start: NDArray[np.floating] | Tensor,
    kernel: Kernel,
    *,
    n_epochs: int,
    negative_sample_rate: int,
    random_state: int,
    go_on: bool = False,
    progress: Progress,
) -> NDArray[np.float32]:
    """Move points (n, c) from ``start`` until linked ones are near and others are not.

    umap-learn draws link (i, j) in a share μ_ij of the epochs, moves both of its ends, and drives its head
    from ``negative_sample_rate`` random points, one after the other. Here each item feels the expectation of
    all draws of its links at once (twice, as head and as tail) and is driven from random points drawn anew in
    every step, weighted so that the expectation is the same.
    """
    device = graph.weights.device
    graph = graph.without(float(graph.weights.max()) / n_epochs)  # never drawn by umap-learn
    strengths = (graph.weights / graph.weights.max())[:, None]
    links = graph.summed(strengths)  # (n, 1) draws of an item as head, expected in one epoch
    n_strangers = max(1, round(negative_sample_rate * float(links.mean()) / STEPS))
    push = negative_sample_rate * links / n_strangers  # (n, 1)
    strengths = 2 * strengths
    places = torch.as_tensor(start, dtype=torch.float32, device=device)
    if not go_on:
        places = _in_box(places)
    n = len(places)
    random = torch.Generator(device).manual_seed(random_state)
    for epoch in range(n_epochs):
        rate = (GENTLE if go_on else 1.0) * (1 - epoch / n_epochs) / STEPS
        for _ in range(STEPS):
            apart = graph.differences(places)  # (E, c)
            squared = apart.square().sum(dim=1, keepdim=True).clamp_(min=TINY)
            pulls = apart.mul_(kernel.attraction(squared)).clamp_(-CLIP, CLIP).mul_(strengths)
            strangers = torch.randint(n, (n * n_strangers,), generator=random, device=device)
            away = places[:, None] - places.index_select(0, strangers).view(n, n_strangers, -1)  # (n, s, c)
            squared = away.square().sum(dim=2, keepdim=True)
            pushes = away.mul_(kernel.repulsion(squared)).clamp_(-CLIP, CLIP).sum(dim=1)
            places = places + rate * (graph.summed(pulls) + push * pushes)
        tell(progress, epoch + 1, n_epochs, "moving the points")
    return places.cpu().numpy()


def _in_box(places: Tensor) -> Tensor:
    low, high = places.amin(dim=0), places.amax(dim=0)
    return SIDE * (places - low) / (high - low).clamp_min(torch.finfo(places.dtype).tiny)
