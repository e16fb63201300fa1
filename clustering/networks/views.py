"""Networks that learn from views: features, and heads that say which group an item is in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture
from clustering.networks.features import FeatureNetwork
from clustering.networks.initialisers import linear
from clustering.networks.mlp import MLP


class ViewNetwork(FeatureNetwork):
    """Rows (b, d) → features (b, D) → soft assignments, with what is kept of every item while it learns.

    Parameters
    ----------
    n_features, picture, hidden_dims, n_outputs, generator
        As in `FeatureNetwork`.
    n_clusters : int
        K.

    Attributes
    ----------
    centers : Tensor (K, D)
        Mean features of the groups.
    neighbours : int64 Tensor (n, k)
        Of every item, while they serve as its views; else empty.
    looks : int64 Tensor ()
        Looks at all items so far.
    """

    centers: Tensor
    neighbours: Tensor
    looks: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, generator, pooled=True)
        self.register_buffer("centers", torch.zeros(n_clusters, n_outputs))
        self.register_buffer("neighbours", torch.zeros(0, 0, dtype=torch.int64))
        self.register_buffer("looks", torch.zeros((), dtype=torch.int64))

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups, (b, K)."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what is kept of every item."""
        self.neighbours = self.neighbours[:0, :0]


class ContrastiveNetwork(ViewNetwork):
    """CC's network: one head compares items, the other groups them.

    Parameters
    ----------
    n_compared : int
        Width of what items are compared by.
    *others
        As in `ViewNetwork`.
    """

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        n_compared: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, n_clusters, generator)
        self.items = MLP((n_outputs, n_outputs, n_compared), "fan_in", generator)
        self.groups = MLP((n_outputs, n_outputs, n_clusters), "fan_in", generator)

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups, (b, K)."""
        return self.groups(features)


class PartitionNetwork(ViewNetwork):
    """PICA's network: a head with many fine groups helps the features, another has the groups.

    Parameters
    ----------
    n_fine : int
        Groups of the first head.
    *others
        As in `ViewNetwork`.

    Attributes
    ----------
    steps, a_pass : int64 Tensor ()
        Steps taken so far, and those of a pass over the items, after which the other head has its turn;
        counted on the device, within the step.
    """

    steps: Tensor
    a_pass: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        n_fine: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, n_clusters, generator)
        self.heads = nn.ModuleList(
            linear(n_outputs, width, "fan_in", generator) for width in (n_fine, n_clusters)
        )
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("a_pass", torch.ones((), dtype=torch.int64))

    def turn(self) -> Tensor:
        """Return which head has its turn, 0 or 1, and count a step."""
        turn = (self.steps // self.a_pass) % len(self.heads)
        self.steps += 1
        return turn

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups, (b, K)."""
        return self.heads[-1](features)
