"""Networks that learn from views: features, and heads that say which group an item is in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture
from clustering.networks.features import FeatureNetwork, Frozen, Look
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
        picture: Picture | Look | None,
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
        picture: Picture | Look | None,
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
        picture: Picture | Look | None,
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


class PretextNetwork(ViewNetwork, Frozen):
    """Features learned first, by comparing items, or taken as they are; then kept while groups are found.

    A method derives its own network from it and adds heads; `encode` gives features with mean 0 and spread 1
    once they are `frozen`.

    Parameters
    ----------
    learned : bool
        Whether features are learned; else a row is its own feature vector and ``n_outputs`` is d.
    n_compared : int
        Width of what items are compared by while features are learned.
    *others
        As in `ViewNetwork`.

    Attributes
    ----------
    shift, factor, codes
        As in `Frozen`.
    passes : int64 Tensor ()
        Passes of learning features so far.
    recalled : bool Tensor ()
        Whether they were learned in another fit.
    momentum : MomentumEncoder or None
        Makes the keys while features are learned with a queue.
    mutual, together : Tensor ()
        Shares of the neighbours that are neighbours both ways, and that k-means puts into one group.
    """

    passes: Tensor
    recalled: Tensor
    mutual: Tensor
    together: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        learned: bool,
        n_compared: int,
        generator: Generator,
    ) -> None:
        width = n_outputs if learned else n_features
        if learned:
            super().__init__(n_features, picture, hidden_dims, width, n_clusters, generator)
            self.compared: MLP | None = MLP((width, width, n_compared), "fan_in", generator)
        else:
            super().__init__(n_features, None, (), width, n_clusters, generator)
            self.last, self.compared = nn.Identity(), None  # type: ignore[assignment]
        self.n_outputs = width
        self.momentum: nn.Module | None = None
        self.add_freezing(width)
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))
        self.register_buffer("recalled", torch.tensor(False))
        self.register_buffer("mutual", torch.ones(()))
        self.register_buffer("together", torch.ones(()))

    @property
    def learned(self) -> bool:
        """Whether features are learned."""
        return self.compared is not None

    def pretext_parts(self) -> tuple[nn.Module, ...]:
        """Return what learns the features."""
        return () if self.compared is None else (self.trunk, self.last, self.compared)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.codes = self.codes[:0]
        self.momentum = None

    def _features(self, inputs: Tensor) -> Tensor:
        return self.standardised(super()._features(inputs))


class NeighbourNetwork(PretextNetwork):
    """SCAN's network: several heads of one layer on the features, one of which is the chosen.

    Parameters
    ----------
    n_heads : int
        h.
    *others
        As in `PretextNetwork`.

    Attributes
    ----------
    best : int64 Tensor (1,)
        The head that speaks for the network.
    order : int64 Tensor (K,)
        Which of its groups takes each number, so that another head does not number them anew.
    taught : bool Tensor ()
        Whether every group has an item to teach the last stage.
    sure : Tensor ()
        Share of the items sure enough to teach, over the last batches.
    before : Module or None
        What the last stage began with, to which it goes back where it loses a group.
    """

    best: Tensor
    order: Tensor
    taught: Tensor
    sure: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        learned: bool,
        n_compared: int,
        n_heads: int,
        generator: Generator,
    ) -> None:
        super().__init__(
            n_features, picture, hidden_dims, n_outputs, n_clusters, learned, n_compared, generator
        )
        self.heads = linear(self.n_outputs, n_heads * n_clusters, "fan_in", generator)
        self.shape = (n_heads, n_clusters)
        self.register_buffer("best", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("order", torch.arange(n_clusters))
        self.before: nn.Module | None = None
        self.register_buffer("taught", torch.tensor(False))
        self.register_buffer("sure", torch.ones(()))

    def all_logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of all heads, (b, h, K)."""
        return self.heads(features).unflatten(1, self.shape)

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups by the chosen head, (b, K)."""
        return self.chosen(self.all_logits(features))

    def chosen(self, logits: Tensor) -> Tensor:
        """Return what the chosen head says of the logits of all, (b, h, K) → (b, K)."""
        return logits.index_select(1, self.best).squeeze(1).index_select(1, self.order)

    def parts(self) -> nn.ModuleList:
        """Return what makes the features, and the heads."""
        return nn.ModuleList((self.trunk, self.last, self.heads))

    def forget(self) -> None:
        """Drop what is kept of every item, and what the last stage began with."""
        super().forget()
        self.before = None
