"""The network of UDDA: an autoencoder that remembers what its clusters are like and which they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from clustering.networks.autoencoder import Autoencoder
from clustering.networks.statistics_pooling import pooled_statistics


class Classes(NamedTuple):
    """What K clusters are like.

    Parameters
    ----------
    means : Tensor (K, m)
        m_j.
    spreads : Tensor (K,)
        s_j, mean squared distance of the members to m_j.
    shares : Tensor (K,)
        Of all items; they sum to 1.
    """

    means: Tensor
    spreads: Tensor
    shares: Tensor


def membership(labels: Tensor, n_clusters: int) -> Tensor:
    """Return 1 in the column of each item's cluster, else 0, float32 (n, K)."""
    return (labels[:, None] == torch.arange(n_clusters, device=labels.device)).float()


def classes_of(latents: Tensor, members: Tensor) -> Classes:
    """Return what the clusters of latents (n, m) with members (n, K) are like, with gradients."""
    found = pooled_statistics(latents, members)
    return Classes(found.means, found.variances.sum(dim=1), found.sizes / len(latents))


class DiscriminantAutoencoder(Autoencoder):
    """An autoencoder, and beside it the statistics of the clusters.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, n_clusters, generator
        As in `Autoencoder`.

    Attributes
    ----------
    means, spreads, shares : Tensor (K, m), (K,) and (K,)
        Those of all items at the last look; where steps see batches, they follow these.
    before : int64 Tensor (2, n)
        Labels at the last look and at the one before; −1 where there was none.
    most_within : Tensor ()
        Largest share of the links that lay within groups at any look.
    """

    means: Tensor
    spreads: Tensor
    shares: Tensor
    before: Tensor
    most_within: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, hidden_dims, latent_dim, n_clusters, "fan_in", generator)
        self.register_buffer("means", torch.zeros(n_clusters, latent_dim))
        self.register_buffer("spreads", torch.ones(n_clusters))
        self.register_buffer("shares", torch.full((n_clusters,), 1 / n_clusters))
        self.register_buffer("before", torch.zeros(2, 0, dtype=torch.int64))
        self.register_buffer("most_within", torch.zeros(()))

    def remember(self, n_items: int) -> None:
        """Make room for the labels of ``n_items`` items."""
        self.before = torch.full((2, n_items), -1, dtype=torch.int64, device=self.centers.device)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        self.before = self.before[:, :0]

    @torch.no_grad()
    def take(self, classes: Classes) -> None:
        """Take over what was found among all items."""
        for mine, found in zip((self.means, self.spreads, self.shares), classes, strict=True):
            mine.copy_(found)

    def followed(self, batch: Classes, rate: float) -> Classes:
        """Let the statistics move by ``rate`` towards those of a batch; return them with its gradients.

        A cluster moves by the share of the batch it holds beside its usual one: without a member it stays.
        """
        usual = self.shares.clamp_min(torch.finfo(self.shares.dtype).tiny)
        pace = rate * (batch.shares / usual).clamp_max(1)
        with torch.no_grad():
            self.means.lerp_(batch.means, pace[:, None])
            self.spreads.lerp_(batch.spreads, pace)
            self.shares.lerp_(batch.shares, rate)
        # The value of the memory with the gradient of the batch, as if it were the whole set.
        present = (batch.shares > 0).to(batch.means)
        means = self.means.clone() + present[:, None] * (batch.means - batch.means.detach())
        spreads = self.spreads.clone() + present * (batch.spreads - batch.spreads.detach())
        return Classes(means, spreads, self.shares.clone())
