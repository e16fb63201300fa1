"""JDRL (StatDEC): deep clustering of unbalanced collections by what whole groups are like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor

from clustering.losses.gaussian_assignment import mahalanobis_distances
from clustering.losses.kl import kl_divergence
from clustering.losses.reconstruction import reconstruction
from clustering.losses.size_divergence import size_divergence
from clustering.losses.target_distribution import target_distribution
from clustering.methods.beside import Beside
from clustering.methods.deep import DeepClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState, checked_items
from clustering.methods.settings import (
    BatchSize,
    ClusterLearningRate,
    Device,
    Epochs,
    Gamma,
    HiddenDims,
    InitialCenters,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    PretrainEpochs,
    Scale,
    Tolerance,
    UpdateInterval,
)
from clustering.networks.statistics_network import LEAST_SHARE, StatisticsNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data, as_tensor
from clustering.training.events import Emit
from clustering.training.inference import ROWS_AT_ONCE, encode_all
from clustering.training.joined import joined_centers
from clustering.training.optimisers import Optimiser, cosine
from clustering.training.phase import Phase
from clustering.training.pooled import lower_determinant, rounding
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch

RUNNING = 0.01  # how far the running statistics move in a step
SIZES = 0.1  # weight of the divergence of sizes
SAMPLE = 8192  # items whose statistics the clusters start with
FLOOR = 0.1  # of the mean variance, added to each
TINY = 1e-12
ORDINARY = 99.0  # percent of the fitted items that are not called strange

SizePower = Annotated[
    float,
    Interval(ge=0, le=1),
    Meaning(
        "How much a large group attracts more than a small one: 0 not at all, as in DEC, 1 in proportion to "
        "its size.",
        advanced=True,
    ),
]
Balance = Annotated[
    float,
    Interval(ge=0, le=1),
    Meaning(
        "How strongly groups are pulled to equal size: 1 as in DEC, 0 not at all, for collections with rare "
        "groups."
    ),
]


class JDRL(DeepClusterer):
    """Joint Debiased Representation Learning, first called StatDEC (Rezaei, Dorigatti, Rügamer, Bischl 2022).

    Two networks are trained together: one that describes the data, an autoencoder, and one that clusters
    them. A pooling of statistics (mean, variance and size of every cluster, weighted by the soft assignments)
    tells the latent space what the clusters are like. "Debiased" means that rare groups are not given up for
    large ones; it has nothing to do with fairness.

    Parameters
    ----------
    n_clusters : int, default 10
    gamma : float, default .1
        Weight of the clustering loss beside the reconstruction.
    size_power : float, default 0
        τ in q_ij ∝ π_j^τ (1 + ‖z'_i − μ_j‖²)⁻¹, with π_j the running share of cluster j. The large then grow
        larger: with .5 and β = 0 on a long tail of MNIST (50 to 1) groups ran empty, which needs no label to
        be seen.
    balance : float, default .25
        β in p_ij ∝ q_ij² / f_j^β.
    initial_centers : {"invariant", "kmeans"}, default "invariant"
        As in `DEC`, from joined groups of k-means in both cases. On that long tail it took the NMI from .465
        to .557 (τ = .5, β = 0, the same three seeds).
    hidden_dims, latent_dim : 500–500–2000–10 by default
        The statistics are those of the last hidden layer.
    pretrain_epochs : int, optional
        150 by default, with Adam 1e-3 and a cosine.
    epochs, batch_size, update_interval, tolerance, scale, device, precision, n_init, random_state
        As in `DEC`; 256 items a batch.
    learning_rate, cluster_learning_rate : float, optional
        1e-3 and 5e-4 by default, with Adam.

    Attributes
    ----------
    novelty_limit_ : float
        99 of 100 fitted items are less strange than this, see `novelty`.

    Notes
    -----
    A reconstruction: no code was published, and only the abstracts could be read. They say: two networks
    trained together, both with a block that pools mean, variance and cardinality, and an explicit clustering
    loss. All the rest is ours, see ``info.reconstructed``.
    """

    info = MethodInfo(
        name="jdrl",
        title="JDRL (StatDEC)",
        paper=(
            "Joint Debiased Representation Learning and Imbalanced Data Clustering. "
            "Mina Rezaei, Emilio Dorigatti, David Rügamer, Bernd Bischl"
        ),
        year=2022,
        source="ICDM Workshops 2022, 55–62, arXiv:2109.05232",
        family="deep",
        kinds=("images", "vectors", "table", "text", "tokens", "series", "graph"),
        needs_n_clusters=True,
        summary="DEC for collections with rare groups: the latent space is told how large and wide each is.",
        when_to_use=(
            "Collections in which some kinds of item are ten times rarer than others, where DEC would cut "
            "the large groups into pieces to make all of equal size. It also says which new items are unlike "
            "everything it has learned from."
        ),
        how_it_fails=(
            "A group of a handful of items seldom gets a centre of its own, and the number of groups must be "
            "about right. Accuracy can rise while a rare group vanishes: look at the sizes, and at the mean "
            "recall, not only at the accuracy. Where groups are of equal size, DEC's wish for balance helps "
            "and is weaker here: on image segments, all classes equal, it stays below k-means on the columns "
            "(NMI .47 against .60). On small sets UMAP + GMM may win. “Debiased” does not mean fair."
        ),
        formula=(
            r"q_{ij} \propto \frac{\pi_j^{\tau}}{1 + \lVert z'_i - \mu_j \rVert^2}, \quad "
            r"z'_i = z_i + \sum_j q_{ij} W \left[ m_j, \log(1 + v_j), \log \pi_j \right], \quad "
            r"p_{ij} \propto \frac{q_{ij}^2}{f_j^{\beta}}"
        ),
        representation="autoencoder with pooled statistics",
        clustering="soft assignment with a self-made target that knows sizes",
        interaction="simultaneous",
        reconstructed=(
            "Only the paper's abstracts could be read and there is no code. From them: two networks trained "
            "together, statistics pooling of mean, variance and size, a clustering loss. Ours: every layer "
            "and weight, how sizes enter the assignment, a target with a quarter of DEC's pull to equal "
            "sizes, first centres from three times as many groups joined by Ward, dense layers on features "
            "instead of a network on pixels, and the measure of strangeness. Published figures could not be "
            "read."
        ),
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 3,
            "device": "cpu",
        },
        order=202210,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        gamma: Gamma = 0.1,
        size_power: SizePower = 0.0,
        balance: Balance = 0.25,
        hidden_dims: HiddenDims = (500, 500, 2000),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 200,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        update_interval: UpdateInterval = None,
        tolerance: Tolerance = 0.001,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        initial_centers: InitialCenters = "invariant",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.gamma = gamma
        self.size_power = size_power
        self.balance = balance
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.cluster_learning_rate = cluster_learning_rate
        self.update_interval = update_interval
        self.tolerance = tolerance
        self.scale = scale
        self.device = device
        self.precision = precision
        self.initial_centers = initial_centers
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> StatisticsNetwork:
        """Return the untrained networks."""
        return StatisticsNetwork(
            n_features, self.hidden_dims, self.latent_dim, self.n_clusters, self.size_power, generator
        )

    def phases(self, network: StatisticsNetwork, data: Data) -> tuple[Phase, ...]:
        """Train the representation, then both networks together."""
        return (
            Phase(
                "pretrain",
                self.pretrain_epochs or 150,
                lambda batch: {"reconstruction": _rebuilt(network, batch, network.encode(batch.features))},
                [
                    *network.stem.parameters(),
                    *network.head.parameters(),
                    *network.decoder.parameters(),
                ],
                Optimiser("adam", self.learning_rate or 1e-3, schedule=cosine),
                respond=network if self.learning_rate is None else None,
            ),
            Phase(
                "cluster",
                self.epochs,
                lambda batch: self.loss(network, batch),
                list(network.parameters()),
                Optimiser("adam", self.cluster_learning_rate or 5e-4),
                begin=lambda: self.start_centers(network, data),
                refresh=lambda: self.look(network, data),
                steps=self.update_interval,
                tolerance=self.tolerance,
                watch=lambda: self.starving(network),
            ),
        )

    def start_centers(self, network: StatisticsNetwork, data: Data) -> None:
        """Find first centres for rare groups too, and the statistics that go with them."""
        latents = encode_all(network, data)
        seed = derived_seed(self.random_state, "kmeans")
        centers = joined_centers(latents, self.n_clusters, seed)
        if self.initial_centers == "invariant":
            centers, covariance = lower_determinant(latents, centers)
            round_off = rounding(covariance)
            network.stretch(round_off)
            centers = centers @ round_off.to(centers.dtype)
        network.centers.data.copy_(centers)
        rows = torch.linspace(0, data.n_items - 1, min(data.n_items, SAMPLE), device=data.device).long()
        with torch.no_grad():
            statistics = network.pooled(network.described(data.take(rows)))
        network.means.copy_(statistics.means)
        network.variances.copy_(statistics.variances)

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:
        """Sharpen the assignments of the whole set, with little pull to equal sizes."""
        return {"p": target_distribution(assignments, self.balance)}

    def loss(self, network: StatisticsNetwork, batch: Batch) -> dict[str, Tensor]:
        """Return reconstruction, clustering and sizes, and let the running statistics follow the batch."""
        features = network.described(batch.features)
        statistics = network.pooled(features)
        latents = network.located(features, statistics).float()
        log_q = network.assigned(latents)
        shares = network.shares.clone()
        network.remember(statistics, RUNNING)
        return {
            "reconstruction": _rebuilt(network, batch, latents),
            "clustering": self.gamma * kl_divergence(batch.targets["p"], log_q),
            "sizes": SIZES * size_divergence(shares, log_q),
        }

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the size-aware assignments."""
        return network.assigned(latents).exp()

    def starving(self, network: StatisticsNetwork) -> tuple[str, ...]:
        """Name the groups whose share lies at the floor below which it is not allowed to fall."""
        floor = 1.02 * LEAST_SHARE / self.n_clusters
        starved = (network.shares < floor).nonzero().flatten().tolist()
        return tuple(
            f"Group {number + 1} is kept alive with less than {floor:.1%} of the items: "
            "too few for statistics of its own; fewer groups may be enough."
            for number in starved
        )

    def novelty(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return how unlike every group each row of ``X`` is, float32 (n,).

        The mean squared distance of its features to those of the nearest group, in the group's own standard
        deviations. Rows above ``novelty_limit_`` are stranger than all but one in a hundred fitted items and
        may belong to no group at all.
        """
        check_is_fitted(self)
        return self._novelty(checked_items(self, X))

    def _novelty(self, items: NDArray[np.float32]) -> NDArray[np.float32]:
        network, device = self._trained()
        shift, factor = torch.from_numpy(self.shift_).to(device), torch.from_numpy(self.factor_).to(device)
        found = []
        with torch.inference_mode():
            # A unit that never stirred would make everything strange that stirs it a little.
            variances = network.variances + FLOOR * network.variances.mean().clamp_min(TINY)
            for start in range(0, len(items), ROWS_AT_ONCE):
                rows = as_tensor(items[start : start + ROWS_AT_ONCE]).to(device).double()
                features = network.described((rows - shift) * factor)
                distances = mahalanobis_distances(features, network.means, variances)
                squares = distances.amin(dim=1).square() / features.shape[1]
                found.append(squares.float().cpu().numpy())
        return np.concatenate(found)

    def _train(
        self,
        items: NDArray[np.float32],
        emit: Emit | None,
        folder: Path | None,
        beside: Beside,
    ) -> None:
        super()._train(items, emit, folder, beside)
        self.novelty_limit_ = float(np.percentile(self._novelty(items), ORDINARY))


def _rebuilt(network: StatisticsNetwork, batch: Batch, latents: Tensor) -> Tensor:
    return reconstruction(batch.features, network.decode(latents).float())
