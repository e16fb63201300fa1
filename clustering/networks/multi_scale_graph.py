"""IcicleGCN's network: features, an autoencoder whose code is the groups, and graph layers on two scales."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from clustering.losses.soft_assignment import log_soft_assignments
from clustering.networks.graph_convolution import GraphConvolution
from clustering.networks.initialisers import Initialiser
from clustering.networks.mlp import MLP
from clustering.networks.propagation import Propagation
from clustering.networks.views import ContrastiveNetwork, ViewNetwork


class Mixing(NamedTuple):
    """How much of each goes into the next graph layer.

    Parameters
    ----------
    own, other, encoder : float
        The stream itself, the stream of the other graph, and the encoder's layer of that width.
    """

    own: float
    other: float
    encoder: float


PUBLISHED = Mixing(0.4, 0.2, 0.4)
AS_RUN = Mixing(0.5, 0.2, 0.5)  # in the authors' repository


class Scale(NamedTuple):
    """One of the two graphs.

    Parameters
    ----------
    propagation : Propagation
    passed_on : Tensor (n, D)
        Â Z, which never changes.
    """

    propagation: Propagation
    passed_on: Tensor


class Seen(NamedTuple):
    """What the network makes of all items together.

    Parameters
    ----------
    codes : Tensor (n, K)
        Rows sum to 1.
    rebuilt : Tensor (n, D)
    log_kernel : Tensor (n, K)
        log Q, Student's t around the centres among the codes.
    log_near, log_far : Tensor (n, K)
        The assignments of the stream on the sparse graph, and on the denser one.
    """

    codes: Tensor
    rebuilt: Tensor
    log_kernel: Tensor
    log_near: Tensor
    log_far: Tensor


class MultiScaleNetwork(nn.Module):
    """Rows (b, d) → features Z (b, D) → code (b, K) → Ẑ, with a stream of graph layers for either graph.

    Parameters
    ----------
    features : ViewNetwork
        Makes Z.
    code_dims : sequence of int
        Widths between Z and the code; the graph layers have the same, and one of width K more.
    n_clusters : int
        K.
    shared : bool
        Whether both streams have the same weights.
    mixing : Mixing
    generator : torch.Generator

    Attributes
    ----------
    centers : Parameter (K, K)
        μ, among the codes.
    taught : int64 Tensor (n,)
        The groups that the code first learns, where it is taught any.
    near_links, far_links : int64 Tensor (e, 2)
        The graphs, while they are in use.
    start : int64 Tensor (n,)
        The groups as the graphs took them over.
    steps : int64 Tensor ()
        Taken on the graphs.
    recalled : bool Tensor ()
        Whether the features were learned in another fit.
    known_features, known_assignments : Tensor (n, D) and (n, K)
        Of all items: the first from the moment the features are frozen, the second once all is over.
    """

    taught: Tensor
    near_links: Tensor
    far_links: Tensor
    start: Tensor
    steps: Tensor
    recalled: Tensor
    known_features: Tensor
    known_assignments: Tensor

    def __init__(
        self,
        features: ViewNetwork,
        code_dims: Sequence[int],
        n_clusters: int,
        shared: bool,
        mixing: Mixing,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.features, self._mixing = features, mixing
        width = features.centers.shape[1]
        dims = (width, *code_dims, n_clusters)
        # Smaller weights leave a code that only views teach uniform for hundreds of steps.
        initialiser: Initialiser = "he" if isinstance(features, ContrastiveNetwork) else "fan_in"
        self.encoder = MLP(dims, initialiser, generator)
        self.decoder = MLP(dims[::-1], initialiser, generator)
        self.streams = nn.ModuleList(
            nn.ModuleList(GraphConvolution(*pair, generator) for pair in pairwise((*dims, n_clusters)))
            for _ in range(1 if shared else 2)
        )
        self.centers = nn.Parameter(torch.zeros(n_clusters, n_clusters))
        for name in ("taught", "start"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64))
        for name in ("near_links", "far_links"):
            self.register_buffer(name, torch.zeros(0, 2, dtype=torch.int64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("recalled", torch.tensor(False))
        self.register_buffer("known_features", torch.zeros(0, width))
        self.register_buffer("known_assignments", torch.zeros(0, n_clusters))

    @property
    def neighbours(self) -> Tensor:
        """Neighbours that stand for an item in a view of it, (n, k)."""
        return self.features.neighbours

    @property
    def looks(self) -> Tensor:
        """Looks at all items so far."""
        return self.features.looks

    @looks.setter
    def looks(self, count: Tensor) -> None:
        self.features.looks = count

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D)."""
        return self.features.encode(inputs)

    def learn(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D), by the statistics of this batch, which are gathered."""
        return self.features.learn(inputs)

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the code, (b, K)."""
        logits = self.encoder(features)
        return logits if logits.dtype == torch.float64 else logits.float()

    def rebuild(self, codes: Tensor) -> Tensor:
        """Map codes (b, K) back to features (b, D)."""
        return self.decoder(codes).to(codes.dtype)

    def forward_graphs(self, near: Scale, far: Scale) -> Seen:
        """Look at all items and both graphs at once."""
        coded = list(self.encoder.layerwise(self.known_features))
        codes = coded[-1].float().softmax(dim=1)
        log_near, log_far = self._through_layers([*coded[:-1], codes], near, far)
        log_kernel = log_soft_assignments(codes, self.centers)
        return Seen(codes, self.rebuild(codes), log_kernel, log_near, log_far)

    def _through_layers(self, own: list[Tensor], near: Scale, far: Scale) -> tuple[Tensor, Tensor]:
        """Return log G of both streams; before each layer but the first they take from one another."""
        ours, theirs = (layers_of(stream) for stream in (self.streams[0], self.streams[-1]))
        g, h = near.passed_on @ ours[0].weight, far.passed_on @ theirs[0].weight
        for one, other, encoded in zip(ours[1:], theirs[1:], own, strict=True):
            g, h = g.relu(), h.relu()
            into_g, into_h = (mixed(*pair, encoded, self._mixing) for pair in ((g, h), (h, g)))
            g, h = one(into_g, near.propagation), other(into_h, far.propagation)
        return g.float().log_softmax(dim=1), h.float().log_softmax(dim=1)

    def forget(self) -> None:
        """Drop what only the training needs of every item."""
        self.features.forget()
        self.taught, self.start = self.taught[:0], self.start[:0]
        self.near_links, self.far_links = self.near_links[:0], self.far_links[:0]


def layers_of(stream: nn.Module) -> list[GraphConvolution]:
    """Return the graph layers of a stream."""
    return [layer for layer in stream.modules() if isinstance(layer, GraphConvolution)]


def mixed(own: Tensor, other: Tensor, encoded: Tensor, mixing: Mixing) -> Tensor:
    """Return σ G_a + γ G_b + the encoder's share of H: what goes into the next layer of stream a."""
    return mixing.own * own + mixing.other * other + mixing.encoder * encoded
