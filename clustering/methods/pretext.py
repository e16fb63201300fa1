"""Features learned from views before groups are looked for: the first stage of SCAN and its relatives.

A method that builds on it derives from `PretextClusterer`, gives its network (a `PretextNetwork` with heads
of its own) in `setup`, and writes in `grouping` the phases that follow. In these it finds, of all items, the
features ``network.codes`` (n, D) and the nearest neighbours among them, ``network.neighbours`` (n, k); with
``network.learn`` it may go on training the network on views.

What is learned is kept under the data, the settings and the seed (`weights_kept_in`), so that another method
on the same data, or the same with other settings of its own, begins where this one ended.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from clustering.losses.contrast import pair_contrast, queue_contrast
from clustering.losses.soft_assignment import squared_distances
from clustering.methods.learning_from_views import ViewClusterer, Watch, check_enough
from clustering.methods.viewing import Viewing
from clustering.neighbors import nearest_neighbors
from clustering.networks.momentum import MomentumEncoder
from clustering.networks.views import PretextNetwork
from clustering.parameters import Meaning
from clustering.training.checkpoint import fingerprint
from clustering.training.data import Data, batch_shape
from clustering.training.inference import encode_all, in_parts
from clustering.training.kept_weights import (
    keeping_weights,
    recalled_weights,
    remember_weights,
    taken_up,
    weights_below,
)
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed, torch_generator
from clustering.training.step import Batch

TEMPERATURE = 0.2  # of the contrast of items; .1 as published for SCAN, .2 measured on small pictures; MoCo's
LONGEST_QUEUE, QUEUED = 65_536, 4  # items in MoCo's queue at most, and the share of all, one in so many
SLOW, QUICK = 0.999, 0.99  # momentum as published, and where there are too few steps for it
MANY_STEPS = 20_000
COMPARED = 64  # numbers by which items are compared while features are learned
PASSES = 60
STARTS = 3  # of k-means, which only judges
LEARNED = ("trunk", "last", "compared")  # parts of the network that the pretext learns
TOO_FEW = 0.5  # share of neighbours in one group of k-means below which they say little

N = TypeVar("N", bound=PretextNetwork)
Pretext = Literal["features", "contrast", "momentum"]
PretextChoice = Annotated[
    Pretext,
    Meaning(
        "By what items are compared: by the features as they are, or, for pixels of small pictures, by "
        "features learned first from the views: by contrast with the other items of a batch (“contrast”), or "
        "with many earlier ones (“momentum”), which suits small batches."
    ),
]
#: Settings of a method that decide what the pretext learns.
DECISIVE = (
    "pretext",
    "views",
    "strength",
    "backbone",
    "hidden_dims",
    "latent_dim",
    "pretrain_epochs",
    "batch_size",
    "learning_rate",
    "scale",
    "precision",
    "random_state",
)


class PretextClusterer(ViewClusterer):
    """Base of methods that find groups among features learned first."""

    pretext: Pretext
    hidden_dims: tuple[int, ...]
    latent_dim: int
    pretrain_epochs: int | None
    n_neighbours: int

    @abstractmethod
    def grouping(self, network: Any, data: Data, viewing: Viewing, watch: Watch) -> tuple[Phase, ...]:
        """Return the phases that find the groups; `start` is to be what the first begins with."""

    def built(self, kind: Callable[..., N], n_features: int, generator: Generator, *heads: int) -> N:
        """Return an untrained network; ``heads`` is what its kind takes beyond a `PretextNetwork`."""
        return kind(
            n_features,
            self.pictured(n_features),
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            self.learns,
            COMPARED,
            *heads,
            generator,
        )

    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Learn features, unless they are taken as they are, then find the groups."""
        check_enough(self.info.title, data.n_items)
        viewing = Viewing(data, self.views, self.strength)
        first = (self.learn_features(network, data, viewing),) if network.learned else ()
        return (*first, *self.grouping(network, data, viewing, Watch(self, network, data, viewing)))

    def agreement(self, network: PretextNetwork, viewing: Viewing, batch: Batch) -> dict[str, Tensor]:
        """Return the contrast of two views of every item with all others (SimCLR), or with a queue (MoCo)."""
        assert network.compared is not None
        first, second = viewing.pair(batch, network.neighbours)
        items = network.compared(network.learn(first))
        slow = network.momentum
        if not isinstance(slow, MomentumEncoder):
            others = network.compared(network.learn(second))
            return {"items": pair_contrast(items, others, TEMPERATURE)}
        slow.follow(network)
        keys = slow.keys(second, batch.generator)
        lost = queue_contrast(items, keys, slow.queue.clone(), TEMPERATURE)
        slow.enqueue(keys)
        return {"items": lost}

    def learn_features(self, network: PretextNetwork, data: Data, viewing: Viewing) -> Phase:
        """Return the phase that learns the features; it is over at once where they were kept."""
        mark = self.mark(data) if keeping_weights() else ""
        if self.pretext == "momentum":
            network.momentum = self.slow_encoder(network, data.n_items)

        def begin() -> None:
            if taken_up(network, LEARNED, recalled_weights(mark)):
                network.recalled.fill_(True)
                return
            network.neighbours = viewing.neighbours(self.random_state)

        def count() -> tuple[str, ...]:
            network.passes += 1
            if int(network.passes) == self.pretext_passes:
                remember_weights(mark, weights_below(network, LEARNED))
            return ()

        return Phase(
            "features",
            self.pretext_passes,
            lambda batch: self.agreement(network, viewing, batch),
            [weight for part in network.pretext_parts() for weight in part.parameters()],
            Optimiser("adam", self.learning_rate or 1e-3),
            begin=begin,
            noisy=True,
            watch=count,
            ends=lambda: "All epochs were run, on features kept before." if bool(network.recalled) else "",
        )

    def slow_encoder(self, network: PretextNetwork, n_items: int) -> MomentumEncoder:
        """Return MoCo's second encoder, with a queue of a quarter of the items, and one batch at least."""
        batches, rows = batch_shape(n_items, self.rows_a_batch(n_items))
        size = max(1, min(LONGEST_QUEUE, n_items // QUEUED) // rows) * rows
        momentum = SLOW if batches * self.pretext_passes >= MANY_STEPS else QUICK
        return MomentumEncoder(network, size, rows, momentum, torch_generator(self.random_state, "queue"))

    @property
    def learns(self) -> bool:
        """Whether features are learned first, and then stand still."""
        return self.pretext in ("contrast", "momentum")

    @property
    def pretext_passes(self) -> int:
        """Passes that learn the features."""
        return self.pretrain_epochs or PASSES

    def near(self, n_items: int) -> int:  # noqa: ARG002
        """Return how many neighbours of an item are looked at."""
        return self.n_neighbours

    def mark(self, data: Data) -> str:
        """Return a hash of all that decides what the pretext learns."""
        settings = {name: getattr(self, name) for name in DECISIVE} | {"passes": self.pretext_passes}
        return fingerprint("pretext", settings, data.device.type, data.given)

    def start(self, network: PretextNetwork, data: Data) -> None:
        """Freeze the features of all items, find their neighbours, and judge both."""
        features = encode_all(network, data)
        k = min(self.near(data.n_items), data.n_items - 1)
        # The largest cosines are the smallest distances of rows of length 1.
        found = nearest_neighbors(normalize(features, dim=1).cpu().numpy(), k, random_state=self.random_state)
        network.freeze(features)
        network.neighbours = torch.from_numpy(found.indices).long().to(data.device)
        seed = derived_seed(self.random_state, "judge")
        centers, _ = kmeans(network.codes, self.n_clusters, seed, STARTS)
        labels = in_parts(lambda rows: squared_distances(rows, centers), network.codes).argmin(dim=1)
        network.together.copy_((labels[network.neighbours] == labels[:, None]).float().mean())
        network.mutual.copy_(mutual_share(network.neighbours))

    def encoded(self, network: PretextNetwork, data: Data) -> Tensor:
        """Return the features of all items: those that were kept, once they stand still."""
        return network.codes if len(network.codes) else super().encoded(network, data)

    def encode_again(self, network: PretextNetwork, data: Data) -> None:
        """Keep the features of all items as the network makes them now, after steps that moved it."""
        network.codes = super().encoded(network, data)

    def judged(self, network: PretextNetwork, seen: Refreshed) -> Refreshed:
        """Return a look with how good the features are beside it."""
        told = {"mutual neighbours": float(network.mutual), "neighbours together": float(network.together)}
        return replace(seen, figures={**seen.figures, **told}, given=not network.learned)

    def doubts(self, network: PretextNetwork) -> tuple[str, ...]:
        """Say where neighbours are no guide to groups."""
        if float(network.together) >= TOO_FEW:
            return ()
        return (
            f"Only {float(network.together):.0%} of the nearest neighbours fall into one group of k-means: "
            "groups built on them mean little. Choose other features, fewer neighbours, or more epochs for "
            "learning the features.",
        )


def mutual_share(neighbours: Tensor) -> Tensor:
    """Return the share of pairs (i, its neighbour) whose second has the first among its own neighbours.

    Parameters
    ----------
    neighbours : int64 Tensor (n, k)
    """
    n, k = neighbours.shape
    own = torch.arange(n, device=neighbours.device)[:, None].expand(n, k)
    pairs, back = (own * n + neighbours).flatten(), (neighbours * n + own).flatten()
    return torch.isin(back, pairs).float().mean()
