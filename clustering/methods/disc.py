"""DISC: windows of sensors are read, rebuilt, continued and clustered by a recurrent autoencoder."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Interval
from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.losses.kl import kl_divergence
from clustering.losses.reconstruction import reconstruction
from clustering.losses.soft_assignment import log_soft_assignments, soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.deep import DeepClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.settings import (
    BatchSize,
    ClusterLearningRate,
    Device,
    Epochs,
    Gamma,
    LatentDim,
    LearningRate,
    NInit,
    PretrainEpochs,
    Scale,
    Tolerance,
    UpdateInterval,
)
from clustering.networks.recurrent import RecurrentAutoencoder
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser, tenth_every
from clustering.training.phase import Phase
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch

SAMPLE = 512  # windows of which the codes are watched
EDGE = 0.99  # a code beyond it lies at tanh's limit

Channels = Annotated[
    int | None,
    Ge(1),
    Meaning("Numbers a step of a window holds; empty: as the features say, or one.", advanced=True),
]
Future = Annotated[
    float,
    Interval(ge=0, le=0.9),
    Meaning(
        "Share of every window that is not read but foretold: half as published; 0 reads the whole window."
    ),
]
Decoding = Annotated[
    Literal["autoregressive", "parallel"],
    Meaning(
        "How windows are written: each step from the one before as published, or all from the code alone "
        "(“parallel”), in one call a layer.",
        advanced=True,
    ),
]
HiddenDim = Annotated[
    int, Interval(ge=1, le=10_000), Meaning("Width of the recurrent layers.", advanced=True)
]
Dropout = Annotated[
    float,
    Interval(ge=0, le=0.9),
    Meaning("Share of the first layer's outputs hidden while training.", advanced=True),
]
Precision = Annotated[
    Literal["float32", "tf32"],
    Meaning("Number format while training; “tf32” is faster on NVIDIA's processors.", advanced=True),
]


class DISC(DeepClusterer):
    """Deep Inertial Sensory Clustering (Amrani, Micucci, Napoletano 2022).

    Two recurrent layers read the first half of a window in both directions and make a code of it. From the
    code one decoder writes that half backwards, another writes the half that follows. When both do so well,
    the codes are clustered as in IDEC, with both decoders kept.

    Parameters
    ----------
    n_clusters : int, default 10
    channels : int, optional
        Numbers a step holds: a row is steps · channels, the channels of a step together. In Python
        ``features = encode(windows, "windows")`` and ``DISC(4, **features.layout)``; None means one.
    future : float, default .5
        Share of a window that is foretold. Clusters describe the part that is read, 1 − ``future``.
    gamma : float, default .1
        Weight of the clustering loss.
    hidden_dim, latent_dim : 256 and 64 by default
    dropout : float, default .2
    decoder : {"autoregressive", "parallel"}, default "autoregressive"
    pretrain_epochs : int, optional
        100 by default, with Adam 1e-3, a tenth of it after seven tenths of the epochs.
    epochs, batch_size, update_interval, tolerance, scale, device, precision, n_init, random_state
        As in `DEC`; 256 windows a batch.
    learning_rate, cluster_learning_rate : float, optional
        1e-3 and 1e-3 by default, with Adam.

    Notes
    -----
    The authors' code departs from what they describe, and we follow the description: there k-means' centres
    are stored beside the parameter and never used, the target is made of each batch anew instead of the whole
    set, and normalisation and dropout stay on while predicting.

    On BasicMotions (80 windows, 4 activities, five seeds) DISC reaches ACC .505 ± .013, k-means .355 on the
    windows laid flat and .955 on plain statistics of them. See ``benchmarks/README.md``.
    """

    info = MethodInfo(
        name="disc",
        title="DISC",
        paper=(
            "Unsupervised Deep Learning-based clustering for Human Activity Recognition. "
            "Hamza Amrani, Daniela Micucci, Paolo Napoletano"
        ),
        year=2022,
        source="ICCE-Berlin 2022, arXiv:2211.05483",
        family="deep",
        kinds=("series",),
        first_for=("series",),
        needs_n_clusters=True,
        summary="A recurrent network rebuilds the past of every window, foretells its future, and clusters.",
        when_to_use=(
            "Thousands of windows of sensors in which the order of moments matters, such as movements at the "
            "wrist. It takes “Windows as measured”; leave the acceleration of gravity in: it tells sitting "
            "from standing. Look at k-means on “Statistics of windows” beside it."
        ),
        how_it_fails=(
            "The code can hold at which moment of a movement a window begins and little else; groups then "
            "differ in that. Plain statistics with k-means were far better on two sets of sensors. The "
            "second half of a window is never read, so its cluster describes the first: set “future” to 0 "
            "where that matters. Windows that overlap, and windows of one person, are alike for reasons "
            "nobody asked about. Steps are taken one after the other, so long windows train slowly."
        ),
        formula=(
            r"\min_{\theta,\mu} \lVert \hat{x}_{T..1} - x_{T..1} \rVert^2 + "
            r"\lVert \hat{x}_{T+1..2T} - x_{T+1..2T} \rVert^2 + "
            r"\gamma \sum_i \sum_j p_{ij} \log\frac{p_{ij}}{q_{ij}}"
        ),
        representation="recurrent autoencoder that also foretells",
        clustering="soft assignment with a self-made target",
        interaction="simultaneous",
        reconstructed=(
            "Architecture and losses are those of the authors' code; the paper's tables could not be read. "
            "Ours: a target from the whole set, centres from k-means that are used, equal batches in random "
            "order, running statistics wherever nothing is trained, and a rate that falls at seven tenths of "
            "whatever number of epochs is asked for."
        ),
        test_settings={
            "n_clusters": 3,
            "hidden_dim": 16,
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 3,
            "device": "cpu",
        },
        layout=("channels",),
        order=202230,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        channels: Channels = None,
        future: Future = 0.5,
        gamma: Gamma = 0.1,
        hidden_dim: HiddenDim = 256,
        latent_dim: LatentDim = 64,
        dropout: Dropout = 0.2,
        decoder: Decoding = "autoregressive",
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
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.channels = channels
        self.future = future
        self.gamma = gamma
        self.hidden_dim = hidden_dim
        self.latent_dim = latent_dim
        self.dropout = dropout
        self.decoder = decoder
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
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> RecurrentAutoencoder:
        """Return the untrained network.

        Raises
        ------
        StudioError
            When a row is no whole number of steps.
        """
        channels = self.channels or 1
        if n_features % channels:
            raise StudioError(
                f"Rows of {n_features} numbers are no whole number of steps of {channels} channels.",
                "Leave “channels” empty, or say how many the windows have.",
            )
        return RecurrentAutoencoder(
            n_features,
            channels,
            self.hidden_dim,
            self.latent_dim,
            self.n_clusters,
            self.future,
            self.dropout,
            self.decoder,
            generator,
        )

    def phases(self, network: RecurrentAutoencoder, data: Data) -> tuple[Phase, ...]:
        """Learn to rebuild and foretell, then cluster too."""
        weights = [weight for name, weight in network.named_parameters() if name != "centers"]
        return (
            Phase(
                "pretrain",
                self.pretrain_epochs or 100,
                lambda batch: self.rebuilt(network, batch)[1],
                weights,
                Optimiser("adam", self.learning_rate or 1e-3, schedule=tenth_every(0.7)),
                noisy=True,
                respond=network if self.learning_rate is None else None,
            ),
            Phase(
                "cluster",
                self.epochs,
                lambda batch: self.loss(network, batch),
                list(network.parameters()),
                Optimiser("adam", self.cluster_learning_rate or 1e-3),
                begin=lambda: self.start_centers(network, data),
                refresh=lambda: self.look(network, data),
                steps=self.update_interval,
                tolerance=self.tolerance,
                noisy=True,
                watch=lambda: self.at_the_edge(network, data),
            ),
        )

    def start_centers(self, network: RecurrentAutoencoder, data: Data) -> None:
        """Put k-means' best centres of 20 starts into the network."""
        seed = derived_seed(self.random_state, "kmeans")
        centers, _ = kmeans(encode_all(network, data), self.n_clusters, seed)
        network.centers.data.copy_(centers)

    def rebuilt(self, network: RecurrentAutoencoder, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the codes (b, m) of a batch, and how far what is written from them is from the windows."""
        past, future = network.parts(batch.features)
        latents = network.coded(past, batch.generator)
        backwards, ahead = network.decoded(latents, training=True)
        terms = {"reconstruction": reconstruction(past.flip(1), backwards)}
        if network.n_future:
            terms["future"] = reconstruction(future, ahead)
        return latents, terms

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:
        """Sharpen the assignments of the whole set."""
        return {"p": target_distribution(assignments)}

    def loss(self, network: RecurrentAutoencoder, batch: Batch) -> dict[str, Tensor]:
        """Return reconstruction, future and γ KL(P‖Q) of a batch."""
        latents, terms = self.rebuilt(network, batch)
        log_q = log_soft_assignments(latents, network.centers)
        return terms | {"clustering": self.gamma * kl_divergence(batch.targets["p"], log_q)}

    def assign(self, network: RecurrentAutoencoder, latents: Tensor) -> Tensor:
        """Return Student-t assignments to the centres."""
        return soft_assignments(latents, network.centers)

    def at_the_edge(self, network: RecurrentAutoencoder, data: Data) -> tuple[str, ...]:
        """Say when most of the code lies at the limits of tanh, where nothing moves any more."""
        rows = torch.linspace(0, data.n_items - 1, min(data.n_items, SAMPLE), device=data.device).long()
        with torch.no_grad():
            share = float((network.encode(data.take(rows)).abs() > EDGE).float().mean())
        if share <= 0.5:
            return ()
        return (
            f"{share:.0%} of the code lies at its limits of ±1, where training hardly moves it: a smaller "
            "learning rate or a smaller gamma keeps it alive.",
        )
