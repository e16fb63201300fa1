"""What DEC and its relatives share: an autoencoder trained first, then k-means for the centres."""

from __future__ import annotations

from typing import Literal

from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.losses.reconstruction import reconstruction
from clustering.losses.soft_assignment import soft_assignments
from clustering.methods.deep import DeepClusterer
from clustering.methods.stacked import stacked_phases
from clustering.networks.autoencoder import Autoencoder
from clustering.networks.initialisers import Initialiser
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser, cosine, warm_up
from clustering.training.phase import Phase
from clustering.training.pooled import lower_determinant, rounding
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch
from clustering.views.affine import AffineViews
from clustering.views.pixels import picture_shape

STACKED_EPOCHS = 366  # on MNIST the published 100,000 iterations of 256
LARGE_COLLECTION = 20_000  # items from which the fast profile warms up and takes batches of 1,024


class AutoencoderClusterer(DeepClusterer):
    """Base of methods that start from a trained autoencoder and k-means in its latent space."""

    hidden_dims: tuple[int, ...]
    latent_dim: int
    pretrain_epochs: int | None
    learning_rate: float | None
    profile: Literal["paper", "fast"] = "paper"
    pretrain: Literal["end_to_end", "sda"] = "end_to_end"
    initial_centers: Literal["invariant", "kmeans"] = "kmeans"
    views: Literal["none", "affine"] = "none"

    def setup(self, n_features: int, generator: Generator) -> Autoencoder:
        """Return the untrained autoencoder with room for K centres."""
        self._chosen_views(n_features)  # says at once when there can be none
        initialiser: Initialiser = "normal" if self.pretrain == "sda" else "fan_in"
        return Autoencoder(
            n_features, self.hidden_dims, self.latent_dim, self.n_clusters, initialiser, generator
        )

    def rows_a_batch(self, n_items: int) -> int:
        """Return 256, or 1,024 for the fast profile, and for views, on a large collection."""
        large = (self.profile == "fast" or self.views != "none") and n_items >= LARGE_COLLECTION
        return self.batch_size or (1024 if large else 256)

    def phases(self, network: Autoencoder, data: Data) -> tuple[Phase, ...]:
        """Train the autoencoder, then cluster."""
        if self.pretrain == "sda":
            first = stacked_phases(network, self.pretrain_epochs or STACKED_EPOCHS, self.learning_rate or 0.1)
        else:
            first = (self.end_to_end(network, data.n_items),)
        return (*first, self.clustering(network, data))

    def pretraining(self, n_items: int) -> tuple[Optimiser, int]:
        """Return how all layers are trained together, and for how many epochs unless asked otherwise.

        DEC-keras' plain SGD for ``paper``. Adam with a cosine for views and for ``fast``; but ``fast`` on a
        large collection, whose batches are large and steps few, warms up and keeps its rate: on MNIST it ends
        .1 higher after 50 passes, on 2,000 items .05 lower.
        """
        if self.views != "none":
            return Optimiser("adam", self.learning_rate or 1e-3, schedule=cosine), 150
        if self.profile == "paper":
            return Optimiser("sgd", self.learning_rate or 1.0), 300
        schedule = warm_up if n_items >= LARGE_COLLECTION else cosine
        return Optimiser("adam", self.learning_rate or 1e-3, schedule=schedule), 100

    def end_to_end(self, network: Autoencoder, n_items: int) -> Phase:
        """Return the phase that trains encoder and decoder on the reconstruction error."""

        def loss(batch: Batch) -> dict[str, Tensor]:
            features = self.viewed(batch)
            return {"reconstruction": reconstruction(features, network(features).float())}

        optimiser, epochs = self.pretraining(n_items)
        weights = [*network.encoder.parameters(), *network.decoder.parameters()]
        respond = network if self.learning_rate is None else None  # a rate that was asked for is kept
        return Phase(
            "pretrain",
            self.pretrain_epochs or epochs,
            loss,
            weights,
            optimiser,
            noisy=self.views != "none",
            respond=respond,
        )

    def clustering(self, network: Autoencoder, data: Data) -> Phase:
        """Return the phase that finds the clusters; by default k-means alone, without training."""
        return Phase(
            "cluster",
            1,
            begin=lambda: self.start_centers(network, data),
            refresh=lambda: self.look(network, data),
        )

    def start_centers(self, network: Autoencoder, data: Data) -> None:
        """Put the centres of the first clusters into the network: k-means' best of 20, refined if asked."""
        seed = derived_seed(self.random_state, "kmeans")
        latents = encode_all(network, data)
        centers, _ = kmeans(latents, self.n_clusters, seed)
        if self.initial_centers == "invariant":
            centers, covariance = lower_determinant(latents, centers)
            round_off = rounding(covariance)
            network.stretch(round_off)
            centers = centers @ round_off.to(centers.dtype)
        network.centers.data.copy_(centers)

    def viewed(self, batch: Batch) -> Tensor:
        """Return the features of a batch as the network is to see them: as they are, or other views."""
        views = self._chosen_views(batch.features.shape[1])
        return views(batch.features, batch.generator) if views else batch.features

    def _chosen_views(self, n_features: int) -> AffineViews | None:
        if self.views == "none":
            return None
        shape = picture_shape(n_features)
        if shape is None:
            raise StudioError(
                f"Affine views turn and move square pictures; {n_features} features are no pixels of one.",
                "Choose the encoder “pixels”, or views “none”.",
            )
        if self.pretrain == "sda":
            raise StudioError(
                "Affine views and layer-wise pretraining (“sda”) do not go together.",
                "Choose pretrain “end_to_end”, or views “none”.",
            )
        return AffineViews(shape)

    def assign(self, network: Autoencoder, latents: Tensor) -> Tensor:
        """Return Student-t assignments to the centres (DEC, eq. 1); the largest is the nearest centre's."""
        return soft_assignments(latents, network.centers)
