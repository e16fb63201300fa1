"""LaptSNE's optimiser: t-SNE's descent with the pull of the map's smallest eigenvalues added to it."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from clustering.losses.laplacian_penalty import Surrogate
from clustering.losses.student_graph import StudentGraph
from clustering.projections.laptsne_eigenvectors import first_eigenvectors
from clustering.projections.on_device.graph import Graph
from clustering.projections.on_device.tsne_layout import MOMENTUM, Descent
from clustering.training.inference import threads

EARLY_SHARE = 1 / 3  # of the iterations, which form the islands without the penalty
EARLY_EXAGGERATION = 12.0
REFRESHED_EVERY = 10  # iterations; the eigenvectors are kept in between, as in the authors' code
STEPS = 6  # of the eigensolver at a refresh; the last vectors are a good guess
FIRST_STEPS = 60
WORTH_THREADS = 5_000  # items; below, waiting for one another costs threads more than they save


class Layout:
    """Points on their way down KL(P‖Q) + β Σ_{i=2..k} log λ_i.

    Parameters
    ----------
    affinities : Graph
        P of the items.
    start : Tensor (n, c)
    n_iter : int
        In all.
    strength : float
        β; 0 is t-SNE.
    n_groups : int
        k; 1 is t-SNE too.
    seed : int
        Of the eigensolver's first guess.
    early : bool
        False where ``start`` is a map already: no islands have to be formed first.
    """

    def __init__(
        self,
        affinities: Graph,
        start: Tensor,
        n_iter: int,
        strength: float,
        n_groups: int,
        seed: int,
        early: bool = True,
    ) -> None:
        self.affinities = affinities
        self.places = start
        self.n_iter = n_iter
        self.strength = strength
        self.n_groups = min(n_groups, len(start))
        self.seed = seed
        self.early = int(n_iter * EARLY_SHARE) if early else 0
        self.done = 0
        self.surrogate: Surrogate | None = None
        self._descent = Descent(len(start) / EARLY_EXAGGERATION, MOMENTUM)  # Belkina 2019

    def advance(self, iterations: int) -> None:
        """Move the points so many times, at most up to ``n_iter``."""
        for _ in range(min(iterations, self.n_iter - self.done)):
            if self.done == self.early:
                self._descent = Descent(len(self.places), MOMENTUM)
            graph = StudentGraph(self.places)
            if self.done < self.early:
                gradient = kl_gradient(self.affinities, graph, EARLY_EXAGGERATION)
            else:
                gradient = kl_gradient(self.affinities, graph, 1.0) + self._penalty_gradient(graph)
            places = self._descent(
                self.places, gradient / 4
            )  # the rates are those of a gradient without its 4
            self.places = places - places.mean(dim=0)
            self.done += 1

    def graph(self) -> StudentGraph:
        """Return the graph of the points where they are."""
        return StudentGraph(self.places)

    def eigenvectors(self, graph: StudentGraph, count: int, steps: int = FIRST_STEPS) -> Surrogate:
        """Return the first eigenvectors of the map's graph, at most ``count``."""
        guess = None if self.surrogate is None else self.surrogate.vectors
        vectors, values = first_eigenvectors(
            graph.similarities,
            graph.degrees,
            min(count, len(self.places)),
            guess=guess,
            seed=self.seed,
            steps=steps,
        )
        return Surrogate(vectors, values)

    def _penalty_gradient(self, graph: StudentGraph) -> Tensor | float:
        if not self.strength or self.n_groups < 2:
            return 0.0
        if (self.done - self.early) % REFRESHED_EVERY == 0:
            steps = FIRST_STEPS if self.surrogate is None else STEPS
            self.surrogate = self.eigenvectors(graph, self.n_groups, steps)
        assert self.surrogate is not None  # the first iteration with the penalty made one
        return self.strength * self.surrogate.gradient(graph)


def enough_threads(n_items: int) -> AbstractContextManager[None]:
    """Compute inside the block with one CPU thread if there are few items, else as before."""
    return threads(1 if n_items < WORTH_THREADS else None)


def kl_gradient(affinities: Graph, graph: StudentGraph, exaggeration: float) -> Tensor:
    """Return ∂KL/∂y = 4 Σ_j (p_ij − q_ij) w_ij (y_i − y_j), (n, c) (van der Maaten, Hinton 2008, eq. 5)."""
    places = graph.places
    apart = affinities.differences(places)
    kernel = apart.square().sum(dim=1, keepdim=True).add_(1).reciprocal_()
    pulls = affinities.summed(apart.mul_(kernel.mul_(exaggeration * affinities.weights[:, None])))
    squares = graph.sums(torch.cat([torch.ones_like(places[:, :1]), places], dim=1), 2)
    pushes = places * squares[:, :1] - squares[:, 1:]
    return 4 * (pulls - pushes / graph.degrees.sum())


def kl_divergence(affinities: Graph, graph: StudentGraph) -> float:
    """Return KL(P‖Q) in nats."""
    chances = affinities.weights.double()
    logs = affinities.differences(graph.places).square().sum(dim=1).double().log1p_()
    entropy = torch.special.xlogy(chances, chances).sum()
    return float(entropy + (chances * logs).sum() + graph.degrees.double().sum().log())
