"""DeepCluster: k-means gives labels, a network learns them, and its features are clustered again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Interval
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.pseudo_labels import pseudo_label_loss
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
from clustering.networks.pseudo_labels import PseudoLabelNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data, batch_shape
from clustering.training.lloyd import Relabelled, lloyd, random_rows
from clustering.training.optimisers import Optimiser
from clustering.training.order import uniform_over_clusters
from clustering.training.step import Batch
from clustering.training.whitening import whitened, whitening

ROUNDS = 20  # of k-means a clustering; the authors' code
WEIGHT_DECAY = 1e-5

Prototypes = Annotated[
    int | None,
    Interval(ge=2, le=100_000),
    Meaning(
        "Pseudo-labels the network learns; empty: several for every group. More than groups is better: the "
        "network then sees finer differences than it has to."
    ),
]
PictureViews = Annotated[
    Literal["swap", "affine"],
    Meaning(
        "How an item is changed before the network sees it: a fifth of its numbers are those of other items "
        "(“swap”), or, for pixels of square pictures, it is turned, scaled and moved (“affine”)."
    ),
]


class DeepCluster(PseudoLabelClusterer):
    """DeepCluster (Caron, Bojanowski, Joulin, Douze 2018).

    Every epoch the features of all items are whitened and clustered by k-means into many pseudo-labels, and
    the network learns in one pass to tell the pseudo-label of an item from another view of it.

    Parameters
    ----------
    n_clusters : int, default 10
        Groups at the end: k-means (20 restarts) on the whitened features. The pseudo-labels are more.
    n_prototypes : int, optional
        Pseudo-labels; five times ``n_clusters`` by default (the paper has ten times the classes of ImageNet),
        and no more than a tenth of the items.
    views : {"swap", "affine"}, default "swap"
        ``affine`` reads the features as pixels of square pictures and trains convolutions on moved ones;
        ``swap`` trains a network for rows of numbers, of which a fifth are taken from other items.
    hidden_dims : tuple of int, default (512,)
        Of the network for rows of numbers, each layer with batch normalisation.
    latent_dim : int, default 128
        Width D of the features.
    whitened_dim : int, default 32
        Principal components of the features that are clustered; 256 of 4,096 in the paper. ``embedding_``
        holds these, every row of length 1.
    epochs : int, default 200
        As the authors' code.
    batch_size : int, optional
        256 as published, fewer on small sets.
    learning_rate : float, optional
        .05, constant, momentum .9, weight decay 1e-5.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: whitening, rows of length 1, 20 rounds of k-means from random rows with another seed every
    epoch, a centre without items refilled with half of another's, batches drawn uniformly over clusters, the
    top layer drawn anew from N(0, .01) for every clustering and trained without momentum. Ours: the networks
    are small (AlexNet wants pictures of 224 pixels), and the last k-means with the person's number of groups,
    matched at every epoch to the groups before so that they keep their numbers.

    The authors call the random views crucial: without a view that keeps what an item is, the network mostly
    learns what its first weights happened to see. Swapped numbers are a weak view; on features of a trained
    network expect what k-means finds in them, not more. On the artworks it stays below k-means on the
    features, probably because of the whitening: giving 32 principal components equal weight takes k-means
    from style NMI .258 to .229 (one seed) before anything is learned.
    """

    info = MethodInfo(
        name="deepcluster",
        title="DeepCluster",
        paper="Deep Clustering for Unsupervised Learning of Visual Features. Mathilde Caron, Piotr "
        "Bojanowski, Armand Joulin, Matthijs Douze",
        year=2018,
        source="ECCV 2018, arXiv:1807.05520",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Groups the items, learns the groups as if they were labels, groups what was learned, and so "
        "on.",
        when_to_use=(
            "Small aligned pictures, taken as pixels with views “affine”: it learns what turning and moving "
            "do not change. It makes many fine groups first and joins them at the end, so the number of "
            "groups matters less while it learns."
        ),
        how_it_fails=(
            "It believes its own first groups: what they confuse, it learns to confuse. Without good views "
            "it relearns what its first weights saw, so on features of a trained network it gains little. "
            "When all items begin to look alike, one pseudo-label takes most of them. The agreement it tells "
            "is with its own clustering before, not with any truth."
        ),
        formula=(
            r"\min_{C}\ \tfrac1N\sum_i \min_{y_i}\ \lVert g_i - C_{y_i}\rVert^2, \qquad "
            r"\min_{\theta,W}\ \tfrac1N\sum_i \ell\big(W^\top f_\theta(\tilde x_i),\, y_i\big)"
        ),
        representation="network trained on pseudo-labels",
        clustering="k-means pseudo-labels",
        interaction="iterative",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 8,
            "whitened_dim": 3,
            "epochs": 3,
            "device": "cpu",
        },
        order=201800,
    )

    prototypes_a_group = 5

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        n_prototypes: Prototypes = None,
        views: PictureViews = "swap",
        hidden_dims: HiddenDims = (512,),
        latent_dim: LatentDim = 128,
        whitened_dim: Annotated[
            int,
            Interval(ge=1, le=4096),
            Meaning("Principal components of the features that are clustered.", advanced=True),
        ] = 32,
        epochs: Epochs = 200,
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
        self.views = views
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.whitened_dim = whitened_dim
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> PseudoLabelNetwork:
        """Return the untrained network."""
        return PseudoLabelNetwork(
            n_features,
            self.pictured(n_features),
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            min(self.whitened_dim, self.latent_dim),
            self.most_labels(),
            generator,
        )

    def optimiser(self, network: PseudoLabelNetwork) -> Optimiser:
        """Return SGD; the top layer, drawn anew every epoch, has no momentum."""
        return Optimiser(
            "sgd",
            self.learning_rate or 0.05,
            weight_decay=WEIGHT_DECAY,
            forgetful=tuple(network.top.parameters()),
        )

    def relabel(self, network: PseudoLabelNetwork, latents: Tensor, generator: Generator) -> list[Relabelled]:
        """Whiten the features, cluster them, and draw the top layer anew."""
        mean, directions = whitening(latents, min(network.directions.shape[1], len(latents) - 1))
        network.mean.copy_(mean)
        network.directions.zero_()[:, : directions.shape[1]] = directions
        places = self.place(network, latents)
        first = random_rows(places, self.labels_for(len(places)), generator)
        found = lloyd(places, first, ROUNDS, generator)
        network.draw_top(generator)
        return [found]

    def drawing(self, network: PseudoLabelNetwork, data: Data) -> Any:
        """Return a draw of batches that meets every cluster as often as any other."""
        batches, rows = batch_shape(data.n_items, self.rows_a_batch(data.n_items))
        wanted = self.labels_for(data.n_items)

        def draw(steps: int, generator: Generator) -> Tensor:  # noqa: ARG001
            drawn = uniform_over_clusters(network.pseudo[0], wanted, generator)
            return drawn[: batches * rows].view(batches, rows)

        return draw

    def place(self, network: PseudoLabelNetwork, latents: Tensor) -> Tensor:
        """Return whitened features of length 1, (n, whitened_dim)."""
        return whitened(latents, network.mean, network.directions)

    def loss(self, network: PseudoLabelNetwork, batch: Batch) -> dict[str, Tensor]:
        """Return how badly another view of an item foretells its pseudo-label (DeepCluster, eq. 2)."""
        scores = network.scores(self.viewed(batch.features, batch.generator))
        return {"pseudo-labels": pseudo_label_loss(scores, network.pseudo[0][batch.rows])}
