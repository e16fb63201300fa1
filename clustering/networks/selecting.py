"""USL-T's network: on features that stand still, which group an item is in and how surely."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import normalize

from clustering.networks.convolutions import Picture
from clustering.networks.features import Look
from clustering.networks.initialisers import linear
from clustering.networks.views import PretextNetwork

SCALE = 40.0  # of the cosines, as the authors have it for features that stand still


class SelectingNetwork(PretextNetwork):
    """Features learned first or taken as they are, and a direction for each group there will be a label of.

    The logit of a group is the cosine of the features with its direction, times 40: how far an item lies out
    does not make it a surer one.

    Parameters
    ----------
    *as_of_pretext_network
        See `PretextNetwork`.

    Attributes
    ----------
    shares : Tensor (K,)
        p̄: what each group has had of the neighbours, over the last batches; counted within the step.
    sure : Tensor ()
        Share of the items that teach, over the last batches.
    """

    shares: Tensor
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
        generator: Generator,
    ) -> None:
        super().__init__(
            n_features, picture, hidden_dims, n_outputs, n_clusters, learned, n_compared, generator
        )
        self.directions = nn.Parameter(
            linear(self.n_outputs, n_clusters, "fan_in", generator).weight.detach()
        )
        self.register_buffer("shares", torch.full((n_clusters,), 1 / n_clusters))
        self.register_buffer("sure", torch.zeros(()))

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups, (b, K)."""
        return SCALE * normalize(features, dim=1) @ normalize(self.directions, dim=1).T
