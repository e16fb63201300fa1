"""The first G-CEALS: a target made once in the features themselves, which the latent space is to match."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from clustering.losses.kl import kl_divergence
from clustering.losses.reconstruction import reconstruction
from clustering.losses.shared_covariance import inverse_covariance, log_shared_assignments
from clustering.losses.soft_assignment import squared_distances
from clustering.methods.deep import DeepClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.settings import (
    BatchSize,
    Device,
    Epochs,
    Gamma,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    Scale,
)
from clustering.networks.gaussian_autoencoder import RectifiedAutoencoder
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch

LARGEST_BATCH = 10_000
MOST_ITERATIONS = 10  # of k-means in a look; it starts where the last one ended

Rectified = Annotated[
    bool,
    Meaning(
        "Cut off what is negative in the latent space and in the rebuilt features, as published; "
        "standardised features can then never be rebuilt in full.",
        advanced=True,
    ),
]


class GCEALSv1(DeepClusterer):
    """G-CEALS, first version (Samad, Abrar, Bataineh 2023): an independent target distribution.

    k-means on the features gives a target p_ij ∝ exp(−(x_i − c_j)ᵀ Cov(X)⁺ (x_i − c_j)) once and for all. A
    network is trained from scratch, without pretraining, to rebuild the features and to make the same
    distribution of its latents, q, come close to p: L = L_r + γ (1/nK) Σ p log(p/q).

    Parameters
    ----------
    n_clusters : int, default 10
    gamma : float, default .1
        γ. The authors chose it, and the epoch to keep, by the accuracy against labels; here nothing is.
    hidden_dims, latent_dim : 500–500–2000–10 by default
    epochs : int, default 5000
        Passes.
    batch_size : int, optional
        All items at once, as published, up to 10,000.
    learning_rate : float, optional
        1e-4 by default, with Adam.
    rectified : bool, default True
    scale : {"none", "unit", "standardize"}, default "standardize"
    device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    In the authors' code q is computed from numpy arrays, so its loss has no gradient and the network only
    learns to rebuild. Here the clusters of a look (centres and covariance of the latents) are constants and
    the distances to them are not, as the text means it. Each look goes on from the clusters of the last, so
    that cluster j of q stays cluster j of p.
    """

    info = MethodInfo(
        name="gceals_v1",
        title="G-CEALS, first version",
        paper=(
            "Effective Clustering on Tabular Data by Gaussian Cluster Embedding in Autoencoder Latent Space. "
            "Manar D. Samad, Sakib Abrar, Mohammad Bataineh"
        ),
        year=2023,
        source="arXiv:2301.00802v1, withdrawn from ICLR 2023",
        family="deep",
        kinds=("table", "vectors", "images", "text", "tokens", "series"),
        needs_n_clusters=True,
        summary="Learns a latent space that keeps the groups k-means has seen in the table itself.",
        when_to_use=(
            "Tables whose groups k-means finds well, when you want a small latent space that agrees with "
            "them and can be walked. To compare with the third version, which replaced it."
        ),
        how_it_fails=(
            "It can hardly find other groups than those k-means has found in the features: the target never "
            "changes. With many columns the target is all or nothing, and nothing is left to weigh. On "
            "pictures as pixels it ends far below k-means (MNIST NMI .22, k-means .50): what is cut off "
            "leaves some latent dimensions empty, and groups found anew after every pass drift from the "
            "target. Its "
            "published scores came from picking the best epoch with the help of labels and cannot be "
            "expected here."
        ),
        formula=(
            r"\min_\theta \frac{1}{nd}\sum_i \lVert x_i - \hat{x}_i \rVert^2 "
            r"+ \gamma \frac{1}{nK} \sum_i \sum_j p_{ij} \log\frac{p_{ij}}{q_{ij}}, \quad "
            r"p_{ij} \propto e^{-(x_i-c_j)^\top \mathrm{Cov}(X)^{+} (x_i-c_j)}"
        ),
        representation="autoencoder",
        clustering="soft assignment with a target from the features",
        interaction="simultaneous",
        reconstructed=(
            "The paper's text could not be read; this follows the authors' code, except that the clustering "
            "loss trains the network (there it has no gradient) and that no label chooses the epoch or the "
            "weight of the loss."
        ),
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "epochs": 30,
            "learning_rate": 0.01,
            "device": "cpu",
        },
        order=202300,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        gamma: Gamma = 0.1,
        hidden_dims: HiddenDims = (500, 500, 2000),
        latent_dim: LatentDim = 10,
        epochs: Epochs = 5000,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        rectified: Rectified = True,
        scale: Scale = "standardize",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.gamma = gamma
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.rectified = rectified
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> RectifiedAutoencoder:
        """Return the untrained autoencoder with room for K centres and their metric."""
        return RectifiedAutoencoder(
            n_features, self.hidden_dims, self.latent_dim, self.n_clusters, self.rectified, generator
        )

    def rows_a_batch(self, n_items: int) -> int:
        """Return all items, as published, unless they are too many."""
        return self.batch_size or min(n_items, LARGEST_BATCH)

    def phases(self, network: RectifiedAutoencoder, data: Data) -> tuple[Phase, ...]:
        """Train everything at once from the first weights on."""
        target = cache(lambda: self.independent_target(data))
        weights = [*network.encoder.parameters(), *network.decoder.parameters()]
        phase = Phase(
            "cluster",
            self.epochs,
            lambda batch: self.loss(network, batch),
            weights,
            Optimiser("adam", self.learning_rate or 1e-4),
            begin=lambda: self.start_centers(network, data, target()),
            refresh=lambda: self.matched(network, data, target()),
        )
        return (phase,)

    def independent_target(self, data: Data) -> Tensor:
        """Return p (n, K), from k-means on the features and the covariance of all of them."""
        features = encode_all(_Itself(), data)
        centers, _ = kmeans(features, self.n_clusters, derived_seed(self.random_state, "kmeans"))
        metric = _metric(features)
        return log_shared_assignments(features, centers, metric).exp()

    def start_centers(self, network: RectifiedAutoencoder, data: Data, target: Tensor) -> None:
        """Put the centres where the groups of the target lie in the untrained latent space."""
        members = torch.nn.functional.one_hot(target.argmax(dim=1), self.n_clusters).to(target)
        sizes = members.sum(dim=0)[:, None].clamp_min(1)
        network.centers.data.copy_(members.T @ encode_all(network, data) / sizes)

    def matched(self, network: RectifiedAutoencoder, data: Data, target: Tensor) -> Refreshed:
        """Find the clusters of the latents anew, from where they were, and look at them."""
        latents = encode_all(network, data)
        network.centers.data.copy_(_followed(latents, network.centers.detach()))
        network.metric.copy_(_metric(latents))
        with torch.no_grad():
            confidences, labels = self.assign(network, latents).max(dim=1)
        return Refreshed(latents, network.centers.detach(), labels, confidences, {"p": target})

    def loss(self, network: RectifiedAutoencoder, batch: Batch) -> dict[str, Tensor]:
        """Return the reconstruction error and γ/K times the divergence of q from the fixed target."""
        latents = network.encode(batch.features).float()
        log_q = log_shared_assignments(latents, network.centers.detach(), network.metric)
        return {
            "reconstruction": reconstruction(batch.features, network.decode(latents).float()),
            "clustering": self.gamma / self.n_clusters * kl_divergence(batch.targets["p"], log_q),
        }

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return q, in the metric of the covariance of all latents."""
        return log_shared_assignments(latents, network.centers, network.metric).exp()


class _Itself:
    """The features as their own latents."""

    encode: Callable[[Tensor], Tensor] = staticmethod(lambda inputs: inputs)


def _metric(points: Tensor) -> Tensor:
    """Return the inverse covariance, in double precision on the host, where every device's is the same."""
    return inverse_covariance(points.double().cpu()).to(points)


def _followed(latents: Tensor, centers: Tensor) -> Tensor:
    """Return the centres (K, m) k-means comes to from ``centers``; an empty cluster stays where it is."""
    clusters = torch.arange(len(centers), device=latents.device)
    for _ in range(MOST_ITERATIONS):
        nearest = squared_distances(latents, centers).argmin(dim=1)
        members = (nearest[:, None] == clusters).to(latents.dtype)  # (n, K)
        sizes = members.sum(dim=0)[:, None]
        moved = torch.where(sizes > 0, members.T @ latents / sizes.clamp_min(1), centers)
        if torch.equal(moved, centers):
            break
        centers = moved
    return centers
