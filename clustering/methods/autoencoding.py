"""What DEC and its relatives share: an autoencoder trained first, then k-means for the centres."""

from __future__ import annotations

from typing import Literal

from torch import Generator, Tensor

from clustering.losses.reconstruction import reconstruction
from clustering.losses.soft_assignment import soft_assignments
from clustering.methods.deep import DeepClusterer
from clustering.methods.stacked import stacked_phases
from clustering.networks.autoencoder import Autoencoder
from clustering.networks.initialisers import Initialiser
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser, cosine
from clustering.training.phase import Phase
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch

LARGE_COLLECTION = 20_000  # items from which the fast profile takes batches of 1,024


class AutoencoderClusterer(DeepClusterer):
    """Base of methods that start from a trained autoencoder and k-means in its latent space."""

    hidden_dims: tuple[int, ...]
    latent_dim: int
    pretrain_epochs: int | None
    learning_rate: float | None
    profile: Literal["paper", "fast"] = "paper"
    pretrain: Literal["end_to_end", "sda"] = "end_to_end"

    def setup(self, n_features: int, generator: Generator) -> Autoencoder:
        """Return the untrained autoencoder with room for K centres."""
        initialiser: Initialiser = "normal" if self.pretrain == "sda" else "fan_in"
        return Autoencoder(
            n_features, self.hidden_dims, self.latent_dim, self.n_clusters, initialiser, generator
        )

    def rows_a_batch(self, n_items: int) -> int:
        """Return 256, or 1,024 for the fast profile on a large collection."""
        large = self.profile == "fast" and n_items >= LARGE_COLLECTION
        return self.batch_size or (1024 if large else 256)

    def phases(self, network: Autoencoder, data: Data) -> tuple[Phase, ...]:
        """Train the autoencoder, then cluster."""
        if self.pretrain == "sda":
            first = stacked_phases(network, self.pretrain_epochs or 300, self.learning_rate or 0.1)
        else:
            first = (self.end_to_end(network),)
        return (*first, self.clustering(network, data))

    def pretraining(self) -> tuple[Optimiser, int]:
        """Return how all layers are trained together, and for how many epochs unless asked otherwise.

        DEC-keras' plain SGD for ``paper``: on MNIST it ends .1 above Adam. Adam with a cosine for ``fast``.
        """
        if self.profile == "paper":
            return Optimiser("sgd", self.learning_rate or 1.0), 300
        return Optimiser("adam", self.learning_rate or 1e-3, schedule=cosine), 100

    def end_to_end(self, network: Autoencoder) -> Phase:
        """Return the phase that trains encoder and decoder on the reconstruction error."""

        def loss(batch: Batch) -> dict[str, Tensor]:
            return {"reconstruction": reconstruction(batch.features, network(batch.features).float())}

        optimiser, epochs = self.pretraining()
        weights = [*network.encoder.parameters(), *network.decoder.parameters()]
        respond = network if self.learning_rate is None else None  # a rate that was asked for is kept
        return Phase("pretrain", self.pretrain_epochs or epochs, loss, weights, optimiser, respond=respond)

    def clustering(self, network: Autoencoder, data: Data) -> Phase:
        """Return the phase that finds the clusters; by default k-means alone, without training."""
        return Phase(
            "cluster",
            1,
            begin=lambda: self.start_centers(network, data),
            refresh=lambda: self.look(network, data),
        )

    def start_centers(self, network: Autoencoder, data: Data) -> None:
        """Put the best of 20 k-means runs on the latents into the network's centres."""
        seed = derived_seed(self.random_state, "kmeans")
        centers, _ = kmeans(encode_all(network, data), self.n_clusters, seed)
        network.centers.data.copy_(centers)

    def assign(self, network: Autoencoder, latents: Tensor) -> Tensor:
        """Return Student-t assignments to the centres (DEC, eq. 1); the largest is the nearest centre's."""
        return soft_assignments(latents, network.centers)
