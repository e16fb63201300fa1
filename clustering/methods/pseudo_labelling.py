"""What DeepCluster and its second version share: cluster, learn the clusters as labels, and again."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.losses.soft_assignment import soft_assignments, squared_distances
from clustering.methods.deep import DeepClusterer
from clustering.methods.numbering import same_numbers
from clustering.metrics.external import nmi
from clustering.networks.convolutions import Picture
from clustering.networks.pseudo_labels import LabelledNetwork
from clustering.training.alarms import giant_share
from clustering.training.data import Data
from clustering.training.inference import encode_all, in_parts
from clustering.training.kmeans import N_RESTARTS, kmeans
from clustering.training.lloyd import Relabelled
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed, torch_generator
from clustering.views.affine import AffineViews
from clustering.views.pixels import picture_shape
from clustering.views.swapped import SwappedViews

STEPS_A_PASS = 16  # at least, on small sets: with fewer the labels change before they are learned
SMALLEST_BATCH = 32  # below it a batch's statistics, used while learning, are no longer those of all items
LOOKS = 3  # restarts of k-means for what a person sees on the way; the end has 20
OFTEN = 5  # clusterings in a row that left centres idle, from which on a person should know


class PseudoLabelClusterer(DeepClusterer):
    """Base of methods that learn their own clusters as if they were labels.

    A method writes `relabel`, which clusters all items into many pseudo-labels, and `loss`. The groups a
    person sees are found by k-means among the learned features, anew at every look, and keep their numbers:
    they are matched to those of the look before.
    """

    hidden_dims: tuple[int, ...]
    latent_dim: int
    n_prototypes: int | None
    epochs: int
    learning_rate: float | None
    views: Literal["swap", "affine"]
    prototypes_a_group: int

    @abstractmethod
    def relabel(self, network: Any, latents: Tensor, generator: Generator) -> list[Relabelled]:
        """Cluster all items; return for every head what was found, and put into the network what follows."""

    @abstractmethod
    def optimiser(self, network: Any) -> Optimiser:
        """Return how the network is trained."""

    def phases(self, network: LabelledNetwork, data: Data) -> tuple[Phase, ...]:
        """Learn pseudo-labels, then find the groups."""
        if data.n_items < 2:
            raise StudioError(
                f"{self.info.title} learns from batches; there is only 1 item (n_samples=1).",
                "Load more items.",
            )
        network.remember(data.n_items, self.n_heads)
        return (
            *self.learning(network, data),
            Phase(
                "cluster",
                1,
                begin=lambda: self.end(network, data),
                refresh=lambda: self.look(network, data),
            ),
        )

    # What a version may change --------------------------------------------------------------------------

    n_heads = 1

    def learning(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Return how pseudo-labels are learned: one phase, a clustering before every epoch."""
        return (
            Phase(
                "learn",
                self.epochs,
                lambda batch: self.loss(network, batch),
                list(network.parameters()),
                self.optimiser(network),
                begin=lambda: self.begin(network, data),
                refresh=lambda: self.cluster(network, data),
                noisy=True,
                draw=self.drawing(network, data),
                watch=lambda: self.warnings(network),
            ),
        )

    def begin(self, network: Any, data: Data) -> None:
        """Do what comes before the first clustering: nothing, by default."""

    def drawing(self, network: Any, data: Data) -> Any:  # noqa: ARG002
        """Return how the batches of an epoch are drawn; None for passes over the data."""
        return None

    # What both share ------------------------------------------------------------------------------------

    def cluster(self, network: Any, data: Data) -> Refreshed:
        """Give new pseudo-labels, and look at the groups as they are now."""
        latents = encode_all(network, data)
        before = network.pseudo[0].cpu().numpy().copy()
        seed = derived_seed(self.random_state, "pseudo-labels", int(network.rounds))
        with torch.no_grad():
            found = self.relabel(network, latents, torch_generator(seed, "draws"))
            network.pseudo.copy_(torch.stack([head.labels for head in found]))
            idle = max(head.idle for head in found)
            network.idle.copy_(torch.tensor([idle, int(network.idle[1]) + 1 if idle else 0]))
            network.rounds += 1
            self._group(network, latents, LOOKS)
        seen = self.look(network, data)
        if before[0] < 0:
            return seen
        # Agreement of one clustering with the one before: no measure of quality.
        now = network.pseudo[0].cpu().numpy()
        return replace(seen, figures={"agreement (NMI)": nmi(before, now)})

    def end(self, network: Any, data: Data) -> None:
        """Find the groups that stay."""
        with torch.no_grad():
            self._group(network, encode_all(network, data), N_RESTARTS)

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return Student-t assignments, in units of the mean squared distance within groups."""
        unit = network.spread.sqrt()
        return soft_assignments(self.place(network, latents) / unit, network.centers / unit)

    def rows_a_batch(self, n_items: int) -> int:
        """Return 256, and fewer on small sets so that a pass has some steps."""
        usual = min(256, max(SMALLEST_BATCH, n_items // STEPS_A_PASS))
        return max(4, self.batch_size or usual)  # a batch of one has no statistics

    def viewed(self, features: Tensor, generator: Generator) -> Tensor:
        """Return another view of every row (b, d)."""
        shape = picture_shape(features.shape[1]) if self.views == "affine" else None
        views = SwappedViews() if shape is None else AffineViews(shape)
        return views(features, generator)

    def pictured(self, n_features: int) -> Picture | None:
        """Return how a row is read as a picture, or None where it is a row of numbers.

        Raises
        ------
        StudioError
            When affine views are wanted of what is no square picture.
        """
        if self.views != "affine":
            return None
        shape = picture_shape(n_features)
        if shape is None:
            raise StudioError(
                f"Affine views turn and move square pictures; {n_features} features are no pixels of one.",
                "Choose the encoder “pixels”, or views “swap”.",
            )
        return shape.height, shape.width, shape.channels

    def most_labels(self) -> int:
        """Return the number of pseudo-labels: as asked, or some for every group."""
        return self.n_prototypes or self.prototypes_a_group * self.n_clusters

    def labels_for(self, n_items: int) -> int:
        """Return how many pseudo-labels so many items are given: one of few items teaches little."""
        return min(self.most_labels(), max(self.n_clusters, n_items // 10))

    def warnings(self, network: LabelledNetwork) -> tuple[str, ...]:
        """Return what a person should know of the pseudo-labels."""
        told = []
        n_items = network.pseudo.shape[1]
        wanted = self.labels_for(n_items)
        largest = max(int(torch.bincount(labels).amax()) for labels in network.pseudo)
        if largest > giant_share(wanted) * n_items:
            told.append(
                f"One of the {wanted} pseudo-labels holds {largest / n_items:.0%} of all items: the network "
                "sees them all alike; try a smaller learning rate or another seed."
            )
        idle, in_a_row = network.idle.tolist()
        if in_a_row >= OFTEN:
            told.append(
                f"{idle} of the {wanted} pseudo-labels lost all their items, in {in_a_row} clusterings "
                "running: fewer pseudo-labels may be enough."
            )
        return tuple(told)

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        network.forget()  # a fitted model keeps nothing of every item
        return super()._found(network, items, data)

    def _group(self, network: Any, latents: Tensor, restarts: int) -> None:
        """Put the centres of the groups into the network, each under the number it had before."""
        places = self.place(network, latents)
        # The same seed at every look: what changes has changed in the features.
        centers, inertia = kmeans(
            places, self.n_clusters, derived_seed(self.random_state, "kmeans"), restarts
        )
        labels = in_parts(lambda rows: squared_distances(rows, centers), places).argmin(dim=1)
        order = same_numbers(network.groups, labels, self.n_clusters)
        network.centers.copy_(centers[order])
        network.spread.fill_(max(inertia / len(places), torch.finfo(torch.float32).tiny))
        network.groups.copy_(order.argsort()[labels])
