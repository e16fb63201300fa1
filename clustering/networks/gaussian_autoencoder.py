"""The networks of G-CEALS: an autoencoder with normal clusters in its latent space."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from clustering.networks.autoencoder import Autoencoder
from clustering.networks.mlp import MLP

UNIT_SPREAD = math.log(math.e - 1)  # softplus of it is 1


class GaussianAutoencoder(Autoencoder):
    """An autoencoder whose K clusters have a centre, a diagonal covariance and a weight; and a softmax head.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, n_clusters, generator
        As in `Autoencoder`.

    Attributes
    ----------
    spreads : Parameter (K, m)
        ρ; the diagonal of Σ_k is softplus(ρ_k), which starts at 1.
    head : MLP
        m → m → K logits of the predicted assignment q.
    weights : Tensor (K,)
        ω; zero until the first look at the whole set.
    first_weights : Tensor (K,)
        The mean assignment at that first look.
    groups : int64 Tensor (n,)
        The k-means group of each training item, which the batches are balanced by.
    """

    weights: Tensor
    first_weights: Tensor
    groups: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, hidden_dims, latent_dim, n_clusters, "fan_in", generator)
        self.spreads = nn.Parameter(torch.full((n_clusters, latent_dim), UNIT_SPREAD))
        self.head = MLP((latent_dim, latent_dim, n_clusters), "fan_in", generator)
        self.register_buffer("weights", torch.zeros(n_clusters))
        self.register_buffer("first_weights", torch.zeros(n_clusters))
        self.register_buffer("groups", torch.zeros(0, dtype=torch.int64))

    @property
    def variances(self) -> Tensor:
        """The diagonals of the covariances, (K, m)."""
        return softplus(self.spreads)


class RectifiedAutoencoder(Autoencoder):
    """An autoencoder with ReLU after embedding and output too, as the first version of G-CEALS has it.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, n_clusters, generator
        As in `Autoencoder`.
    rectified : bool
        False leaves both ends linear.

    Attributes
    ----------
    metric : Tensor (m, m)
        The inverse covariance of all latents, in which distances to the centres are taken.
    """

    metric: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        rectified: bool,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, hidden_dims, latent_dim, n_clusters, "fan_in", generator)
        self.rectified = rectified
        self.register_buffer("metric", torch.eye(latent_dim))

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to latents (b, m)."""
        latents = super().encode(inputs)
        return latents.relu() if self.rectified else latents

    def decode(self, latents: Tensor) -> Tensor:
        """Map latents (b, m) back to (b, d)."""
        rebuilt = super().decode(latents)
        return rebuilt.relu() if self.rectified else rebuilt
