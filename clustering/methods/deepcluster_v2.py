"""DeepCluster-v2: the centroids of a spherical k-means over a memory of all items are the classifier."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Gt, Interval
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.pseudo_labels import pseudo_label_loss
from clustering.methods.deepcluster import PictureViews, Prototypes
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.pseudo_labelling import PseudoLabelClusterer
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
from clustering.networks.pseudo_labels import PrototypeNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data, batch_shape
from clustering.training.lloyd import Relabelled, random_rows, spherical
from clustering.training.optimisers import Optimiser, cosine
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch

ROUNDS = 10  # of k-means a clustering; the authors' code
WEIGHT_DECAY = 1e-6
VIEWS = 2  # of every item in a step; both are kept in memory


class DeepClusterV2(PseudoLabelClusterer):
    """DeepCluster-v2 (in Caron, Misra, Mairal, Goyal, Bojanowski, Joulin 2020).

    Two views of every item are foretold to have the pseudo-label of the item, by their cosines with the
    centroids of a spherical k-means. The items are clustered as they were seen during the last epoch, several
    times from different random centroids.

    Parameters
    ----------
    n_clusters : int, default 10
        Groups at the end: k-means (20 restarts) on the features. The pseudo-labels are more.
    n_prototypes : int, optional
        Pseudo-labels a head; three times ``n_clusters`` by default, as 3,000 were taken for the thousand
        classes of ImageNet, and no more than a tenth of the items.
    n_heads : int, default 3
        Independent clusterings, each with prototypes of its own; the loss is their mean.
    temperature : float, default .1
    views, hidden_dims, scale, device, precision, n_init, random_state
        As in `DeepCluster`.
    latent_dim : int, default 128
        Width of the features, which have length 1.
    epochs : int, default 400
        As published (800 gain a little more).
    batch_size : int, optional
        256, fewer on small sets.
    learning_rate : float, optional
        .05, falling to 0 along half a cosine; momentum .9, weight decay 1e-6.

    Notes
    -----
    As published: a memory of both views of every item, on which the heads take turns; 10 rounds of spherical
    k-means from random rows of it; a centroid without items stays where it is; the centroids are the
    classifier, so nothing is drawn anew and no gradient moves them. Ours: small networks, two views of one
    size instead of six crops of two, and plain SGD, as LARS is made for batches of 4,096. Groups for a person
    come from a last k-means on the features, and keep their numbers from epoch to epoch.
    """

    info = MethodInfo(
        name="deepcluster_v2",
        title="DeepCluster-v2",
        paper="Unsupervised Learning of Visual Features by Contrasting Cluster Assignments. Mathilde Caron, "
        "Ishan Misra, Julien Mairal, Priya Goyal, Piotr Bojanowski, Armand Joulin",
        year=2020,
        source="NeurIPS 2020, arXiv:2006.09882, appendix, and the authors' code",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Learns to see two views of an item in the same of many fine groups, which are found anew "
        "every epoch.",
        when_to_use=(
            "Where DeepCluster is the right idea: small aligned pictures as pixels with views “affine”. It "
            "is steadier, because what foretells the labels is the clustering itself and need not be "
            "learned anew every epoch."
        ),
        how_it_fails=(
            "It wants long training and views that keep what an item is; with “swap” on features of a "
            "trained network it finds little that k-means does not. Its own fine groups are its only "
            "teacher, so what they confuse stays confused. When the features collapse, all items share one "
            "prototype."
        ),
        formula=(
            r"\min_{\theta}\ -\tfrac1H\sum_h \log\frac{\exp(z^\top c^h_{y}/\tau)}"
            r"{\sum_k \exp(z^\top c^h_k/\tau)}, \qquad \lVert z\rVert = \lVert c^h_k\rVert = 1"
        ),
        representation="network trained on pseudo-labels",
        clustering="spherical k-means pseudo-labels",
        interaction="iterative",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 8,
            "epochs": 3,
            "device": "cpu",
        },
        reconstructed="The paper's appendix could not be read; the algorithm is that of the authors' code.",
        order=202010,
    )

    prototypes_a_group = 3

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        n_prototypes: Prototypes = None,
        n_heads: Annotated[
            int,
            Interval(ge=1, le=20),
            Meaning("Clusterings that teach side by side, each from another random start.", advanced=True),
        ] = 3,
        temperature: Annotated[
            float,
            Gt(0),
            Meaning("Smaller makes the network surer of the pseudo-label it chooses.", advanced=True),
        ] = 0.1,
        views: PictureViews = "swap",
        hidden_dims: HiddenDims = (512,),
        latent_dim: LatentDim = 128,
        epochs: Epochs = 400,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_prototypes = n_prototypes
        self.n_heads = n_heads
        self.temperature = temperature
        self.views = views
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

    def setup(self, n_features: int, generator: Generator) -> PrototypeNetwork:
        """Return the untrained network."""
        return PrototypeNetwork(
            n_features,
            self.pictured(n_features),
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            self.n_heads,
            self.most_labels(),
            generator,
        )

    def optimiser(self, network: PrototypeNetwork) -> Optimiser:  # noqa: ARG002
        """Return SGD with a cosine."""
        return Optimiser("sgd", self.learning_rate or 0.05, schedule=cosine, weight_decay=WEIGHT_DECAY)

    def begin(self, network: PrototypeNetwork, data: Data) -> None:
        """Fill the memory with two views of every item, as the untrained network sees them."""
        generator = torch_generator(self.random_state, "memory", device=data.device)
        batches, _ = batch_shape(data.n_items, self.rows_a_batch(data.n_items))
        with torch.no_grad():
            for rows in data.order(generator).tensor_split(batches):
                self._kept(network, data.take(rows), rows.to(data.device), generator)

    def relabel(self, network: PrototypeNetwork, latents: Tensor, generator: Generator) -> list[Relabelled]:
        """Cluster the memory once a head; the centroids become the head's prototypes."""
        wanted = self.labels_for(len(latents))
        found = []
        for head in range(self.n_heads):
            memory = network.memory[head % VIEWS]
            seen = spherical(memory, random_rows(memory, wanted, generator), ROUNDS)
            network.prototypes[head, :wanted] = seen.centers
            found.append(seen)
        return found

    def loss(self, network: PrototypeNetwork, batch: Batch) -> dict[str, Tensor]:
        """Return how badly both views of an item foretell its pseudo-labels, and remember them."""
        latents = self._kept(network, batch.features, batch.rows, batch.generator).float()
        wanted = self.labels_for(network.pseudo.shape[1])
        scores = latents @ network.prototypes[:, :wanted].transpose(1, 2)  # (heads, 2b, k)
        labels = network.pseudo[:, batch.rows].repeat(1, VIEWS)
        return {"pseudo-labels": pseudo_label_loss(scores, labels, self.temperature)}

    def _kept(
        self, network: PrototypeNetwork, features: Tensor, rows: Tensor, generator: Generator
    ) -> Tensor:
        """Return the features (2b, D) of two views of items, and put them into the memory."""
        views = torch.cat([self.viewed(features, generator) for _ in range(VIEWS)])
        latents = network.learn(views)
        kept = latents.detach().to(network.memory.dtype).view(VIEWS, len(rows), -1)
        network.memory.index_copy_(1, rows, kept)
        return latents
