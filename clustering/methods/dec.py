"""Deep Embedded Clustering: an autoencoder's latent space that sharpens its own soft clustering."""

from __future__ import annotations

from torch import Tensor, nn

from clustering.kinds import ANY_FEATURES
from clustering.losses.kl import kl_divergence
from clustering.losses.soft_assignment import log_soft_assignments, soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.autoencoding import AutoencoderClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.settings import (
    Alpha,
    BatchSize,
    ClusterEpochs,
    ClusterLearningRate,
    Device,
    HiddenDims,
    InitialCenters,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    Pretrain,
    PretrainEpochs,
    Profile,
    Scale,
    Tolerance,
    UpdateInterval,
    Views,
)
from clustering.networks.autoencoder import Autoencoder
from clustering.training.data import Data
from clustering.training.inference import encode_all, in_parts
from clustering.training.optimisers import Optimiser, cosine
from clustering.training.phase import Phase
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch, products_in

UPHEAVAL = 0.15  # share of the items whose group one epoch may change; healthy fits were seen to change .03
TARGET_VIEWS = 4  # of each picture, that have a say in its target


class DEC(AutoencoderClusterer):
    """Deep Embedded Clustering (Xie, Girshick, Farhadi 2016).

    An autoencoder d–500–500–2000–10 is trained, k-means with 20 restarts finds the first centres in its
    latent space, then encoder and centres are moved together so that the soft assignment q comes closer to
    its own sharpened target p (DEC, eq. 1–3).

    Parameters
    ----------
    n_clusters : int, default 10
    profile : {"paper", "fast"}, default "paper"
        ``paper``: plain SGD as in DEC-keras, learning rate 1, momentum .9, 300 passes in batches of 256, then
        SGD .01; on MNIST it gave accuracy .95. ``fast``: Adam with a cosine, 100 passes (from 20,000 items
        on batches of 1,024 and a warm-up instead), then the same SGD.
    pretrain : {"end_to_end", "sda"}, default "end_to_end"
        ``sda`` is the original layer-wise denoising pretraining; by default as many passes as the published
        100,000 iterations are on MNIST, half as many for each pair of layers. Give it features of unit size
        (``scale="unit"``), as the authors did: on pixels between 0 and 1 its layers learn next to nothing.
    hidden_dims, latent_dim, pretrain_epochs, epochs, batch_size, learning_rate, cluster_learning_rate
        See `clustering.methods.settings`; None takes the profile's value.
    update_interval : int, optional
        Steps between two looks at the whole set; one pass by default. The paper has 160 on MNIST.
    tolerance : float, default .001
        The fit ends when fewer labels than this share changed, twice in a row.
    alpha : float, default 1
        Degrees of freedom of the kernel.
    initial_centers : {"invariant", "kmeans"}, default "invariant"
        ``kmeans``: the best of 20 runs, as published. ``invariant``: that, then improved until the
        determinant of the pooled within-cluster covariance is lowest (Friedman, Rubin 1967), and the latent
        space stretched so that clusters are round, as the kernel takes them to be. The autoencoder rebuilds
        as before: its latent space is only defined up to such a map. On MNIST it takes the mean accuracy of
        ten seeds from .916 to .957 and the worst from .879 to .943.
    views : {"none", "affine"}, default "none"
        ``affine`` trains both phases on randomly turned, scaled and moved pictures (DEC-DA; Guo, Zhu, Liu,
        Yin 2018). A target is made of the mean assignment of a picture and four views of it, where DEC-DA
        has the picture alone: on MNIST that takes DEC from .980 to .982, and the worst of five seeds from
        .976 to .982. Needs the pixels of square pictures.
        The clustering then takes Adam with a cosine and 40 epochs.
    scale : {"none", "unit", "standardize"}, default "none"
        The kernel has unit scale: features should be of size 1 or so, as every encoder here makes them.
    n_init : int, default 1
        Seeds to train: ``random_state``, ``random_state`` + 1 and so on. The lowest loss is kept.
    device, precision, random_state
        See `clustering.methods.settings`.

    Notes
    -----
    An epoch of clustering that changes the group of more than 15 % of the items is taken back, and the
    learning rate quartered, unless it was asked for: from a latent space without clear groups the published
    rate throws all items over within a pass. Healthy fits were seen to change 3 % (digits, tables, sensors);
    on 3,000 pictures of CIFAR-10 one seed of five ended in a single group before.

    A pass is cut into equal batches of nearly the asked size; the few rows left over sit out that pass, other
    ones each time. Targets are those of the whole set. Momentum is kept when targets change; the authors'
    first code lost it at every update because it restarted its solver.
    """

    info = MethodInfo(
        name="dec",
        title="DEC",
        paper="Unsupervised Deep Embedding for Clustering Analysis. Junyuan Xie, Ross Girshick, Ali Farhadi",
        year=2016,
        source="ICML 2016, arXiv:1511.06335",
        family="deep",
        kinds=ANY_FEATURES,
        first_for=ANY_FEATURES,
        needs_n_clusters=True,
        summary="An autoencoder learns a small latent space, which then sharpens its own soft grouping.",
        when_to_use=(
            "Thousands of items or more, whose groups are of roughly similar size and whose number you can "
            "guess. It is the method the others are measured by; start here, and look at the plain methods "
            "beside it."
        ),
        how_it_fails=(
            "Pretraining decides the outcome: after a poor one all items fall into one group. Centres can "
            "merge, above all when groups differ much in size, which leaves fewer groups than asked for. "
            "On small sets Ward and UMAP + GMM may win. Silhouette in the latent space rises by construction "
            "even on data without any groups: judge it in the features."
        ),
        formula=(
            r"\min_{\theta,\mu} \sum_i \sum_j p_{ij} \log\frac{p_{ij}}{q_{ij}}, \quad "
            r"q_{ij} \propto \left(1 + \lVert z_i - \mu_j \rVert^2\right)^{-1}, \quad "
            r"p_{ij} \propto \frac{q_{ij}^2}{\sum_i q_{ij}}"
        ),
        representation="autoencoder",
        clustering="soft assignment with a self-made target",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 3,
            "device": "cpu",
        },
        order=201600,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        profile: Profile = "paper",
        pretrain: Pretrain = "end_to_end",
        hidden_dims: HiddenDims = (500, 500, 2000),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: ClusterEpochs = None,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        update_interval: UpdateInterval = None,
        tolerance: Tolerance = 0.001,
        alpha: Alpha = 1.0,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        initial_centers: InitialCenters = "invariant",
        views: Views = "none",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.profile = profile
        self.pretrain = pretrain
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.cluster_learning_rate = cluster_learning_rate
        self.update_interval = update_interval
        self.tolerance = tolerance
        self.alpha = alpha
        self.scale = scale
        self.device = device
        self.precision = precision
        self.initial_centers = initial_centers
        self.views = views
        self.n_init = n_init
        self.random_state = random_state

    def cluster_optimiser(self, n_items: int) -> Optimiser:
        """Return how encoder and centres are moved: the paper's SGD, its rate grown with the batch.

        On views Adam, whose rate falls to zero: kept up for 100 epochs, it drifts from the digits on MNIST.
        """
        if self.views != "none":
            return Optimiser("adam", self.cluster_learning_rate or 1e-3, schedule=cosine)
        return Optimiser("sgd", self.cluster_learning_rate or 0.01 * self.rows_a_batch(n_items) / 256)

    def clustering(self, network: Autoencoder, data: Data) -> Phase:
        """Return the phase that moves the encoder and the centres."""
        return Phase(
            "cluster",
            self.epochs or (200 if self.views == "none" else 40),
            lambda batch: self.loss(network, batch),
            self.moved(network),
            self.cluster_optimiser(data.n_items),
            begin=lambda: self.start_centers(network, data),
            refresh=lambda: self.look(network, data),
            steps=self.update_interval,
            tolerance=self.tolerance,
            # what sharpens groups keeps most of them; a rate that was asked for is kept
            upheaval=UPHEAVAL if self.cluster_learning_rate is None else 1.0,
            noisy=self.views != "none",
        )

    def agreed(self, network: Autoencoder, data: Data, assignments: Tensor) -> Tensor:
        """Return what pictures and views of them hold in common: the mean of their soft assignments.

        The views are those of every look, so that targets move with the network alone.
        """
        views = self._chosen_views(data.n_features)
        if views is None:
            return assignments
        generator = torch_generator(self.random_state, "targets", device=data.device)
        total = assignments
        for _ in range(TARGET_VIEWS):
            with products_in(self.precision):
                latents = encode_all(network, data, lambda features: views(features, generator))
            total = total + in_parts(lambda rows: self.assign(network, rows), latents)
        return total / (1 + TARGET_VIEWS)

    def moved(self, network: Autoencoder) -> list[nn.Parameter]:
        """Return what the clustering phase trains: the decoder is dropped."""
        return [*network.encoder.parameters(), network.centers]

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:
        """Sharpen the assignments of the whole set (DEC, eq. 3)."""
        return {"p": target_distribution(assignments)}

    def loss(self, network: Autoencoder, batch: Batch) -> dict[str, Tensor]:
        """Return how far the assignments of a batch are from their targets (DEC, eq. 2)."""
        latents = network.encode(self.viewed(batch)).float()
        return {
            "clustering": kl_divergence(
                batch.targets["p"], log_soft_assignments(latents, network.centers, self.alpha)
            )
        }

    def assign(self, network: Autoencoder, latents: Tensor) -> Tensor:
        """Return Student-t assignments (DEC, eq. 1)."""
        return soft_assignments(latents, network.centers, self.alpha)
