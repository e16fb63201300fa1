"""A fresh network that learns labels, and beside it the running mean of its weights, which speaks for it."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture
from clustering.networks.features import FeatureNetwork, Frozen, Look
from clustering.networks.initialisers import linear
from clustering.networks.mlp import MLP
from clustering.networks.views import ViewNetwork

HIDDEN = 512  # of the head on features that stand still


class LabelNetwork(FeatureNetwork):
    """Rows (b, d) → features (b, D) → logits (b, K).

    Parameters
    ----------
    n_features : int
    picture : (height, width, channels) or None
        Without one a row is its own feature vector, and the head has a hidden layer.
    n_outputs : int
        D, for pictures.
    n_clusters : int
    generator : torch.Generator
    """

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        n_outputs: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, (), n_outputs, generator, pooled=True)
        self.head: nn.Module
        if picture is None:
            self.last = nn.Identity()  # type: ignore[assignment]
            self.head = MLP((n_features, HIDDEN, n_clusters), "fan_in", generator)
        else:
            self.head = linear(n_outputs, n_clusters, "fan_in", generator)


class Refiner(nn.Module):
    """The network that learns, and its teacher: the mean of its weights over the last steps.

    Parameters
    ----------
    *as_of_label_network
        See `LabelNetwork`.

    Attributes
    ----------
    pictured : bool
        Whether it sees pictures, rather than features.
    """

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        n_outputs: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.pictured = picture is not None
        self.student = LabelNetwork(n_features, picture, n_outputs, n_clusters, generator)
        self.teacher = deepcopy(self.student).requires_grad_(False)

    def learn(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to logits (b, K) with what learns, by the statistics of this batch."""
        return self.student.head(self.student.learn(inputs))

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Draw the teacher a step towards what learns; statistics of batches are taken over as they are."""
        torch._foreach_lerp_(
            list(self.teacher.parameters()), list(self.student.parameters()), weight=1 - decay
        )
        for own, other in zip(self.teacher.buffers(), self.student.buffers(), strict=True):
            own.copy_(other)


class Refining(ViewNetwork):
    """Part of a network that a refiner may take over, with what is kept of every item meanwhile.

    Attributes
    ----------
    refiner : Refiner
    codes : Tensor (n, D)
        Features of all items, where the refiner learns from those.
    given : int64 Tensor (n,)
        The group of every item that teaches, −1 of the others; empty before and after.
    teaches : bool Tensor ()
        Whether there is enough to learn from.
    refined : bool Tensor ()
        Whether the refiner speaks for the network.
    taken : Tensor (K,)
        Share of the items of a batch that were surely of each group, over the last batches.
    rounds : int64 Tensor ()
        Looks at all items since it began to learn.
    """

    refiner: Refiner
    codes: Tensor
    given: Tensor
    teaches: Tensor
    refined: Tensor
    taken: Tensor
    rounds: Tensor

    def add_refiner(
        self,
        n_features: int,
        picture: Picture | Look | None,
        n_outputs: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        """Make the refiner; to be called once, by the constructor."""
        self.refiner = Refiner(n_features, picture, n_outputs, n_clusters, generator)
        self.register_buffer("given", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("teaches", torch.tensor(False))
        self.register_buffer("refined", torch.tensor(False))
        self.register_buffer("taken", torch.zeros(n_clusters))
        self.register_buffer("rounds", torch.zeros((), dtype=torch.int64))

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.given = self.given[:0]


class FixMatchNetwork(Refining, Frozen):
    """Rows or pictures → features → groups, all by the refiner.

    Parameters
    ----------
    n_features, picture, n_outputs, n_clusters, generator
        As in `LabelNetwork`.

    Attributes
    ----------
    shift, factor, codes
        As in `Frozen`.
    """

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        n_outputs: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        width = n_features if picture is None else n_outputs
        super().__init__(n_features, None, (), width, n_clusters, generator)
        self.trunk, self.last = nn.Sequential(), nn.Identity()  # type: ignore[assignment]
        self.add_refiner(n_features, picture, n_outputs, n_clusters, generator)
        self.refined.fill_(True)
        self.add_freezing(n_features)

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D)."""
        if self.refiner.pictured:
            return self.refiner.teacher.encode(inputs)
        return self.standardised(inputs)

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups, (b, K)."""
        return self.refiner.teacher.head(features)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.codes = self.codes[:0]
