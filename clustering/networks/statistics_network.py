"""The networks of JDRL: features, a latent space that is told about its clusters, and a decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from clustering.losses.sized_assignment import log_sized_assignments
from clustering.networks.autoencoder import stretch_between
from clustering.networks.initialisers import linear
from clustering.networks.mlp import MLP
from clustering.networks.statistics_pooling import SetStatistics, pooled_statistics

LEAST_SHARE = 0.1  # of an equal share, below which no running share falls


class StatisticsNetwork(nn.Module):
    """h = stem(x); z = head(h); z' = z + Σ_j q_j W s_j with the pooled statistics s_j of cluster j.

    W starts at 0, so training begins without any context.

    Parameters
    ----------
    n_features : int
        d.
    hidden_dims : sequence of int
        Widths of the stem; the last is D, the width of h.
    latent_dim, n_clusters : int
        m and K.
    power : float
        τ of the size-aware assignment.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.

    Attributes
    ----------
    shares : Tensor (K,)
        π, running mean of the share of all items each cluster holds.
    means, variances : Tensor (K, D)
        Running statistics of h in each cluster.
    """

    shares: Tensor
    means: Tensor
    variances: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        power: float,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.power, width = power, hidden_dims[-1]
        self.stem = MLP((n_features, *hidden_dims), "fan_in", generator)
        self.head = linear(width, latent_dim, "fan_in", generator)
        self.context = linear(2 * width + 1, latent_dim, "fan_in", generator)
        nn.init.zeros_(self.context.weight)
        self.decoder = MLP((latent_dim, *reversed(hidden_dims), n_features), "fan_in", generator)
        self.centers = nn.Parameter(torch.zeros(n_clusters, latent_dim))
        self.register_buffer("shares", torch.full((n_clusters,), 1 / n_clusters))
        self.register_buffer("means", torch.zeros(n_clusters, width))
        self.register_buffer("variances", torch.zeros(n_clusters, width))

    def described(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to the features h (b, D)."""
        return self.stem(inputs).relu()

    def statistics(self) -> SetStatistics:
        """Return the running statistics of the clusters."""
        return SetStatistics(self.means, self.variances, self.shares)

    def pooled(self, features: Tensor) -> SetStatistics:
        """Return the statistics of the clusters among some features h (b, D)."""
        return pooled_statistics(features, self.assigned(self.head(features).float()).exp())

    def located(self, features: Tensor, statistics: SetStatistics) -> Tensor:
        """Map features h (b, D) to latents z' (b, m), given what the clusters are like."""
        z = self.head(features)
        return z + self.assigned(z.float()).exp().to(z) @ self.context(statistics.table())

    def stretch(self, change: Tensor) -> None:
        """Apply an invertible map (m, m) to the latent space, before there is any context in it."""
        stretch_between(self.head, self.decoder.layers[0], change)

    def assigned(self, latents: Tensor) -> Tensor:
        """Return log q (b, K) of latents (b, m)."""
        return log_sized_assignments(latents, self.centers, self.shares.clone(), self.power)

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to latents z' (b, m) by the running statistics, so no row depends on its company."""
        return self.located(self.described(inputs), self.statistics())

    def decode(self, latents: Tensor) -> Tensor:
        """Map latents (b, m) back to (b, d)."""
        return self.decoder(latents)

    def forward(self, inputs: Tensor) -> Tensor:
        """Reconstruct (b, d)."""
        return self.decode(self.encode(inputs))

    @torch.no_grad()
    def remember(self, batch: SetStatistics, rate: float) -> None:
        """Let the running statistics move by ``rate`` towards those of a batch.

        Means and variances of a cluster move by the share of it that the batch holds beside its usual one, so
        that a batch without any rare item does not wipe out what is known of it.
        """
        k = len(self.shares)
        seen = batch.sizes / batch.sizes.sum()
        pace = rate * (seen / self.shares).clamp_max(1)[:, None]
        self.means.lerp_(batch.means, pace)
        self.variances.lerp_(batch.variances, pace)
        shares = self.shares.lerp(seen, rate).clamp_min(LEAST_SHARE / k)
        self.shares.copy_(shares / shares.sum())
