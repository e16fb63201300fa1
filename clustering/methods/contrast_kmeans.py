"""Contrast + k-means: where SCAN and its relatives start, and the measure of what their later stages add."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.soft_assignment import soft_assignments
from clustering.methods.deep import DeepClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.learning_from_views import Watch
from clustering.methods.pretext import PretextClusterer
from clustering.methods.settings import (
    BatchSize,
    Device,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    PretrainEpochs,
    Scale,
)
from clustering.methods.viewing import BackboneChoice, Strength, Viewing, Views
from clustering.networks.views import PretextNetwork, ViewNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.kmeans import kmeans
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed

LearnedPretext = Annotated[
    Literal["contrast", "momentum"],
    Meaning(
        "What a look at an item is told apart from: the other items of a batch (“contrast”), or many earlier "
        "ones (“momentum”), which suits small batches."
    ),
]


class ContrastKMeans(PretextClusterer):
    """Learn features from views by contrast, then run k-means with 20 restarts on them.

    With the same seed and settings these are the features in which `SCAN`, `SPICESelf`, `SPICE` and `USLT`
    look for groups. Soft assignments are Student-t similarities to the centres; the largest is that of the
    nearest centre.

    Parameters
    ----------
    n_clusters : int, default 10
    pretext : {"contrast", "momentum"}, default "contrast"
        As in `SCAN`.
    views, strength, backbone, hidden_dims, latent_dim, pretrain_epochs, batch_size, learning_rate
        As in `SCAN`.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    Every feature is brought to mean 0 and spread 1 first, as for the methods this is a measure of.
    """

    info = MethodInfo(
        name="contrast_kmeans",
        title="Contrast + k-means",
        paper="A Simple Framework for Contrastive Learning of Visual Representations. Ting Chen, Simon "
        "Kornblith, Mohammad Norouzi, Geoffrey Hinton",
        year=2020,
        source="ICML 2020, arXiv:2002.05709; k-means on its features is the start of SCAN's relatives",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Learns features that tell an item's views from other items, then runs k-means on them.",
        when_to_use=(
            "Beside SCAN, SPICE, USL-T and their like with the same views: the difference to it is what "
            "their later stages have added. On its own where views say well what does not matter, such as "
            "where a digit stands."
        ),
        how_it_fails=(
            "It keeps whatever the views leave alone and drops what they change: with views of photographs "
            "the palette of a painting goes. Neighbours as views can only sharpen what the features say "
            "already."
        ),
        formula=(
            r"\min_\theta -\frac1n\sum_i \log\frac{e^{\cos(z_i, z_i')/\tau}}"
            r"{\sum_{j\neq i} e^{\cos(z_i, z_j)/\tau}}, \quad \text{then} \quad "
            r"\min_\mu \sum_i \min_j \lVert f_\theta(x_i) - \mu_j \rVert^2"
        ),
        representation="contrast of views",
        clustering="k-means",
        interaction="multistage",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 8,
            "pretrain_epochs": 3,
            "device": "cpu",
        },
        order=85,
    )
    n_neighbours = 20  # by which the features are judged

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        pretext: LearnedPretext = "contrast",
        views: Views = "neighbours",
        strength: Strength = 1.0,
        backbone: BackboneChoice = "small",
        hidden_dims: HiddenDims = (256,),
        latent_dim: LatentDim = 128,
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
        self.pretext = pretext
        self.views = views
        self.strength = strength
        self.backbone = backbone
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

    def setup(self, n_features: int, generator: Generator) -> PretextNetwork:
        """Return the untrained network with room for K centres."""
        return self.built(PretextNetwork, n_features, generator)

    def grouping(
        self,
        network: PretextNetwork,
        data: Data,
        viewing: Viewing,  # noqa: ARG002
        watch: Watch,  # noqa: ARG002
    ) -> tuple[Phase, ...]:
        """Run k-means on the features that were learned."""

        def begin() -> None:
            self.start(network, data)
            seed = derived_seed(self.random_state, "kmeans")
            centers, _ = kmeans(network.codes, self.n_clusters, seed)
            network.centers.copy_(centers)

        return (
            Phase(
                "cluster",
                1,
                begin=begin,
                refresh=lambda: self.judged(network, self.look(network, data)),
                watch=lambda: self.doubts(network),
            ),
        )

    def look(self, network: ViewNetwork, data: Data) -> Refreshed:
        """Look at the whole set, by the centres of k-means and not by the mean features of what is sure."""
        return DeepClusterer.look(self, network, data)

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return Student-t assignments to the centres (DEC, eq. 1); the largest is the nearest centre's."""
        return soft_assignments(latents, network.centers)
