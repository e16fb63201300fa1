"""FAE (DCFAE): a variational autoencoder fused with a GAN, whose codes a second network gathers in groups."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from annotated_types import Interval
from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.losses.kl import kl_divergence
from clustering.losses.pull_push import pull, push
from clustering.losses.reconstruction import reconstruction
from clustering.losses.soft_assignment import log_soft_assignments, soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.deep import DeepClusterer
from clustering.methods.fusing import Fusing
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
from clustering.networks.convolutions import Picture
from clustering.networks.fusion_autoencoder import FusionAutoencoder, Trunk
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch
from clustering.views.pixels import picture_shape

CLUSTERING = 0.1  # weight beside the guard that keeps codes rebuildable
CRITIC_PACE = 0.2  # times the learning rate
MARGIN = 2.0  # times the mean distance of the first centres, how far they are pushed apart

TrunkChoice = Annotated[
    Trunk,
    Meaning(
        "Residual blocks of convolutions, for the pixels of square pictures, or dense ones, for everything "
        "else."
    ),
]
Form = Annotated[
    Literal["dec", "centers"],
    Meaning(
        "How groups are drawn together: by DEC's sharpened target, or by pulling items to their centre and "
        "pushing the centres apart.",
        advanced=True,
    ),
]
CodeDim = Annotated[
    int,
    Interval(ge=1, le=10_000),
    Meaning("Dimensions of the autoencoder's code, which is then embedded once more.", advanced=True),
]
PriorWeight = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("How strongly codes are pulled to one round cloud; too strongly, and they all lie in its middle.",
            advanced=True),
]  # fmt: skip
AdversarialWeight = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning(
        "How much the critic counts, which tells rebuilt items from real ones; 0 leaves a plain variational "
        "autoencoder."
    ),
]


class FAE(DeepClusterer):
    """Fusion AutoEncoder and its deep clustering, DCFAE (Chang 2022).

    A variational autoencoder of residual blocks rebuilds the items; a critic learns to tell them from real
    ones and so teaches it detail. Then it is frozen, and a second, small network maps its codes into a space
    in which groups are drawn together and apart; k-means in that space gives the clusters.

    Parameters
    ----------
    n_clusters : int, default 10
    trunk : {"dense", "convolution"}, default "dense"
        ``convolution`` needs the pixels of square pictures.
    adversarial_weight : float, default .1
        Of the critic for the generator; with 0 there is no critic at all.
    prior_weight : float, default .05
        β of the divergence from the standard normal, beside squared errors summed over an item's features.
    embedding : {"dec", "centers"}, default "dec"
    code_dim : int, default 10
        Width of the code; 32 for coloured pictures.
    hidden_dims : 500–500 by default
        Widths of the dense blocks.
    latent_dim : int, default 10
        Width of the space the clusters are found in.
    pretrain_epochs : int, optional
        Passes with the critic, 100 by default, after 10 without and 1 of the critic alone; as many again
        teach the second network to rebuild the codes.
    epochs, update_interval, tolerance
        As in `DEC`, for the second network.
    batch_size : int, optional
        128 by default.
    learning_rate : float, optional
        3e-4 by default, with Adam, β₁ = .5; the critic learns a fifth as fast. With 1e-3 the code of two
        seeds in five fell silent on features of paintings, half way through.
    cluster_learning_rate : float, optional
        1e-3 by default, with Adam.
    scale : {"none", "unit", "standardize"}, default "unit"
        The errors must be of a known size beside the prior.
    device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    A reconstruction, see ``info.reconstructed``. The encoder gets no gradient from the critic, as in VAE-GAN
    (Larsen et al. 2016); all sides take their step at once, each from its own terms.
    """

    info = MethodInfo(
        name="fae",
        title="FAE",
        paper="Deep clustering with fusion autoencoder. Shuai Chang",
        year=2022,
        source="arXiv:2201.04727",
        family="deep",
        kinds=("images", "vectors", "table", "text", "tokens", "series", "graph"),
        needs_n_clusters=True,
        summary="A generative autoencoder learns what items look like; a second network gathers its codes.",
        when_to_use=(
            "Some thousand small pictures of one kind (digits, signs, stamps) as pixels, when you want a "
            "network that can also generate. For works of art give it the features of a trained network and "
            "keep the dense blocks."
        ),
        how_it_fails=(
            "A GAN may collapse: the critic wins, or every generated item looks the same. Pulled too hard to "
            "one round cloud, codes carry nothing and the groups are chance. The second network sharpens "
            "whatever k-means has found in the codes, right or wrong, so tidy groups prove nothing. A fine "
            "reconstruction is no fine grouping: on scikit-learn's digits the critic made no difference that "
            "three seeds could show (NMI .789 with it, .781 without), Ward and UMAP + GMM did better. "
            "With the default settings it is a little better than k-means on the pixels (.768 and .743), far "
            "better on all 70,000 of MNIST (.853 and .497), on image segments worse."
        ),
        formula=(
            r"\min_{E,G} \lVert x - \hat{x} \rVert^2 + \tfrac{1}{2} \lVert D_l(x) - D_l(\hat{x}) \rVert^2 "
            r"+ \beta\, \mathrm{KL}\bigl(E(x) \,\Vert\, \mathcal{N}(0, I)\bigr) + \lambda L_{\mathrm{GAN}}, "
            r"\quad \text{then} \quad \min_T \gamma\, \mathrm{KL}(P \Vert Q) "
            r"+ \lVert T'(T(\mu)) - \mu \rVert^2"
        ),
        representation="variational autoencoder with a GAN's critic",
        clustering="second network with a self-made target, then k-means",
        interaction="multistage",
        reconstructed=(
            "Only the paper's abstract could be read, and there is no code. From it: a variational "
            "autoencoder fused with a GAN, residual networks, and a second network that draws clusters "
            "together and apart. Ours, after VAE-GAN: all sizes and weights, the schedule, spectral "
            "normalisation of the critic, and DEC's target for the second network."
        ),
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "code_dim": 4,
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 3,
            "device": "cpu",
        },
        order=202205,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        trunk: TrunkChoice = "dense",
        adversarial_weight: AdversarialWeight = 0.1,
        prior_weight: PriorWeight = 0.05,
        embedding: Form = "dec",
        code_dim: CodeDim = 10,
        hidden_dims: HiddenDims = (500, 500),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 200,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        update_interval: UpdateInterval = None,
        tolerance: Tolerance = 0.001,
        scale: Scale = "unit",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.trunk = trunk
        self.adversarial_weight = adversarial_weight
        self.prior_weight = prior_weight
        self.embedding = embedding
        self.code_dim = code_dim
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

    def setup(self, n_features: int, generator: Generator) -> FusionAutoencoder:
        """Return the untrained networks."""
        return FusionAutoencoder(
            n_features,
            self._picture(n_features),
            self.hidden_dims,
            self.code_dim,
            self.latent_dim,
            self.n_clusters,
            generator,
        )

    def _picture(self, n_features: int) -> Picture | None:
        if self.trunk == "dense":
            return None
        shape = picture_shape(n_features)
        if shape is None:
            raise StudioError(
                f"Convolutions need square pictures; {n_features} features are no pixels of one.",
                "Choose the encoder “pixels”, or the trunk “dense”.",
            )
        return shape.height, shape.width, shape.channels

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return 128."""
        return self.batch_size or 128

    def phases(self, network: FusionAutoencoder, data: Data) -> tuple[Phase, ...]:
        """Train the autoencoder, with its critic, and then the second network on its codes."""
        passes = self.pretrain_epochs or 100
        optimiser = Optimiser(
            "adam",
            self.learning_rate or 3e-4,
            first_beta=0.5,
            paces=((CRITIC_PACE, list(network.critic.parameters())),),
        )
        fusing = Fusing(network, data, self.prior_weight, self.adversarial_weight, optimiser, passes)
        second = [*network.embedding.parameters(), *network.back.parameters()]
        optimiser = Optimiser("adam", self.cluster_learning_rate or 1e-3)
        return (
            *fusing.phases(restart=self.learning_rate is None),
            Phase(
                "embedding",
                passes,
                lambda batch: {"codes": _rebuilt(network, batch)[1]},
                second,
                optimiser,
                begin=lambda: freeze(network, data),
            ),
            Phase(
                "cluster",
                self.epochs,
                lambda batch: self.loss(network, batch),
                [*second, network.centers],
                optimiser,
                begin=lambda: self.start_centers(network),
                refresh=lambda: self.look(network, data),
                steps=self.update_interval,
                tolerance=self.tolerance,
            ),
            Phase(
                "last centres",
                1,
                begin=lambda: self.end_centers(network),
                refresh=lambda: self.look(network, data),
            ),
        )

    def start_centers(self, network: FusionAutoencoder) -> None:
        """Put the centres of k-means into the embedded codes."""
        with torch.no_grad():
            latents = network.embedding(network.codes)
        centers, _ = kmeans(latents, self.n_clusters, derived_seed(self.random_state, "kmeans"))
        network.centers.data.copy_(centers)
        if self.n_clusters > 1:
            network.margin.copy_(MARGIN * torch.pdist(centers).mean())

    def end_centers(self, network: FusionAutoencoder) -> None:
        """Let k-means have the last word; the codes of the items are no longer needed."""
        self.start_centers(network)
        network.codes = network.codes[:0].clone()

    def look(self, network: FusionAutoencoder, data: Data) -> Refreshed:
        """Look at the whole set, through the codes while they are kept."""
        if not len(network.codes):
            return super().look(network, data)
        with torch.no_grad():
            latents = network.embedding(network.codes)
            assignments = self.assign(network, latents)
            confidences, labels = assignments.max(dim=1)
        targets = {"p": target_distribution(assignments), "labels": labels}
        return Refreshed(latents, network.centers.detach(), labels, confidences, targets)

    def loss(self, network: FusionAutoencoder, batch: Batch) -> dict[str, Tensor]:
        """Return what draws groups together and apart, and the guard that codes can still be rebuilt."""
        latents, guard = _rebuilt(network, batch)
        if self.embedding == "dec":
            log_q = log_soft_assignments(latents, network.centers)
            return {"clustering": CLUSTERING * kl_divergence(batch.targets["p"], log_q), "codes": guard}
        return {
            "pull": CLUSTERING * pull(latents, network.centers, batch.targets["labels"]),
            "push": CLUSTERING * push(network.centers, network.margin),
            "codes": guard,
        }

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return Student-t assignments to the centres; the largest is the nearest centre's."""
        return soft_assignments(latents, network.centers)


def freeze(network: FusionAutoencoder, data: Data) -> None:
    """Keep the codes of all items, each dimension standardised, and let `encode` lead on from them."""
    network.freeze(encode_all(network, data))
    network.embedded.fill_(True)


def _rebuilt(network: FusionAutoencoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the embedded codes (b, m) of a batch, and how well the codes are rebuilt from them."""
    codes = network.codes.index_select(0, batch.rows)
    latents = network.embedding(codes).float()
    return latents, reconstruction(codes, network.back(latents).float())
