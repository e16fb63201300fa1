"""The stages of IcicleGCN, a code that is the groups and then graphs of nearest items, and its answers."""

from __future__ import annotations

from math import ceil
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.methods.cc import CC
from clustering.methods.cc_first import learned_by_cc
from clustering.methods.coding import GROUP_TEMPERATURE, ITEM_TEMPERATURE, Coding
from clustering.methods.graph_clusterer import nearest_known
from clustering.methods.learning_from_views import Watch, check_enough
from clustering.methods.pretext import PretextClusterer
from clustering.methods.two_graphs import TwoGraphs, Weights
from clustering.methods.viewing import Viewing
from clustering.networks.multi_scale_graph import MultiScaleNetwork
from clustering.training.data import Data, batch_shape
from clustering.training.inference import encode_all, in_parts, weights_of
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import products_in

JOINT_PASSES = 100  # as CC's
CODE_PASSES, PASSES_AFTER_CC = 20, 15
STEPS_AFTER_CC = 300  # at least, where there are few items; published: 9,000
#: Settings that are CC's too.
SETTINGS_OF_CC = (
    "n_clusters",
    "views",
    "strength",
    "backbone",
    "hidden_dims",
    "latent_dim",
    "batch_size",
    "learning_rate",
    "scale",
    "precision",
    "random_state",
)


class CodeAndGraphs(PretextClusterer):
    """Base of a method that learns a code, then steps on two graphs; it writes its settings and `setup`."""

    n_clusters: int
    variant: Literal["paper", "repository"]
    near_neighbors: int
    far_neighbors: int | None
    kernel_weight: float
    near_weight: float
    far_weight: float
    reconstruction_weight: float | None
    code_epochs: int | None
    update_interval: int
    cluster_learning_rate: float
    tolerance: float

    @property
    def joint(self) -> bool:
        """Whether features and groups are learned together."""
        return self.pretext == "joint"

    # Stages --------------------------------------------------------------------------------------------

    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Learn features, unless they are taken as they are, then the code, then the graphs."""
        check_enough(self.info.title, data.n_items)
        viewing = Viewing(data, self.views, self.strength)
        watch = Watch(self, network, data, viewing)
        first: tuple[Phase, ...] = ()
        if self.learns:
            first = (self.learn_features(network.features, data, viewing),)
        elif self.joint and self.variant == "repository":
            first = (learned_by_cc(self.as_cc(), network, data),)
        return (*first, *self.grouping(network, data, viewing, watch))

    def grouping(
        self, network: MultiScaleNetwork, data: Data, viewing: Viewing, watch: Watch
    ) -> tuple[Phase, ...]:
        """Return the phase that learns the code and the one on the graphs."""
        coding = Coding(network, data, viewing, self.variant == "paper", self.random_state)
        graphs = self.graphs(network, data)
        return (
            coding.phase(self.coding_passes(data.n_items), self.learning_rate or 1e-3, watch),
            graphs.phase(self.epochs, self.update_interval, self.cluster_learning_rate, self.tolerance),
        )

    def graphs(self, network: MultiScaleNetwork, data: Data) -> TwoGraphs:
        """Return what steps on the graphs need."""
        published = self.variant == "paper"
        return TwoGraphs(
            network,
            data,
            self.near_neighbors,
            self.far_neighbors or (10 if published else 15),
            published,
            Weights(self.kernel_weight, self.near_weight, self.far_weight, self.reconstruction_weight),
            self.epochs * self.update_interval,
            self.precision,
            self.random_state,
        )

    def as_cc(self) -> CC:
        """Return CC with the settings that are its own too."""
        return CC(
            **{name: getattr(self, name) for name in SETTINGS_OF_CC},
            temperature=ITEM_TEMPERATURE,
            group_temperature=GROUP_TEMPERATURE,
            epochs=self.pretrain_epochs or JOINT_PASSES,
        )

    def coding_passes(self, n_items: int) -> int:
        """Return how many passes the code learns."""
        if self.joint and self.variant == "paper":
            return self.pretrain_epochs or JOINT_PASSES
        if not self.joint:
            return self.code_epochs or CODE_PASSES
        steps, _ = batch_shape(n_items, self.rows_a_batch(n_items))
        return self.code_epochs or max(PASSES_AFTER_CC, ceil(STEPS_AFTER_CC / steps))

    # Looks and answers ---------------------------------------------------------------------------------

    def look(self, network: Any, data: Data) -> Refreshed:
        """Look at all items by the code while it is learned; a group lies at the mean of its features."""
        with products_in(self.precision):
            features = encode_all(network, data)
        with torch.no_grad():
            codes = in_parts(lambda rows: network.logits(rows).softmax(dim=1), features)
            sizes = codes.sum(dim=0).clamp_min(1e-12)
            confidences, labels = codes.max(dim=1)
        given = self.pretext == "features"
        return Refreshed(features, codes.T @ features / sizes[:, None], labels, confidences, {}, given=given)

    def place(self, network: MultiScaleNetwork, latents: Tensor) -> Tensor:
        """Return the codes (n, K): the clusters are found among them."""
        return network.logits(latents).softmax(dim=1)

    def assign(self, network: MultiScaleNetwork, latents: Tensor) -> Tensor:
        """Return the assignments (n, K) of the known items whose features are nearest, or codes at first."""
        if not len(network.known_assignments):
            return self.place(network, latents)
        return network.known_assignments[nearest_known(latents, network.known_features)]

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Take up the weights and what was found; every item keeps what its own links gave it."""
        known = self.graphs(network, data).assignments()
        network.forget()
        self.weights_ = weights_of(network)
        # In double precision, as a new item is encoded, so that every item is found again.
        exact, device = self._trained()
        with torch.no_grad():
            parts = [(part, self.place(exact, part)) for part in self._latents(items, exact, device)]
        features, codes = (torch.cat(one).float() for one in zip(*parts, strict=True))
        network.known_features, network.known_assignments = features, known
        self.weights_ = weights_of(network)
        assignments = known.cpu().numpy()
        return codes.cpu().numpy(), assignments, np.asarray(assignments.argmax(axis=1), dtype=np.int64)
