"""How DRE learns: step after step, each against neighbourhoods measured one layer deeper in the network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from clustering.errors import StudioError
from clustering.networks.recursive import RecursiveNetwork
from clustering.progress import Progress, tell
from clustering.projections.dre_affinities import (
    PER_PERPLEXITY,
    conditional_affinities,
    fuzzy_union,
    joint_affinities,
    memberships,
)
from clustering.projections.dre_graph import Edges, nearest_of_all, principal, union_weights
from clustering.projections.dre_quality import ANCHORS, OTHERS, kept_neighbours
from clustering.projections.dre_rows import Rows
from clustering.projections.dre_steps import Recipe, Step, StepResult, sampled_loss, whole_loss
from clustering.projections.dre_visit import Visit, network_numbers
from clustering.training.data import batch_shape
from clustering.training.seeds import torch_generator

Visits = Callable[[int], Iterator[tuple[Tensor, ...]]]  # epoch → what each visit is given

KEPT_BYTES = 2 * 2**30  # of affinities kept between two draws of the batches
CALIBRATING = 50  # batches that set the network's running means after a step


class Learner:
    """Trains a network through the steps; knows the data, the batches and the held-out items.

    Parameters
    ----------
    network : RecursiveNetwork
        On the device.
    data : Rows
        All items, (n, d).
    n_held_out : int
        Items, drawn at random, that are only measured.
    recipe : Recipe
    progress : callable
    """

    def __init__(
        self, network: RecursiveNetwork, data: Rows, n_held_out: int, recipe: Recipe, progress: Progress
    ) -> None:
        self.network, self.data, self.recipe, self.progress = network, data, recipe, progress
        self._started = perf_counter()
        order = torch.randperm(data.n_items, generator=self._generator("held out"), device=data.device)
        self.new, self.known = order[:n_held_out][:ANCHORS], order[n_held_out:]
        self.shape = batch_shape(len(self.known), min(recipe.batch_size, len(self.known)))
        self.history: list[dict[str, Any]] = []
        self._optimiser: torch.optim.Optimizer | None = None
        self._rate = 0.0

    def learn(self, step: Step, number: int, count: int) -> StepResult:
        """Train the whole network through one step and measure the map after it."""
        doing = f"step {number} of {count}: learning from {step.title}"
        tell(self.progress, 0, step.epochs, doing)
        frozen = copy.deepcopy(self.network).eval()
        if self.recipe.overall:
            edges = self._edges(step, frozen, f"step {number} of {count}: finding neighbours")
            visits, visit = self._of_edges(step, edges)
        else:
            visits, visit = self._of_batches(step, frozen)
        loss = float("nan")
        self.network.train()
        for epoch in range(step.epochs):
            n_visits = 0
            for batch in visits(epoch):
                if self.data.device.type == "cpu":  # an epoch may take long there
                    tell(self.progress, epoch, step.epochs, doing)
                visit(*batch)
                n_visits += 1
            loss = visit.mean(n_visits)
            if loss != loss or abs(loss) == float("inf"):
                raise StudioError(
                    f"The map fell apart while learning from {step.title}, epoch {epoch + 1}: the loss is no "
                    "number.",
                    "Choose a smaller “learning_rate”, or “float32” as the precision.",
                )
            row = {"step": step.name, "epoch": epoch + 1, "loss": loss}
            self.history.append(row | {"seconds": perf_counter() - self._started})
            tell(self.progress, epoch + 1, step.epochs, doing)
        self._calibrate()
        return self._measured(step, loss)

    def _of_batches(self, step: Step, frozen: RecursiveNetwork) -> tuple[Visits, Visit]:
        """Return the batches of every epoch, and the visit that finds a batch's own neighbours."""
        recipe = self.recipe
        n_batches, size = self.shape
        every = recipe.redraw_every if n_batches > 1 else step.epochs  # the one batch is all there is
        keeps = every > 1 and n_batches * size * size * 4 <= KEPT_BYTES
        affinities = partial(self._affinities, step, frozen)
        kept: list[Tensor] = []

        def visits(epoch: int) -> Iterator[tuple[Tensor, ...]]:
            rows = self._drawn(step, epoch // every)
            if not keeps:
                yield from ((features,) for features in self.data.batches(rows))
                return
            if epoch % every == 0:
                kept[:] = [affinities(features) for features in self.data.batches(rows)]
            yield from zip(self.data.batches(rows), kept, strict=True)

        divergence = whole_loss(step, recipe)

        def loss(places: Tensor, features: Tensor, joint: Tensor | None = None) -> Tensor:
            return divergence(affinities(features) if joint is None else joint, places)

        return visits, self._visit(step, loss)

    def _affinities(self, step: Step, frozen: RecursiveNetwork, features: Tensor) -> Tensor:
        with torch.no_grad():
            space = self._space(step, frozen, features)
            if step.loss == "tsne":
                return joint_affinities(space, min(self.recipe.perplexity, (len(space) - 1) / 3))
            union = fuzzy_union(space, self.recipe.n_neighbors)
            return union if step.loss == "ce" else union / union.sum()

    def _of_edges(self, step: Step, edges: Edges) -> tuple[Visits, Visit]:
        """Return edges drawn for every epoch, heads before tails, and the visit that learns them."""
        n_batches, size = self.shape

        def visits(epoch: int) -> Iterator[tuple[Tensor, ...]]:
            generator = self._generator("edges", step.name, epoch)
            heads, tails = edges.drawn(n_batches * (size // 2), generator)
            ends = torch.cat([heads.view(n_batches, -1), tails.view(n_batches, -1)], dim=1)
            yield from ((features,) for features in self.data.batches(self.known[ends]))

        divergence = sampled_loss(step, self.recipe)

        def loss(places: Tensor, features: Tensor) -> Tensor:  # noqa: ARG001
            return divergence(*places.chunk(2))

        return visits, self._visit(step, loss)

    def _edges(self, step: Step, frozen: RecursiveNetwork, doing: str) -> Edges:
        def blocks() -> Iterator[Tensor]:
            for rows in self.known.split(8192):
                yield self._space(step, frozen, self.data.take(rows))

        with torch.no_grad():
            rows = principal(blocks)
            perplexity = min(self.recipe.perplexity, (len(rows) - 1) / 3)
            wanted = PER_PERPLEXITY * perplexity if step.loss == "tsne" else self.recipe.n_neighbors - 1
            near = nearest_of_all(rows, min(len(rows) - 1, int(wanted)), self.progress, doing)
            if step.loss == "tsne":
                return Edges(near.indices, conditional_affinities(near.squared, perplexity))
            return Edges(near.indices, union_weights(near.indices, memberships(near.squared)))

    def _space(self, step: Step, frozen: RecursiveNetwork, features: Tensor) -> Tensor:
        if step.layer == 0:
            return features
        with network_numbers(self.recipe.precision, self.data.device):
            return frozen.hidden(features, step.layer).float()

    def _visit(self, step: Step, loss: Callable[..., Tensor]) -> Visit:
        if self._optimiser is None or self._rate != step.learning_rate:
            self._rate = step.learning_rate
            on_cuda = self.data.device.type == "cuda"
            self._optimiser = torch.optim.Adam(
                self.network.parameters(), lr=self._rate, eps=1e-7, fused=True, capturable=on_cuda
            )

        def objective(*batch: Tensor) -> Tensor:
            with network_numbers(self.recipe.precision, self.data.device):
                places = self.network(batch[0])
            return loss(places.float(), *batch)

        return Visit(objective, self._optimiser, self.data.device, self.recipe.precision)

    def _drawn(self, step: Step, draw: int) -> Tensor:
        """Return the row numbers of all batches, (batches, b), drawn for the ``draw``-th time in a step."""
        n_batches, size = self.shape
        generator = self._generator("batches", step.name, draw)
        order = torch.randperm(len(self.known), generator=generator, device=self.data.device)
        return self.known[order[: n_batches * size]].view(n_batches, size)

    def _generator(self, *purpose: str | int) -> torch.Generator:
        return torch_generator(self.recipe.random_state, "dre", *purpose, device=self.data.device)

    def _calibrate(self) -> None:
        """Set the means and variances used outside training to those of the finished weights.

        The running ones lag behind by some ten batches, which is many epochs of a small collection.
        """
        self.network.eval()
        layers = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        if not layers:
            return
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain average
            layer.train()
        generator = self._generator("calibration")
        order = self.known[torch.randperm(len(self.known), generator=generator, device=self.data.device)]
        n_batches, size = self.shape
        rows = order[: n_batches * size].view(n_batches, size)[:CALIBRATING]
        with torch.no_grad(), network_numbers(self.recipe.precision, self.data.device):
            for features in self.data.batches(rows):
                self.network(features)
        for layer in layers:
            layer.momentum = 0.1
        self.network.eval()

    def _measured(self, step: Step, loss: float) -> StepResult:
        others, places = self._seen(self.known[:OTHERS])
        known = kept_neighbours(others[:ANCHORS], places[:ANCHORS], others, places, included=True)
        new = None
        if len(self.new):
            new = kept_neighbours(*self._seen(self.new), others, places, included=False)
        return StepResult(step.name, step.title, step.epochs, loss, known, new)

    def _seen(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        features = self.data.take(rows)
        with torch.no_grad(), network_numbers(self.recipe.precision, self.data.device):
            parts = [self.network(part) for part in features.split(1024)]
        return features, torch.cat(parts).float()
