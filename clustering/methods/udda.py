"""UDDA: Fisher's discriminant analysis with a deep network, and groups in place of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from clustering.kinds import ANY_FEATURES
from clustering.losses.soft_assignment import squared_distances
from clustering.losses.spread_assignment import spread_assignments
from clustering.methods.beside import Beside
from clustering.methods.discriminating import Discriminating, Form, Weights
from clustering.methods.edges import nearest_edges
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.linked import LinkedClusterer
from clustering.methods.settings import (
    BatchSize,
    ClusterLearningRate,
    Device,
    Epochs,
    HiddenDims,
    InitialCenters,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    PretrainEpochs,
    Scale,
    Tolerance,
)
from clustering.networks.discriminant_autoencoder import DiscriminantAutoencoder
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.events import Emit
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed
from clustering.training.step import products_in

LARGE_BATCH = 4096  # items of a clustering step on a large collection

Graph = Annotated[
    Literal["own", "knn", "none"],
    Meaning(
        "Links between items that should end in one group: those the collection brings, if it has any "
        "(“own”), those of each item to its nearest neighbours (“knn”), or none."
    ),
]
Neighbours = Annotated[
    int, Interval(ge=1, le=200), Meaning("Nearest neighbours every item is linked to, with “knn”.")
]
GraphWeight = Annotated[
    float,
    Interval(ge=0, le=100),
    Meaning(
        "How strongly linked items are drawn to the same group; above 1 the links may draw all groups into "
        "one."
    ),
]
Discrepancy = Annotated[
    Form,
    Meaning(
        "How groups are told apart: pair by pair, or, as in the classical analysis, by the ratio of the "
        "scatter within to that between all groups (“trace”), or of the two matrices (“matrix”).",
        advanced=True,
    ),
]
DiscrepancyWeight = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("Weight of telling groups apart beside the reconstruction."),
]
Steps = Annotated[
    int,
    Interval(ge=1, le=1_000_000),
    Meaning("Steps between two looks at the whole collection.", advanced=True),
]


class UDDA(LinkedClusterer):
    """Unsupervised Deep Discriminant Analysis based clustering (Cai, Guo, Fan 2022), a reconstruction.

    An autoencoder is trained, k-means gives first groups, and then the network makes the groups narrow and
    their means far apart while it still rebuilds the data; between its steps Lloyd's algorithm lets the
    groups follow, from where they were. With links between the items, linked ones are assigned alike.

    Parameters
    ----------
    n_clusters : int, default 10
    graph : {"own", "knn", "none"}, default "own"
        ``own`` uses the ``edges`` given to `fit`, and none where there are none.
    n_neighbors : int, default 5
        For ``knn``; among the features as the network sees them.
    graph_weight : float, default .1
        η.
    discrepancy : {"pairwise", "trace", "matrix"}, default "pairwise"
    discrepancy_weight : float, default .05
        λ.
    hidden_dims, latent_dim : 500–500–1000–10 by default
        The discriminant needs no more than K − 1 latent dimensions; in what lies beyond, only the
        reconstruction has a say.
    pretrain_epochs : int, optional
        100 by default.
    epochs : int, default 20
        Rounds of Lloyd's steps and training.
    update_interval : int, default 10
        Steps a round.
    batch_size : int, optional
        Of the pretraining, 256 by default. While clustering a step sees all items up to 20,000; of more,
        4,096 or what is asked, and at least 50 for every cluster, and the means follow with the factor .9.
    learning_rate, cluster_learning_rate : float, optional
        1e-3 and 3e-4 by default, with Adam.
    initial_centers : {"kmeans", "invariant"}, default "kmeans"
    tolerance, scale, device, precision, n_init, random_state
        As in `DEC`.

    Attributes
    ----------
    kmeans_labels_ : int64 array (n,)
        What k-means, begun afresh, finds in the same latents: where it disagrees with ``labels_``, the groups
        are owed to where they began.

    Notes
    -----
    A reconstruction, see ``info.reconstructed``. Soft assignments are exp(−‖z − m_j‖² / t), t the mean spread
    of the clusters; a new item needs no links. ε of the matrix form is a tenth of the mean eigenvalue of S_b.
    """

    info = MethodInfo(
        name="udda",
        title="UDDA (reconstruction)",
        paper="Unsupervised Deep Discriminant Analysis Based Clustering. Jinyu Cai, Wenzhong Guo, Jicong Fan",
        year=2022,
        source="arXiv:2206.04686",
        family="deep",
        kinds=ANY_FEATURES,
        first_for=("graph",),
        inputs=("links",),
        needs_n_clusters=True,
        summary="Learns a space in which groups are narrow and lie far apart, with the help of links if any.",
        when_to_use=(
            "Where it is known which items belong together (“own”), or where near neighbours usually do "
            "(“knn”): good links help more than all the rest. On scikit-learn's digits its NMI rises from "
            ".72 to .83 with links to 5 neighbours, to .75 without (five seeds); on 3,025 papers it is .68 "
            "with links between those that share an author, .57 without (three seeds)."
        ),
        how_it_fails=(
            "Links that mislead ruin it: nearest neighbours among the counted words of those papers take the "
            "NMI to .23. Without links it gains little: on digits it ends no better than k-means on the "
            "pixels. It believes its first groups: what they cut in two it drives apart. The measure it "
            "minimises can look perfect while groups are wrong: with “trace” and “matrix” it falls as it "
            "should, and the NMI on digits falls with it, to .55 and .67 (three seeds). Links of too large a "
            "weight draw everything into one group, which is then cut anywhere, and items flicker from round "
            "to round. On small sets Ward and UMAP + GMM may win."
        ),
        formula=(
            r"\min_\theta\ \tfrac{1}{nd} \sum_i \lVert x_i - \hat{x}_i \rVert^2 + \tfrac{2\lambda}{K(K-1)} "
            r"\sum_{j<k} \frac{s_j + s_k}{\lVert m_j - m_k \rVert^2 + \delta} "
            r"+ \tfrac{\eta}{|E|} \sum_{(i,l) \in E} \lVert q_i - q_l \rVert^2"
        ),
        representation="autoencoder",
        clustering="k-means with a discriminant criterion",
        interaction="iterative",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 3,
            "device": "cpu",
        },
        reconstructed=(
            "Only the paper's abstract could be read and there is no code. From it: groups narrow within and "
            "far apart in a learned space, and the use of a graph. From the first author's other code: the "
            "widths of the network and the style of training. Ours: the measure over pairs of groups, the "
            "reconstruction beside it, the links as a demand on the assignments instead of a network on the "
            "graph, hard groups that follow by Lloyd's steps, and every weight. Published figures could not "
            "be read."
        ),
        order=202206,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        graph: Graph = "own",
        n_neighbors: Neighbours = 5,
        graph_weight: GraphWeight = 0.1,
        discrepancy: Discrepancy = "pairwise",
        discrepancy_weight: DiscrepancyWeight = 0.05,
        hidden_dims: HiddenDims = (500, 500, 1000),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 20,
        update_interval: Steps = 10,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        tolerance: Tolerance = 0.001,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        initial_centers: InitialCenters = "kmeans",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.graph = graph
        self.n_neighbors = n_neighbors
        self.graph_weight = graph_weight
        self.discrepancy = discrepancy
        self.discrepancy_weight = discrepancy_weight
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.epochs = epochs
        self.update_interval = update_interval
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.cluster_learning_rate = cluster_learning_rate
        self.tolerance = tolerance
        self.scale = scale
        self.device = device
        self.precision = precision
        self.initial_centers = initial_centers
        self.n_init = n_init
        self.random_state = random_state

    def links(self, data: Data, given: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
        """Return the links given, those to the nearest neighbours, or none."""
        if self.graph == "knn":
            return nearest_edges(data, self.n_neighbors)
        return given if self.graph == "own" else None

    def setup(self, n_features: int, generator: Generator) -> DiscriminantAutoencoder:
        """Return the untrained network."""
        return DiscriminantAutoencoder(
            n_features, self.hidden_dims, self.latent_dim, self.n_clusters, generator
        )

    def pretraining(self, n_items: int) -> tuple[Optimiser, int]:  # noqa: ARG002
        """Return Adam, for 100 epochs."""
        return Optimiser("adam", self.learning_rate or 1e-3), 100

    def clustering(self, network: DiscriminantAutoencoder, data: Data) -> Phase:  # type: ignore[override]
        """Return the phase of Lloyd's steps and training."""
        weights = Weights(self.discrepancy, self.discrepancy_weight, self.graph_weight)
        rounds = Discriminating(network, data, weights, self.batch_size or LARGE_BATCH, self.random_state)

        def look() -> Refreshed:
            with products_in(self.precision):
                latents = encode_all(network, data)
            return rounds.look(latents)

        return Phase(
            "cluster",
            self.epochs,
            rounds.loss,
            [*network.encoder.parameters(), *network.decoder.parameters()],
            Optimiser("adam", self.cluster_learning_rate or 3e-4),
            begin=lambda: self.start_centers(network, data),
            refresh=look,
            steps=self.update_interval,
            tolerance=self.tolerance,
            draw=rounds.draw,
            watch=rounds.warnings,
        )

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the assignments in units of the mean spread; the largest is the nearest centre's."""
        return spread_assignments(latents, network.centers, network.spreads.mean())

    def _train(
        self,
        items: NDArray[np.float32],
        emit: Emit | None,
        folder: Path | None,
        beside: Beside,
    ) -> None:
        super()._train(items, emit, folder, beside)
        latents = torch.from_numpy(self.embedding_)
        centers, _ = kmeans(latents, self.n_clusters, derived_seed(self.random_state, "afresh"))
        self.kmeans_labels_ = squared_distances(latents, centers).argmin(dim=1).numpy()

    def _found(
        self, network: nn.Module, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        network.forget()  # type: ignore[operator]  # a fitted model keeps nothing of every item
        return super()._found(network, items, data)
