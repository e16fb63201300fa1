"""SCAN: near neighbours belong to one group, then what is sure teaches what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.neighbour_agreement import neighbour_agreement
from clustering.losses.uneven_sizes import uneven_sizes
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.learning_from_views import Watch
from clustering.methods.numbering import same_numbers
from clustering.methods.pretext import PretextChoice
from clustering.methods.self_teaching import WHOLE_RATE, SelfTeaching
from clustering.methods.settings import (
    BatchSize,
    Device,
    Epochs,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    PretrainEpochs,
    Scale,
)
from clustering.methods.viewing import BackboneChoice, Strength, Viewing, Views
from clustering.networks.views import NeighbourNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch
from clustering.views.neighbours import NeighbourViews

HEADS = 5  # of which the one with the lowest loss is taken
RATE = 1e-2  # of heads of one layer on features that stand still
JUDGING = 5  # neighbours by which heads are compared, as published


class SCAN(SelfTeaching):
    """Semantic Clustering by Adopting Nearest neighbours (Van Gansbeke et al. 2020).

    Features come first: as they are, or learned by contrast of views. Then a layer learns to put an item and
    a random one of its nearest neighbours into the same group, surely, while groups stay of even size. At
    last the items it is surest of teach it to say the same of other views of them.

    Parameters
    ----------
    n_clusters : int, default 10
    pretext : {"features", "contrast", "momentum"}, default "features"
        ``contrast`` learns features by SimCLR's loss on the ``views``, ``momentum`` by MoCo's.
    n_neighbours : int, default 20
    size_weight : float, default 5
        λ of the entropy of the sizes.
    tuning_epochs : int, default 20
        Passes in which the whole network learns from neighbours too; 0 leaves them out.
    self_label_epochs : int, default 20
        Passes of the last stage; 0 leaves it out.
    threshold : float, default .99
        Odds from which an item is sure.
    views, strength
        As in `CC`; they serve the contrast and what comes after the heads.
    backbone
        As in `CC`.
    hidden_dims, latent_dim : 256–128 by default
        Of the features where they are learned.
    pretrain_epochs : int, optional
        60 passes by default where features are learned.
    epochs : int, default 40
    batch_size : int, optional
        256.
    learning_rate : float, optional
        1e-3 by default, of learning features.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: both losses and their weights, the head chosen by the loss with λ = 1 on five neighbours and
    never by a label, the threshold, groups that count the same among the sure. The second stage begins with
    features that stand still, as the authors have it for ImageNet; five heads of one layer there, at a rate
    of 1e-2 with Adam, take hundreds of steps where a whole network would need thousands. Then, where the
    features were learned, the whole network learns from strong views of items and neighbours, as published
    for small pictures: without that, what it has never seen turns the last stage's labels over, and on
    clothes as small pictures three of ten groups were left of it. An item is not its own neighbour. The last
    stage is left out where some group has no sure item, and undone where it leaves one without.

    On scikit-learn's digits (five seeds) ACC .939 ± .046 with features learned first, .860 ± .014 on the
    pixels, k-means .792; on 2,557 artworks style NMI .241 ± .007, no better than k-means (.243).
    """

    info = MethodInfo(
        name="scan",
        title="SCAN",
        paper="SCAN: Learning to Classify Images without Labels. Wouter Van Gansbeke, Simon Vandenhende, "
        "Stamatios Georgoulis, Marc Proesmans, Luc Van Gool",
        year=2020,
        source="ECCV 2020, arXiv:2005.12320",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Puts items and their nearest neighbours into one group, and learns from what it is sure of.",
        when_to_use=(
            "Features of a good trained network, where an item's nearest neighbours are mostly of its kind: "
            "it takes seconds, and needs no views. For small pictures as pixels let it learn features first "
            "(“contrast”)."
        ),
        how_it_fails=(
            "It believes the neighbours: where they are of another kind, at the borders, it learns the "
            "wrong thing surely, and its loss does not show it; on 2,557 artworks it was no better than "
            "k-means. Groups are held to even sizes; on uneven collections, or with many groups, k-means "
            "may do better. If nothing is sure, the last stage has no teacher and is left out; where it "
            "turns its own labels over, so that a group is lost, it is undone. Look at how many labels "
            "change there: where it is more than a few in a hundred, do without that stage."
        ),
        formula=(
            r"\min\ -\frac1n\sum_i \log\langle p_i, p_{k(i)}\rangle + \lambda\sum_c \bar p_c\log\bar p_c, "
            r"\quad\text{then}\quad -\sum_{\max p_i > t} \omega_{y_i} \log p(\tilde x_i)_{y_i}"
        ),
        representation="features as they are, or contrast of views",
        clustering="agreement of neighbours, then self-labels",
        interaction="multistage",
        test_settings={
            "n_clusters": 3,
            "n_neighbours": 10,
            "epochs": 20,
            "self_label_epochs": 2,
            "threshold": 0.8,
            "device": "cpu",
        },
        order=202008,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        pretext: PretextChoice = "features",
        n_neighbours: Annotated[
            int,
            Interval(ge=1, le=500),
            Meaning("How many of the nearest items count as of the same kind; fewer than a kind has items."),
        ] = 20,
        size_weight: Annotated[
            float,
            Interval(ge=0, le=100),
            Meaning("How much groups are held to the same size; choose less where some kinds are rare."),
        ] = 5.0,
        tuning_epochs: Annotated[
            int,
            Interval(ge=0, le=10_000),
            Meaning(
                "Passes in which features that were learned go on learning, from strong views of items and "
                "their neighbours; 0 leaves them out.",
                advanced=True,
            ),
        ] = 20,
        self_label_epochs: Annotated[
            int,
            Interval(ge=0, le=10_000),
            Meaning("Passes in which the items it is surest of teach the others; 0 leaves them out."),
        ] = 20,
        threshold: Annotated[
            float,
            Interval(ge=0, le=1),
            Meaning("How sure the network must be of an item that teaches.", advanced=True),
        ] = 0.99,
        views: Views = "neighbours",
        strength: Strength = 1.0,
        backbone: BackboneChoice = "small",
        hidden_dims: HiddenDims = (256,),
        latent_dim: LatentDim = 128,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 40,
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
        self.n_neighbours = n_neighbours
        self.size_weight = size_weight
        self.tuning_epochs = tuning_epochs
        self.self_label_epochs = self_label_epochs
        self.threshold = threshold
        self.views = views
        self.strength = strength
        self.backbone = backbone
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> NeighbourNetwork:
        """Return the untrained network."""
        return self.built(NeighbourNetwork, n_features, generator, HEADS)

    def grouping(
        self, network: NeighbourNetwork, data: Data, viewing: Viewing, watch: Watch
    ) -> tuple[Phase, ...]:
        """Let neighbours agree, by the heads and then by all of the network, and let what is sure teach."""
        return (
            Phase(
                "cluster",
                self.epochs,
                lambda batch: self.neighbours_agree(network, batch),
                list(network.heads.parameters()),
                Optimiser("adam", RATE),
                begin=lambda: self.start(network, data),
                refresh=lambda: self.look_at(network, watch),
                noisy=True,
                watch=lambda: watch.warnings() + self.doubts(network),
            ),
            *self.tuning(network, data, viewing, watch),
            *self.self_labelling(network, data, viewing, watch),
        )

    def neighbours_agree(self, network: NeighbourNetwork, batch: Batch) -> dict[str, Tensor]:
        """Return how far items and a neighbour of each are from one sure group, and how uneven groups are."""
        near = NeighbourViews(network.neighbours)(batch.rows, batch.generator)
        return self.in_one_group(
            *(network.all_logits(network.codes.index_select(0, rows)) for rows in (batch.rows, near))
        )

    def in_one_group(self, own: Tensor, other: Tensor) -> dict[str, Tensor]:
        """Return the terms of the loss, all heads together, of logits (b, h, K) of items and neighbours."""
        own, other = own.float(), other.float()
        sizes = uneven_sizes(torch.softmax(own, dim=-1))
        return {"neighbours": neighbour_agreement(own, other).sum(), "uneven sizes": self.size_weight * sizes}

    def tuning(
        self, network: NeighbourNetwork, data: Data, viewing: Viewing, watch: Watch
    ) -> tuple[Phase, ...]:
        """Return the stage that trains the whole network, where its features were learned."""
        if not (self.learns and self.tuning_epochs):
            return ()

        def agree(batch: Batch) -> dict[str, Tensor]:
            near = NeighbourViews(network.neighbours)(batch.rows, batch.generator)
            both = replace(batch, features=torch.cat([batch.features, data.take(near)]))
            return self.in_one_group(*network.all_logits(network.learn(viewing.strong(both))).chunk(2))

        def look() -> Refreshed:
            self.encode_again(network, data)
            return self.look_at(network, watch)

        return (
            Phase(
                "tune",
                self.tuning_epochs,
                agree,
                list(network.parts().parameters()),
                Optimiser("adam", WHOLE_RATE),
                refresh=look,
                noisy=True,
                watch=watch.warnings,
            ),
        )

    def look_at(self, network: NeighbourNetwork, watch: Watch) -> Refreshed:
        """Choose the head of the lowest loss with λ = 1, and look at all items by it."""
        near = network.neighbours[:, :JUDGING]
        with torch.no_grad():
            logits = network.all_logits(network.codes)  # (n, h, K)
            odds = torch.softmax(logits, dim=-1)
            lost = torch.stack([neighbour_agreement(logits, logits[column]) for column in near.T]).mean(dim=0)
            sizes = torch.stack([uneven_sizes(odds[:, head]) for head in range(odds.shape[1])])
            best = (lost + sizes).argmin(dim=0, keepdim=True)
            if not torch.equal(best, network.best):
                before = network.chosen(logits).argmax(dim=1)
                network.best.copy_(best)
                now = logits.index_select(1, best).squeeze(1).argmax(dim=1)
                network.order.copy_(same_numbers(before, now, self.n_clusters))
        return self.judged(network, watch.look())
