"""Rounds of SPICE-Self: prototypes are sought, items labelled by them, and heads learn the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import torch
from annotated_types import Interval
from torch import Generator, Tensor
from torch.nn.functional import normalize

from clustering.losses.partition_confidence import least_confidence_loss
from clustering.losses.prototype_labels import double_softmax_cross_entropy, prototype_labels
from clustering.methods.learning_from_views import Watch
from clustering.methods.numbering import same_numbers
from clustering.methods.pretext import PretextClusterer
from clustering.methods.viewing import Viewing
from clustering.networks.prototypes import PrototypeNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import ROWS_AT_ONCE
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch, products_in
from clustering.views.noisy import NoisyViews

HEADS = 5  # of which the one with the lowest loss is taken; 10 as published
RATE = 5e-3
MOST = 20_000  # items among which prototypes are sought, where nobody asks for another number
ITEMS_A_GROUP = 100  # of these for every group, at least: with fewer prototypes are chance
PAIRS = 128  # labelled items of a step, as published
LEFT_OUT, NOISE = 0.1, 0.2  # of a strong view of features
SETTLED = 0.3  # share of the rounds after which prototypes should have parted
SHARED = 0.3  # share of items with two labels from which on prototypes are alike


PrototypeShare = Annotated[
    float,
    Interval(ge=0.01, le=1),
    Meaning("Share of a group's even size that makes its prototype: its surest items.", advanced=True),
]
Repeats = Annotated[
    int,
    Interval(ge=1, le=100),
    Meaning("Passes over the labelled items before they are labelled anew.", advanced=True),
]
SelectionSize = Annotated[
    int | None,
    Interval(ge=1, le=10_000_000),
    Meaning(
        f"Items, drawn anew in every round, among which prototypes are sought: at least {ITEMS_A_GROUP} a "
        f"group are taken. Empty: all, or {MOST:,} of more.",
        advanced=True,
    ),
]


class PrototypeClusterer(PretextClusterer):
    """Base of SPICE-Self and SPICE: what both do.

    A method gives its network (`setup`).
    """

    prototype_share: float
    repeats: int
    selection_size: int | None
    n_neighbours = 20  # which judge the features

    def grouping(self, network: Any, data: Data, viewing: Viewing, watch: Watch) -> tuple[Phase, ...]:
        """Let heads learn the labels their prototypes give."""
        rounds = Prototyping(self, network, data, viewing)

        def look() -> Refreshed:
            rounds.choose()
            rounds.label()
            return rounds.told(self.judged(network, watch.look()))

        return (
            Phase(
                "cluster",
                self.epochs,
                rounds.loss,
                list(network.heads.parameters()),
                Optimiser("adam", RATE),
                begin=lambda: self.start(network, data),
                refresh=look,
                steps=rounds.steps,
                noisy=True,
                draw=rounds.draw,
                watch=lambda: watch.warnings() + rounds.warnings() + self.doubts(network),
            ),
        )


class Prototyping:
    """The rounds of one fit.

    Parameters
    ----------
    method : PrototypeClusterer
    network : PrototypeNetwork
    data : Data
    viewing : Viewing
    """

    def __init__(
        self, method: PrototypeClusterer, network: PrototypeNetwork, data: Data, viewing: Viewing
    ) -> None:
        self._method, self._network, self._data, self._viewing = method, network, data, viewing
        self._pictured = method.pictured(data.n_features) is not None
        wanted = max(method.selection_size or MOST, ITEMS_A_GROUP * method.n_clusters)
        self._selected = min(data.n_items, wanted)
        self._pairs = self._selected // method.n_clusters * method.n_clusters

    @property
    def steps(self) -> int:
        """Steps a round takes."""
        return self._method.repeats * max(1, self._pairs // PAIRS)

    def draw(self, steps: int, generator: Generator) -> Tensor:
        """Return places in the list of labelled items, int64 (steps, b), in passes over all of it.

        Heads have labelled different items, so a step asks for places and not for rows.
        """
        b, device = min(PAIRS, self._pairs), self._network.labelled.device
        passes = -(-steps * b // self._pairs)
        places = [torch.randperm(self._pairs, generator=generator, device=device) for _ in range(passes)]
        return torch.cat(places)[: steps * b].view(steps, b)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return how badly the heads foretell their own labels on strong views, above the least there is."""
        network = self._network
        heads, k, each = network.labelled.shape
        rows = network.labelled.view(heads, -1).index_select(1, batch.rows)  # (h, b)
        labels = (batch.rows // each).expand(heads, -1)
        odds = torch.softmax(network.heads(network.seen[rows]).float(), dim=2)
        lost = double_softmax_cross_entropy(odds, labels).mean()
        return {"prototypes": lost - least_confidence_loss(k)}

    @torch.no_grad()
    def choose(self) -> None:
        """Let the head of the lowest loss on its own labels of all items speak, if none was lower before."""
        network, share = self._network, self._method.prototype_share
        with products_in(self._method.precision):
            odds = self._odds(network.codes)
            labelled = prototype_labels(odds, directions(network, network.codes), share)  # (h, K, n // K)
        labels = torch.arange(labelled.shape[1], device=odds.device).repeat_interleave(labelled.shape[2])
        of_heads = [
            double_softmax_cross_entropy(odds[rows.flatten(), head][None], labels[None])
            for head, rows in enumerate(labelled)
        ]
        lowest, best = torch.cat(of_heads).min(dim=0)
        if bool(lowest < network.lowest):
            now = odds[:, int(best)].argmax(dim=1)
            spoken = bool(network.lowest.isfinite())
            before = network.logits(network.codes).argmax(dim=1) if spoken else torch.full_like(now, -1)
            network.heads.copy_to(network.chosen, int(best), same_numbers(before, now, odds.shape[2]))
            network.lowest.copy_(lowest)
            counts = torch.bincount(labelled[best].flatten(), minlength=len(odds))
            network.twice.copy_((counts > 1).float().mean())
            network.never.copy_((counts == 0).float().mean())

    @torch.no_grad()
    def label(self) -> None:
        """Seek prototypes among some items in light views, and keep strong views of these to learn from."""
        method, network, data = self._method, self._network, self._data
        generator = torch_generator(method.random_state, "prototypes", int(network.looks), device=data.device)
        rows = torch.arange(data.n_items, device=data.device)
        if self._selected < data.n_items:
            rows = torch.randperm(data.n_items, generator=generator, device=data.device)[: self._selected]
        codes = network.codes.index_select(0, rows)
        light, strong = codes, codes
        with products_in(method.precision):
            if self._pictured:
                light = self._encoded(rows, generator, self._viewing.light)
                strong = self._encoded(rows, generator, self._viewing.strong)
            else:
                noisy = NoisyViews(
                    torch.ones_like(codes[0]), min(0.9, LEFT_OUT * method.strength), NOISE * method.strength
                )
                strong = noisy(codes, generator)
            found = prototype_labels(self._odds(light), directions(network, codes), method.prototype_share)
        network.labelled = put(network.labelled, found)
        network.seen = put(network.seen, strong)

    def told(self, seen: Refreshed) -> Refreshed:
        """Return a look with how the labels fell beside it."""
        figures = {"labelled twice": float(self._network.twice), "not labelled": float(self._network.never)}
        return replace(seen, figures={**seen.figures, **figures})

    def warnings(self) -> tuple[str, ...]:
        """Say when prototypes have not parted."""
        settled = int(self._network.looks) > 1 + SETTLED * self._method.epochs
        if not settled or float(self._network.twice) <= SHARED:
            return ()
        return (
            f"{float(self._network.twice):.0%} of the items are labelled with two groups or more: their "
            "prototypes are alike. Choose fewer groups, other features or another seed.",
        )

    def _odds(self, codes: Tensor) -> Tensor:
        """Return the soft assignments of codes (n, D) by all heads, (n, h, K)."""
        parts = [
            torch.softmax(self._network.heads(part).float(), dim=2).transpose(0, 1)
            for part in codes.split(ROWS_AT_ONCE)
        ]
        return torch.cat(parts)

    def _encoded(self, rows: Tensor, generator: Generator, look: Callable[[Batch], Tensor]) -> Tensor:
        """Return the features of views of some items, (M, D), by the statistics learned before."""
        parts = [
            self._network.encode(look(Batch(self._data.take(part), part, {}, generator)))
            for part in rows.split(ROWS_AT_ONCE)
        ]
        return torch.cat(parts)


def directions(network: PrototypeNetwork, codes: Tensor) -> Tensor:
    """Return features (n, D) about their mean in rows of length 1, by which items are like a prototype.

    Learned ones have columns of spread 1; given ones keep the spreads they were given, for there a column may
    be narrow because it hardly matters, such as a pixel at the edge.
    """
    return normalize(codes if network.learned else codes / network.factor, dim=1)


def put(held: Tensor, values: Tensor) -> Tensor:
    """Return what is held with new values in the memory it lies in, which a recorded step reads."""
    return held.copy_(values) if held.shape == values.shape else values.clone()
