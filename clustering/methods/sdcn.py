"""SDCN: an autoencoder handed layer by layer to a graph network, both taught by the same sharpened target."""

from __future__ import annotations

from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.kl import kl_divergence
from clustering.losses.target_distribution import target_distribution
from clustering.methods.graph_clusterer import (
    Graph,
    GraphClusterer,
    GraphWeight,
    KernelWeight,
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
from clustering.networks.graph_autoencoder import SDCNNetwork, Seen


class SDCN(GraphClusterer):
    """Structural Deep Clustering Network (Bo, Wang, Shi, Zhu, Lu, Cui 2020).

    Parameters
    ----------
    n_clusters : int, default 10
    graph : {"own", "knn"}, default "own"
        ``own`` uses the ``edges`` given to `fit`, and where there are none the nearest neighbours.
    n_neighbors : int, default 5
        Nearest by Euclidean distance; the authors compare kernels and take 3 or 5.
    kernel_weight, graph_weight : float, default .1 and .01
        α of KL(P‖Q) and β of KL(P‖Z).
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
    Labels and soft assignments are the graph network's, after the last step. Published scores are the largest
    of 200 steps, chosen with the labels; here no label chooses anything.
    """

    info = MethodInfo(
        name="sdcn",
        title="SDCN",
        paper=(
            "Structural Deep Clustering Network. Deyu Bo, Xiao Wang, Chuan Shi, Meiqi Zhu, Emiao Lu, Peng Cui"
        ),
        year=2020,
        source="WWW 2020, arXiv:2002.01633",
        family="deep",
        kinds=ANY_FEATURES,
        first_for=("graph",),
        inputs=("links",),
        needs_n_clusters=True,
        summary="Groups items by what they are and by their links: an autoencoder feeds a graph network.",
        when_to_use=(
            "Items with links, such as papers by the same authors or works seen together, when linked items "
            "mostly belong together. Without links it takes those to the nearest neighbours."
        ),
        how_it_fails=(
            "Links between groups mislead it: every layer takes the mean over the neighbours, and with many "
            "layers all items look alike (oversmoothing). Half of each layer is the autoencoder's, whatever "
            "the data. All items must fit into memory at once. A new item comes without links and gets the "
            "group of the node it resembles most."
        ),
        formula=(
            r"Z^{(\ell)} = \phi\big(\hat{A}\, \tfrac{1}{2}(Z^{(\ell-1)} + H^{(\ell-1)})\, W\big), \quad "
            r"\mathcal{L} = \mathcal{L}_r + \alpha\, \mathrm{KL}(P \Vert Q) + \beta\, \mathrm{KL}(P \Vert Z)"
        ),
        representation="autoencoder and graph network",
        clustering="soft assignment with a self-made target",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "epochs": 6,
            "graph_weight": 1.0,
            "cluster_learning_rate": 0.01,
            "device": "cpu",
        },
        order=202004,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        graph: Graph = "own",
        n_neighbors: Neighbours = 5,
        kernel_weight: KernelWeight = 0.1,
        graph_weight: GraphWeight = 0.01,
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
        self.kernel_weight = kernel_weight
        self.graph_weight = graph_weight
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

    def setup(self, n_features: int, generator: Generator) -> SDCNNetwork:
        """Return the untrained network."""
        return SDCNNetwork(n_features, self.hidden_dims, self.latent_dim, self.n_clusters, generator)

    def terms(self, seen: Seen) -> dict[str, Tensor]:
        """Return α KL(P‖Q) and β KL(P‖Z), P made of Q."""
        target = target_distribution(seen.log_kernel.exp().detach())
        return {
            "kernel": self.kernel_weight * kl_divergence(target, seen.log_kernel),
            "graph": self.graph_weight * kl_divergence(target, seen.log_graph),
        }
