"""DELIUS: DEC on the features of a pretrained image network, made for collections of paintings."""

from __future__ import annotations

from clustering.methods.dec import DEC
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.settings import (
    BatchSize,
    ClusterLearningRate,
    Device,
    Epochs,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    PretrainEpochs,
    Scale,
    Tolerance,
    UpdateInterval,
)
from clustering.training.optimisers import Optimiser


class DELIUS(DEC):
    """DELIUS (Castellano, Vessio 2022): an autoencoder on network features, then DEC, all with Adam 1e-3.

    Parameters
    ----------
    n_clusters : int, default 10
        As in the authors' notebook.
    hidden_dims, latent_dim
        1024–500–500–2000–10 in the paper; the first width follows from the features.
    pretrain_epochs : int, optional
        200 by default, in batches of 256.
    epochs : int, default 57
        Rounds of ``update_interval`` steps: 57 × 140 are the notebook's 8,000 iterations.
    update_interval : int, optional, default 140
        Steps between two looks at the whole set; None for one pass.
    batch_size : int, optional
        256 by default in both phases, as in the PyTorch port; the notebook has 128 while clustering.
    learning_rate, cluster_learning_rate : float, optional
        1e-3 by default.
    tolerance, scale, device, precision, n_init, random_state
        As in `DEC`. The notebook does not scale the features.

    Notes
    -----
    The notebook's batches are sequential; here they are shuffled, since items sorted by name are sorted by
    artist.
    """

    info = MethodInfo(
        name="delius",
        title="DELIUS",
        paper="A Deep Learning Approach to Clustering Visual Arts. Giovanna Castellano, Gennaro Vessio",
        year=2022,
        source="International Journal of Computer Vision 130, 2590–2605, arXiv:2106.06234",
        family="deep",
        kinds=("images", "vectors"),
        first_for=("images",),
        needs_n_clusters=True,
        summary="Clusters pictures by what a pretrained network sees in them: DEC on its features.",
        when_to_use=(
            "Collections of paintings, prints or photographs without labels: to find visually related works "
            "and to read what a group shares (subject, period, school)."
        ),
        how_it_fails=(
            "Features of a network trained on photographs group by what is depicted (portrait, landscape, "
            "interior) more than by school or hand. Frames, watermarks and monochrome scans form groups of "
            "their own. The steps of Adam tighten groups to points within a few hundred steps: silhouette in "
            "the latent space rises by construction, even where there are no groups: judge it in the "
            "features. On small sets Ward and UMAP + GMM may win."
        ),
        formula=(
            r"x = \mathrm{CNN}(\text{picture}), \quad z = f_\theta(x), \quad "
            r"\min_{\theta,\mu} \sum_i \sum_j p_{ij} \log\frac{p_{ij}}{q_{ij}}, \quad "
            r"q_{ij} \propto \left(1 + \lVert z_i - \mu_j \rVert^2\right)^{-1}"
        ),
        representation="pretrained network and autoencoder",
        clustering="soft assignment with a self-made target",
        interaction="simultaneous",
        test_settings=DEC.info.test_settings | {"update_interval": 2},
        order=202200,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        hidden_dims: HiddenDims = (500, 500, 2000),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 57,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        update_interval: UpdateInterval = 140,
        tolerance: Tolerance = 0.001,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
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
        self.n_init = n_init
        self.random_state = random_state

    # Fixed by the paper, parameters in DEC.
    profile = "paper"
    pretrain = "end_to_end"
    alpha = 1.0
    initial_centers = "kmeans"
    views = "none"

    def pretraining(self, n_items: int) -> tuple[Optimiser, int]:  # noqa: ARG002
        """Return Adam and 200 epochs."""
        return Optimiser("adam", self.learning_rate or 1e-3), 200

    def cluster_optimiser(self, n_items: int) -> Optimiser:  # noqa: ARG002
        """Return Adam."""
        return Optimiser("adam", self.cluster_learning_rate or 1e-3)
