"""Autoencoder + k-means: DEC's starting point, and the measure of what its clustering phase adds."""

from __future__ import annotations

from clustering.kinds import ANY_FEATURES
from clustering.methods.autoencoding import AutoencoderClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.settings import (
    BatchSize,
    Device,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    Pretrain,
    PretrainEpochs,
    Profile,
    Scale,
)


class AutoencoderKMeans(AutoencoderClusterer):
    """Train an autoencoder, then run k-means with 20 restarts on its latents.

    With the same seed and settings this is where `DEC` finds its first centres. Soft assignments are
    Student-t similarities to the centres; the largest is that of the nearest centre.

    Parameters
    ----------
    n_clusters, profile, pretrain, hidden_dims, latent_dim, pretrain_epochs, batch_size, learning_rate
        As in `DEC`.
    scale, device, precision, n_init, random_state
        As in `DEC`.
    """

    info = MethodInfo(
        name="ae_kmeans",
        title="Autoencoder + k-means",
        paper="The baseline of Unsupervised Deep Embedding for Clustering Analysis (Xie, Girshick, Farhadi)",
        year=2016,
        source="ICML 2016, arXiv:1511.06335, section 4",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Compresses the features with an autoencoder, then runs k-means on what is left.",
        when_to_use=(
            "Beside every deep run: the difference to it is what the clustering phase has added. On its own "
            "where k-means on the features suffers from many noisy columns."
        ),
        how_it_fails=(
            "An autoencoder keeps what it needs to rebuild the data, not what tells groups apart; trained "
            "too briefly it loses to k-means on the features. On small sets Ward and UMAP + GMM may win."
        ),
        formula=(
            r"\min_\theta \sum_i \lVert x_i - g(f_\theta(x_i)) \rVert^2, \quad \text{then} \quad "
            r"\min_\mu \sum_i \min_j \lVert f_\theta(x_i) - \mu_j \rVert^2"
        ),
        representation="autoencoder",
        clustering="k-means",
        interaction="multistage",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "device": "cpu",
        },
        order=70,
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
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.profile = profile
        self.pretrain = pretrain
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state
