"""t-SNE's optimiser on the device: openTSNE's schedule, attraction along links, repulsion of all pairs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.neighbors import Neighbors
from clustering.progress import Progress, tell
from clustering.projections.dre_affinities import conditional_affinities
from clustering.projections.on_device.graph import Graph, symmetric_graph
from clustering.projections.on_device.repulsion import EXACT_UP_TO, Field, exact_repulsion, nodes_for

EARLY_ITERATIONS = 250
MOMENTUM = 0.8
LARGEST_STEP = 5.0
GAIN, LOSS, LEAST_GAIN = 0.2, 0.8, 0.01
GRID_CHOSEN_EVERY = 25  # iterations; the only moments at which the device is waited for


def affinity_graph(found: Neighbors, perplexity: float, device: str) -> Graph:
    """Return P = (p_{j|i} + p_{i|j}) / 2n of the neighbours (van der Maaten and Hinton 2008, eq. 1, 2)."""
    indices = torch.from_numpy(found.indices).to(device)
    squared = torch.from_numpy(found.distances).to(device).square()
    n = len(indices)
    chances = conditional_affinities(squared, perplexity)
    return symmetric_graph(indices, chances, lambda a, b: (a + b) / (2 * n))


def lay_out(
    graph: Graph,
    start: NDArray[np.floating],
    *,
    exaggeration: float,
    early_exaggeration: float,
    early_iterations: int = EARLY_ITERATIONS,
    n_iter: int,
    dof: float,
    progress: Progress,
) -> tuple[NDArray[np.float32], float]:
    """Move points (n, c) from ``start`` down the gradient of KL(P‖Q); return them and the divergence."""
    places = torch.as_tensor(start, dtype=torch.float32, device=graph.weights.device)
    n = len(places)
    repulsion = _Repulsion(dof)
    attracting = graph.weights[:, None]
    total = early_iterations + n_iter
    for emphasis, first, last in (
        (early_exaggeration, 0, early_iterations),
        (exaggeration, early_iterations, total),
    ):
        descent = Descent(n / emphasis, MOMENTUM)  # Belkina 2019
        strengths = attracting * emphasis
        for iteration in range(first, last):
            forces, normaliser = repulsion(places, iteration)
            gradient = graph.summed(_pulls(graph, places, strengths, dof)) - forces / normaliser
            places = descent(places, gradient)
            places = places - places.mean(dim=0)
            tell(progress, iteration + 1, total, "moving the points")
    return places.cpu().numpy(), _divergence(graph, places, repulsion(places, 0)[1], dof)


@dataclass
class Descent:
    """Gradient descent with momentum and a gain for each coordinate (Jacobs 1988), as in openTSNE."""

    rate: float
    momentum: float
    gains: Tensor | None = field(default=None, init=False)
    update: Tensor | None = field(default=None, init=False)

    def __call__(self, places: Tensor, gradient: Tensor) -> Tensor:
        """Return the places (n, c) after one step against the gradient."""
        if self.gains is None or self.update is None:
            self.gains, self.update = torch.ones_like(places), torch.zeros_like(places)
        turned = self.update.sign() != gradient.sign()
        self.gains = torch.where(turned, self.gains + GAIN, self.gains * LOSS + LEAST_GAIN)
        self.update = self.momentum * self.update - self.rate * self.gains * gradient
        length = torch.linalg.vector_norm(self.update, dim=1, keepdim=True)
        self.update = self.update * (LARGEST_STEP / length.clamp_min(LARGEST_STEP))
        return places + self.update


class _Repulsion:
    """Repulsion of all points with one another; the grid's size follows the map's width now and then."""

    def __init__(self, dof: float) -> None:
        self.dof = dof
        self.n_nodes = 0

    def __call__(self, places: Tensor, iteration: int) -> tuple[Tensor, Tensor]:
        n, c = places.shape
        if n <= EXACT_UP_TO[c]:
            forces, totals = exact_repulsion(places, places, self.dof)
        else:
            if iteration % GRID_CHOSEN_EVERY == 0:
                width = float((places.amax(dim=0) - places.amin(dim=0)).amax())
                self.n_nodes = nodes_for(width, c, self.dof)
            forces, totals = Field.of(places, self.n_nodes, self.dof).at(places)
        return forces, (totals.sum() - n).clamp_min(torch.finfo(places.dtype).tiny)  # each without itself


def _pulls(graph: Graph, places: Tensor, strengths: Tensor, dof: float) -> Tensor:
    apart = graph.differences(places)
    inverse = apart.square().sum(dim=1, keepdim=True).div_(dof).add_(1).reciprocal_()
    return apart.mul_(inverse.mul_(strengths))


def _divergence(graph: Graph, places: Tensor, normaliser: Tensor, dof: float) -> float:
    logs = graph.differences(places).square().sum(dim=1).div_(dof).log1p_().mul_(dof)  # −log w
    chances = graph.weights
    own = torch.where(chances > 0, chances * chances.clamp_min(torch.finfo(chances.dtype).tiny).log(), 0.0)
    return float((own + chances * logs).sum(dtype=torch.float64)) + float(normaliser.double().log())
