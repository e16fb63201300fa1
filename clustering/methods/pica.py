"""PICA: of all partitions the one whose groups overlap least, also when items are seen differently."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Interval
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.partition_confidence import least_confidence_loss, partition_confidence
from clustering.losses.uneven_sizes import uneven_sizes
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.learning_from_views import ViewClusterer
from clustering.methods.settings import (
    BatchSize,
    Device,
    Epochs,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    Scale,
)
from clustering.methods.viewing import BackboneChoice, Strength, Viewing, Views
from clustering.networks.views import PartitionNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data, batch_shape
from clustering.training.step import Batch

FINE_A_GROUP = 3  # fine groups for every group; 7 as published, where there are ten times as many items


class PICA(ViewClusterer):
    """PartItion Confidence mAximisation (Huang, Gong, Zhu 2020).

    Every group is described by how much of each item of a batch it gets. The network learns to make these
    columns as different from one another as can be, and each of them the same when other views of the items
    are shown.

    Parameters
    ----------
    n_clusters : int, default 10
    views : {"neighbours", "noise", "digits", "artworks", "photographs"}, default "neighbours"
        As in `CC`.
    strength : float, default 1
    outlines : bool, default False
        Whether the network sees Sobel's outlines in place of the picture, as published; colour is then gone.
    size_weight : float, default 2
        λ of the entropy of the sizes.
    n_fine : int, optional
        Groups of a second head that only helps the features; three times ``n_clusters`` by default.
    repeats : int, default 3
        Views of every item in a step.
    backbone : {"small", "resnet18", "resnet34", "resnet50"} or a timm model's name, default "small"
        Of pictures; torchvision's, untrained, with the stem for CIFAR-10 up to 64 pixels.
    hidden_dims : (256,) by default
        Of the network for rows of numbers, each layer with batch normalisation.
    latent_dim : int, default 128
        Width of the features.
    epochs : int, default 100
        Each has a pass for either head, the fine one first.
    batch_size : int, optional
        256 as published.
    learning_rate : float, optional
        1e-3 with Adam, no weight decay.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: the loss, its weight, three views an item, two heads that take turns pass by pass, each
    forward pass with its own statistics of the batch, no label that chooses an epoch; as in the authors' code
    the “history” of the paper is the view of the same step. Ours: small networks at a higher rate (1e-4 for a
    ResNet-34), outlines (Sobel) only where asked for, because colour may matter, the item itself in
    place of its light view, and neighbours as views where there is no picture.

    On scikit-learn's digits (five seeds) ACC .916 ± .054 with views “digits”, .860 ± .007 with neighbours by
    their pixels, k-means .792; on 2,557 artworks style NMI .282 ± .026, k-means .243.

    The loss is told less the value it has for a perfect partition, log(e + K − 1) − 1, so that 0 is the best.
    """

    info = MethodInfo(
        name="pica",
        title="PICA",
        paper="Deep Semantic Clustering by Partition Confidence Maximisation. Jiabo Huang, Shaogang Gong, "
        "Xiatian Zhu",
        year=2020,
        source="CVPR 2020",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Looks for the partition whose groups are least confused with one another.",
        when_to_use=(
            "Some thousand items or more in a known number of groups of about equal size, when you want the "
            "groups themselves to be clear-cut rather than the features to be good. On features of a trained "
            "network near neighbours serve as other looks at an item; train three to five seeds and keep the "
            "one with the lowest loss."
        ),
        how_it_fails=(
            "Clear-cut is not right: the groups may follow brightness or the background and still be sure of "
            "themselves. Seeds differ much. A large group is cut in two where the sizes are not even, unless "
            "“size_weight” is small; too small, and one group takes all. With weak views or noise alone it "
            "stays below k-means."
        ),
        formula=(
            r"\min_\theta\ -\frac1K\sum_j \log\frac{e^{M_{jj}}}{\sum_{l} e^{M_{jl}}} "
            r"+ \lambda\Bigl(\log K + \sum_j s_j \log s_j\Bigr), "
            r"\qquad M_{jl} = \cos(p_{\cdot j}, \tilde p_{\cdot l})"
        ),
        representation="network trained on its own partition",
        clustering="columns of the soft assignments made orthogonal",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 8,
            "epochs": 12,
            "learning_rate": 0.03,
            "repeats": 1,
            "device": "cpu",
        },
        order=202006,
    )

    passes = 2

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        views: Views = "neighbours",
        strength: Strength = 1.0,
        outlines: Annotated[
            bool,
            Meaning(
                "Show the network the outlines of pictures in place of the pictures, as published: then "
                "shape counts, not colour.",
                advanced=True,
            ),
        ] = False,
        size_weight: Annotated[
            float,
            Interval(ge=0, le=100),
            Meaning("How much groups are held to the same size; choose less where some kinds are rare."),
        ] = 2.0,
        n_fine: Annotated[
            int | None,
            Interval(ge=2, le=100_000),
            Meaning(
                "Fine groups that are learned beside the others and only help the features; empty: three "
                "for every group.",
                advanced=True,
            ),
        ] = None,
        repeats: Annotated[
            int,
            Interval(ge=1, le=20),
            Meaning("Views of every item in a step: more teach more, and take longer.", advanced=True),
        ] = 3,
        backbone: BackboneChoice = "small",
        hidden_dims: HiddenDims = (256,),
        latent_dim: LatentDim = 128,
        epochs: Epochs = 100,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.views = views
        self.strength = strength
        self.outlines = outlines
        self.size_weight = size_weight
        self.n_fine = n_fine
        self.repeats = repeats
        self.backbone = backbone
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> PartitionNetwork:
        """Return the untrained network."""
        return PartitionNetwork(
            n_features,
            self.pictured(n_features),
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            self.n_fine or FINE_A_GROUP * self.n_clusters,
            generator,
        )

    def begin(self, network: PartitionNetwork, data: Data) -> None:
        """Note how many steps a pass takes, after which the other head has its turn."""
        network.a_pass.fill_(batch_shape(data.n_items, self.rows_a_batch(data.n_items))[0])

    def agreement(self, network: PartitionNetwork, viewing: Viewing, batch: Batch) -> dict[str, Tensor]:
        """Return what the head whose turn it is loses; the other gets no gradient.

        Twice as much, so that the mean over an epoch is that of either head's own pass; Adam does not ask how
        large a loss is.
        """
        turn = network.turn()
        items = network.learn(batch.features).repeat(self.repeats, 1)
        views = network.learn(viewing.other(batch, network.neighbours, self.repeats))
        terms = {}
        for number, (head, name) in enumerate(zip(network.heads, ("fine ", ""), strict=True)):
            own, seen = (torch.softmax(head(latents).float(), dim=1) for latents in (items, views))
            confusion = partition_confidence(own, seen) - least_confidence_loss(own.shape[1])
            weight = 2 * (turn == number)
            terms[f"{name}confusion"] = weight * confusion
            terms[f"{name}uneven sizes"] = weight * self.size_weight * uneven_sizes(own)
        return terms
