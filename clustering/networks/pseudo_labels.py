"""Networks that learn from pseudo-labels: features of rows or pictures, and what foretells the labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import normalize

from clustering.networks.convolutions import Picture
from clustering.networks.features import FeatureNetwork, normalised_layer
from clustering.networks.initialisers import linear


class LabelledNetwork(FeatureNetwork):
    """Features of items, with all that a fit by pseudo-labels has to remember beside the network.

    Parameters
    ----------
    n_features : int
        d.
    picture : (height, width, channels) or None
        How a row is read, pixel by pixel; None takes it as a row of numbers.
    hidden_dims : sequence of int
        Widths of the layers before the features, for rows of numbers.
    n_outputs : int
        D.
    n_clusters, n_dims : int
        Rows and columns of ``centers``.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.

    Attributes
    ----------
    centers : Tensor (n_clusters, n_dims)
        Of the groups a person sees, in the space they are found in.
    spread : Tensor ()
        Mean squared distance of the items to the nearest centre.
    rounds : int64 Tensor ()
        Clusterings so far: each draws from a seed of its own.
    idle : int64 Tensor (2,)
        Pseudo-clusters without items in the last clustering, and in how many in a row there were any.
    groups : int64 Tensor (n,)
        What a person saw last, so that groups keep their numbers.
    pseudo : int64 Tensor (heads, n)
        Pseudo-labels of the last clustering.
    """

    centers: Tensor
    spread: Tensor
    rounds: Tensor
    idle: Tensor
    groups: Tensor
    pseudo: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        n_dims: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, generator)
        self.register_buffer("centers", torch.zeros(n_clusters, n_dims))
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("rounds", torch.zeros((), dtype=torch.int64))
        self.register_buffer("idle", torch.zeros(2, dtype=torch.int64))
        self.register_buffer("groups", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("pseudo", torch.zeros(1, 0, dtype=torch.int64))

    def remember(self, n_items: int, n_heads: int) -> None:
        """Make room for the labels of ``n_items`` items."""
        device = self.centers.device
        self.groups = torch.full((n_items,), -1, dtype=torch.int64, device=device)
        self.pseudo = torch.full((n_heads, n_items), -1, dtype=torch.int64, device=device)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        self.groups, self.pseudo = self.groups[:0], self.pseudo[:, :0]


class PseudoLabelNetwork(LabelledNetwork):
    """DeepCluster: features, rectified, to a top layer that is drawn anew for every clustering.

    Parameters
    ----------
    n_prototypes : int
        Pseudo-labels.
    *others
        As in `LabelledNetwork`.

    Attributes
    ----------
    mean, directions : Tensor (D,) and (D, n_dims)
        Of the whitening of the last clustering.
    """

    mean: Tensor
    directions: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        n_dims: int,
        n_prototypes: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, n_clusters, n_dims, generator)
        self.register_buffer("mean", torch.zeros(n_outputs))
        self.register_buffer("directions", torch.zeros(n_outputs, n_dims))
        self.top = linear(n_outputs, n_prototypes, "normal", generator)

    def scores(self, inputs: Tensor) -> Tensor:
        """Return the scores of every pseudo-label (b, n_prototypes), while learning."""
        return self.top(self.learn(inputs).relu())

    def draw_top(self, generator: Generator) -> None:
        """Begin the top layer anew: weights N(0, .01), no bias; in place, for a captured step reads it."""
        fresh = linear(self.top.in_features, self.top.out_features, "normal", generator)
        self.top.load_state_dict(fresh.state_dict())


class ProjectedNetwork(LabelledNetwork):
    """Features behind a projection of two layers, all of length 1.

    Parameters
    ----------
    *all
        As in `LabelledNetwork`; the centers lie among the features.
    """

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, n_clusters, n_outputs, generator)
        width = self.last.in_features
        self.hidden = nn.Sequential(*normalised_layer(width, width, generator))
        self.eval()

    def _features(self, inputs: Tensor) -> Tensor:
        return normalize(self.last(self.hidden(self.trunk(inputs))), dim=1)


class PrototypeNetwork(ProjectedNetwork):
    """DeepCluster-v2: features of length 1 beside several sets of prototypes, and a memory of all items.

    Parameters
    ----------
    n_heads, n_prototypes : int
    *others
        As in `LabelledNetwork`.

    Attributes
    ----------
    prototypes : Tensor (heads, n_prototypes, D)
        Centroids of the last clusterings; no gradient moves them.
    memory : Tensor (2, n, D)
        Features of two views of every item, as they were when it was last met.
    """

    prototypes: Tensor
    memory: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        n_heads: int,
        n_prototypes: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, n_clusters, generator)
        self.register_buffer("prototypes", torch.zeros(n_heads, n_prototypes, n_outputs))
        self.register_buffer("memory", torch.zeros(2, 0, n_outputs))
        self.eval()

    def remember(self, n_items: int, n_heads: int) -> None:
        """Make room for the labels and the features of ``n_items`` items."""
        super().remember(n_items, n_heads)
        self.memory = self.memory.new_zeros(2, n_items, self.memory.shape[2])

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.memory = self.memory[:, :0]
