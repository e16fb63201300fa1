"""The steps of DRE's recursion: what each learns from, by which loss, and what it left behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

from torch import Tensor

from clustering.losses.fuzzy_cross_entropy import fuzzy_cross_entropy, sampled_fuzzy_cross_entropy
from clustering.losses.heavy_divergence import heavy_divergence, sampled_heavy_divergence
from clustering.losses.student_divergence import sampled_student_divergence, student_divergence
from clustering.projections.dre_kernels import heavy_kernel, umap_kernel
from clustering.projections.dre_parameters import Precision
from clustering.projections.dre_quality import Kept

Loss = Literal["tsne", "kl", "ce"]
DEEPEST = 3  # hidden layers that become spaces of their own


@dataclass(frozen=True)
class Step:
    """One step of the recursion.

    Parameters
    ----------
    name, title : str
        ``"re1"``; ``"hidden layer 1"``: where neighbourhoods are measured.
    layer : int
        0 is the input, 1 to 3 the hidden layers.
    loss : {"tsne", "kl", "ce"}
    epochs : int
    learning_rate : float
    """

    name: str
    title: str
    layer: int
    loss: Loss
    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class StepResult:
    """What a step left behind.

    Parameters
    ----------
    name, title : str
    epochs : int
    loss : float
        Mean over the last epoch; comparable only between epochs of one step.
    known : Kept
        Measured on items that the network learned from.
    new : Kept or None
        Measured on items set aside, if there are any.
    """

    name: str
    title: str
    epochs: int
    loss: float
    known: Kept
    new: Kept | None

    @property
    def score(self) -> float:
        """By which the best step is chosen: of new items if there are any, else of known ones."""
        return (self.new or self.known).score

    def told(self) -> str:
        """Return the measures in words."""
        known = self.known
        words = f"trustworthiness {known.trustworthiness:.3f}, continuity {known.continuity:.3f}"
        if self.new is not None:
            words += f" (new items {self.new.trustworthiness:.3f}, {self.new.continuity:.3f})"
        return words

    def row(self) -> list[float]:
        """Return the numbers alone; `from_row` reads them."""
        return [self.epochs, self.loss, *self.known, *(self.new or [math.nan] * len(Kept._fields))]

    @classmethod
    def from_row(cls, step: Step, row: list[float]) -> Self:
        """Return the result of ``step`` whose `row` this is."""
        epochs, loss, *kept = row
        known, new = kept[: len(Kept._fields)], kept[len(Kept._fields) :]
        told = None if math.isnan(new[0]) else Kept(*new)
        return cls(step.name, step.title, int(epochs), loss, Kept(*known), told)


@dataclass(frozen=True)
class Recipe:
    """The numbers every step shares."""

    perplexity: float
    n_neighbors: int
    min_dist: float
    batch_size: int
    redraw_every: int
    overall: bool  # neighbours of the whole set instead of the batch
    precision: Precision
    random_state: int


def planned(settings: dict[str, Any]) -> tuple[Step, ...]:
    """Return the steps that DRE's parameters ask for.

    Without recursion the first step gets the epochs of those left out, and everything is measured in the
    input: the same work, so that the two can be compared.
    """
    rate, again = settings["learning_rate"], settings["recursion_epochs"]
    depth = DEEPEST if settings["recursion"] else 0
    first = settings["input_epochs"] + (DEEPEST - depth) * again
    steps = [Step("input", "the input", 0, "tsne", first, rate)]
    for layer in range(1, depth + 1):
        steps.append(Step(f"hidden-{layer}", f"hidden layer {layer}", layer, "tsne", again, rate))
    if settings["stage2"] != "none":
        where = "the input" if depth == 0 else f"hidden layer {depth}"
        # A tenth of the rate, and a fresh optimiser, as released.
        steps.append(
            Step(
                "stage-2",
                f"{where}, stage 2",
                depth,
                settings["stage2"],
                settings["stage2_epochs"],
                rate / 10,
            )
        )
    return tuple(steps)


def whole_loss(step: Step, recipe: Recipe) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of a batch: (affinities (b, b), places (b, c)) → scalar."""
    if step.loss == "tsne":
        return student_divergence
    kernel = heavy_kernel if step.loss == "kl" else umap_kernel
    a, b = kernel(recipe.min_dist)
    return partial(heavy_divergence if step.loss == "kl" else fuzzy_cross_entropy, a=a, b=b)


def sampled_loss(step: Step, recipe: Recipe) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of drawn edges: (heads (e, c), tails (e, c)) → scalar."""
    if step.loss == "tsne":
        return sampled_student_divergence
    kernel = heavy_kernel if step.loss == "kl" else umap_kernel
    a, b = kernel(recipe.min_dist)
    return partial(sampled_heavy_divergence if step.loss == "kl" else sampled_fuzzy_cross_entropy, a=a, b=b)
