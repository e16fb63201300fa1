"""The networks of SDCN and DAGC: an autoencoder, and graph layers that take in what its layers saw."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import leaky_relu

from clustering.losses.soft_assignment import log_soft_assignments
from clustering.networks.autoencoder import Autoencoder
from clustering.networks.graph_convolution import GraphConvolution, MixingWeights
from clustering.networks.propagation import Propagation

SLOPE = 0.2  # of DAGC's graph layers


class Seen(NamedTuple):
    """What the whole network makes of all nodes together.

    Parameters
    ----------
    latents : Tensor (n, m)
        h, the code of the autoencoder.
    reconstructions : Tensor (n, d)
    graph_latents : Tensor (n, m)
        The last hidden layer of the graph network.
    log_graph : Tensor (n, K)
        log Z, the assignments of the graph network.
    log_kernel : Tensor (n, K)
        log Q, Student's t around the centres in the latent space.
    mixture : Tensor (n, K)
        What decides: the largest entry names the cluster; rows need not sum to 1.
    """

    latents: Tensor
    reconstructions: Tensor
    graph_latents: Tensor
    log_graph: Tensor
    log_kernel: Tensor
    mixture: Tensor


class GraphAutoencoder(Autoencoder):
    """An autoencoder with graph layers as wide as its own, and what it found for the nodes it was trained on.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, n_clusters, generator
        As in `Autoencoder`.
    last_width : int
        Of what goes into the last graph layer.

    Attributes
    ----------
    known_latents, known_assignments : Tensor (n, m) and (n, K)
        Of all nodes once the training is over; empty before.
    """

    known_latents: Tensor
    known_assignments: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        last_width: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, hidden_dims, latent_dim, n_clusters, "fan_in", generator)
        self.widths = (*hidden_dims, latent_dim)
        dims = (n_features, *self.widths)
        self.graph = nn.ModuleList(GraphConvolution(*pair, generator) for pair in pairwise(dims))
        self.last = GraphConvolution(last_width, n_clusters, generator)
        self.register_buffer("known_latents", torch.zeros(0, latent_dim))
        self.register_buffer("known_assignments", torch.zeros(0, n_clusters))

    def forward_graph(self, features: Tensor, propagation: Propagation) -> Seen:
        """Look at all nodes (n, d) and their links at once."""
        coded = list(self.encoder.layerwise(features))
        graph, into_last = self.through_layers(features, coded, propagation)
        log_graph = self.last(into_last, propagation).float().log_softmax(dim=1)
        latents = coded[-1].float()
        log_kernel = log_soft_assignments(latents, self.centers)
        mixture = self.mixed(log_graph.exp(), log_kernel.exp())
        return Seen(latents, self.decode(coded[-1]).float(), graph.float(), log_graph, log_kernel, mixture)

    @abstractmethod
    def through_layers(
        self, features: Tensor, coded: list[Tensor], propagation: Propagation
    ) -> tuple[Tensor, Tensor]:
        """Return the last hidden layer of the graph network (n, m), and what goes into its last layer."""

    @abstractmethod
    def mixed(self, graph: Tensor, kernel: Tensor) -> Tensor:
        """Return what decides, from Z and Q (n, K)."""


class SDCNNetwork(GraphAutoencoder):
    """Between two graph layers half of each is the autoencoder's own layer (SDCN, eqs. 4 to 8: ε = .5).

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, n_clusters, generator
        As in `Autoencoder`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, hidden_dims, latent_dim, n_clusters, latent_dim, generator)

    def through_layers(
        self, features: Tensor, coded: list[Tensor], propagation: Propagation
    ) -> tuple[Tensor, Tensor]:
        """Return Z^(L) and its half-and-half mix with the code."""
        inputs = features
        for layer, own in zip(self.graph, coded, strict=True):
            hidden = layer(inputs, propagation).relu()
            inputs = (hidden + own) / 2
        return hidden, inputs

    def mixed(self, graph: Tensor, kernel: Tensor) -> Tensor:  # noqa: ARG002
        """Return Z: the graph decides alone."""
        return graph


class DAGCNetwork(GraphAutoencoder):
    """Attention mixes autoencoder and graph in every layer, the layers with one another, and Z with Q.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, n_clusters, generator
        As in `Autoencoder`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        scales = (*hidden_dims, latent_dim, latent_dim)  # all graph layers, and the code
        super().__init__(n_features, hidden_dims, latent_dim, n_clusters, sum(scales), generator)
        self.of_layers = nn.ModuleList(MixingWeights((width, width), generator) for width in hidden_dims)
        self.of_scales = MixingWeights(scales, generator)
        self.of_assignments = MixingWeights((n_clusters, n_clusters), generator)

    def through_layers(
        self, features: Tensor, coded: list[Tensor], propagation: Propagation
    ) -> tuple[Tensor, Tensor]:
        """Return Z_L, and all layers side by side, each as its weight has it."""
        inputs, layers = features, []
        for number, layer in enumerate(self.graph):
            layers.append(leaky_relu(layer(inputs, propagation), SLOPE))
            if number < len(self.of_layers):
                inputs = fused(self.of_layers[number], layers[number], coded[number])
        scales = [*layers, coded[-1]]
        weights = self.of_scales(*scales)  # (n, L + 1), scale-wise fusion
        parts = [weights[:, at, None] * scale for at, scale in enumerate(scales)]
        return layers[-1], torch.cat(parts, dim=1)

    def mixed(self, graph: Tensor, kernel: Tensor) -> Tensor:
        """Return a₀ Z + a₁ Q: assignment-wise fusion, of which F is the softmax."""
        weights = self.of_assignments(graph, kernel)
        return weights[:, :1] * graph + weights[:, 1:] * kernel


def fused(mixing: nn.Module, graph: Tensor, own: Tensor) -> Tensor:
    """Return a₀ Z + a₁ h, the weights read from h beside Z (heterogeneity-wise fusion)."""
    weights = mixing(own, graph)
    return weights[:, :1] * graph + weights[:, 1:] * own
