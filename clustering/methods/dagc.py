"""DAGC: SDCN whose mixing is learned for every node, and whose assignments teach one another."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.confident_cross_entropy import confident, confident_cross_entropy, largest_reachable
from clustering.losses.kl import kl_divergence
from clustering.losses.log_divergence import log_divergence
from clustering.losses.target_distribution import target_distribution
from clustering.methods.graph_clusterer import (
    Graph,
    GraphClusterer,
    Neighbours,
    Rounds,
    Steps,
    StepSize,
)
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
    PretrainEpochs,
    Scale,
    Tolerance,
)
from clustering.networks.graph_autoencoder import DAGCNetwork, Seen
from clustering.parameters import Meaning

SoftWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How strongly both assignments are drawn to the sharpened ones (λ₁)."),
]
AgreementWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How strongly the graph's assignments and the autoencoder's are drawn to agree (λ₂)."),
]
HardWeight = Annotated[
    float, Interval(ge=0, le=1e6), Meaning("How much the assignments it is sure of count as labels (λ₃).")
]
Threshold = Annotated[
    float,
    Interval(ge=0, le=1),
    Meaning("From which share of an assignment's length on it counts as sure.", advanced=True),
]


class DAGC(GraphClusterer):
    """Deep Attention-guided Graph Clustering with dual self-supervision (Peng, Liu, Jia, Hou 2021).

    Parameters
    ----------
    n_clusters : int, default 10
    graph : {"own", "knn"}, default "own"
        ``own`` uses the ``edges`` given to `fit`, and where there are none the nearest neighbours.
    n_neighbors : int, default 5
        Nearest by Euclidean distance; the authors take cosine, 3 or 5.
    soft_weight, agreement_weight, hard_weight : float, default .1, .1 and .001
        λ₁ of KL(P‖Q) + KL(P‖Z), λ₂ of KL(Z‖Q), λ₃ of the hard supervision. The authors search them from .001
        to 1,000 for every data set with its labels; these are their choice for ACM.
    threshold : float, default .8
        Of F_ij / ‖F_i‖; never reached from K = 11 on, which is told.
    hidden_dims, latent_dim : 500–500–2000–10 by default
        Of the autoencoder and of the graph network alike.
    pretrain_epochs : int, optional
        30 by default, of batches of 256 with Adam.
    epochs, update_interval : int, default 20 and 10
        Rounds, and steps a round: together the 200 published steps, each on the whole graph.
    batch_size, learning_rate : optional
        Of the pretraining; 256 and 1e-3.
    cluster_learning_rate : float, default 1e-3
        On Reuters and Citeseer the authors take 1e-4.
    tolerance : float, default 0
        0 runs all steps, as published.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    Labels are those of F after the last step, soft assignments its argument a₀ Z + a₁ Q with rows that sum to
    1: F itself, a softmax of shares, is flat by construction. Published scores are the largest of 200 steps,
    chosen with the labels; here no label chooses anything.
    """

    info = MethodInfo(
        name="dagc",
        title="DAGC",
        paper=(
            "Deep Attention-guided Graph Clustering with Dual Self-supervision. "
            "Zhihao Peng, Hui Liu, Yuheng Jia, Junhui Hou"
        ),
        year=2021,
        source="IEEE TCSVT 33(7), 2023; arXiv:2111.05548",
        family="deep",
        kinds=ANY_FEATURES,
        first_for=("graph",),
        inputs=("links",),
        needs_n_clusters=True,
        summary="Groups items by what they are and by their links; for each it learns what to heed.",
        when_to_use=(
            "Items with links where some links can be trusted more than others, or some items have none: in "
            "every layer it weighs each node's features against its neighbours. Without links it takes those "
            "to the nearest neighbours."
        ),
        how_it_fails=(
            "Its three weights were published for each data set apart, chosen with the labels: what they are "
            "for yours nobody knows. Links between groups mislead it; many layers make all items alike "
            "(oversmoothing). With more than 10 groups its hard supervision is silent. All items must fit "
            "into memory at once. A new item comes without links and gets the group of the node it resembles "
            "most."
        ),
        formula=(
            r"\mathcal{L} = \mathcal{L}_r + \lambda_1 (\mathrm{KL}(P \Vert Q) + \mathrm{KL}(P \Vert Z)) "
            r"+ \lambda_2\, \mathrm{KL}(Z \Vert Q) + \lambda_3 \mathcal{L}_{hard}, \quad "
            r"F = \mathrm{softmax}(a_0 Z + a_1 Q)"
        ),
        representation="autoencoder and graph network",
        clustering="soft and hard assignments as targets",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 3,
            "cluster_learning_rate": 0.01,
            "device": "cpu",
        },
        order=202111,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        graph: Graph = "own",
        n_neighbors: Neighbours = 5,
        soft_weight: SoftWeight = 0.1,
        agreement_weight: AgreementWeight = 0.1,
        hard_weight: HardWeight = 0.001,
        threshold: Threshold = 0.8,
        hidden_dims: HiddenDims = (500, 500, 2000),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Rounds = 20,
        update_interval: Steps = 10,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: StepSize = 1e-3,
        tolerance: Tolerance = 0.0,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.graph = graph
        self.n_neighbors = n_neighbors
        self.soft_weight = soft_weight
        self.agreement_weight = agreement_weight
        self.hard_weight = hard_weight
        self.threshold = threshold
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
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> DAGCNetwork:
        """Return the untrained network."""
        return DAGCNetwork(n_features, self.hidden_dims, self.latent_dim, self.n_clusters, generator)

    def terms(self, seen: Seen) -> dict[str, Tensor]:
        """Return the soft supervision by P (made of Z), the agreement of Z and Q, the hard supervision."""
        target = target_distribution(seen.log_graph.exp().detach())
        soft = kl_divergence(target, seen.log_kernel) + kl_divergence(target, seen.log_graph)
        hard = confident_cross_entropy(seen.mixture.softmax(dim=1), self.threshold)
        return {
            "soft": self.soft_weight * soft,
            "agreement": self.agreement_weight * log_divergence(seen.log_graph, seen.log_kernel),
            "hard": self.hard_weight * hard,
        }

    def figures(self, seen: Seen) -> dict[str, float]:
        """Return the share of items whose group it is sure of."""
        sure = confident(seen.mixture.softmax(dim=1), self.threshold).any(dim=1)
        return {"sure": float(sure.float().mean())}

    def told(self, figures: dict[str, float]) -> tuple[str, ...]:  # noqa: ARG002
        """Say that the hard supervision can never speak."""
        most = largest_reachable(self.n_clusters)
        if not self.hard_weight or self.threshold <= most:
            return ()
        return (
            f"With {self.n_clusters} groups no assignment can reach the threshold {self.threshold:g} (at "
            f"most {most:.2f}): the hard supervision stays silent; choose a smaller threshold.",
        )
