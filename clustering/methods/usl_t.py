"""USL-T: as many groups as a person will give labels, learned so that the surest item stands for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from annotated_types import Gt, Interval
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.neighbour_agreement import self_label_loss
from clustering.losses.neighbour_targets import adjusted_targets, local_loss, updated_shares
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.learning_from_views import SETTLED, Watch
from clustering.methods.pretext import PretextChoice, PretextClusterer
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
from clustering.networks.selecting import SelectingNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch
from clustering.views.neighbours import NeighbourViews
from clustering.views.noisy import NoisyViews

RATE = 3e-3
LEFT_OUT, NOISE = 0.1, 0.2  # of a strong view of features
FEW_TEACHERS = 0.01  # share of sure items below which the global loss teaches nothing


class USLT(PretextClusterer):
    """Unsupervised Selective Labeling, the trained variant (Wang, Lian, Yu 2022).

    It chooses the items most worth a label. Features come first: as they are, or learned by contrast of
    views. A layer then learns as many groups as a person will give labels. An item is to be where one of its
    nearest neighbours is, and rather in a group that few are in (local loss); what the layer is sure of it is
    to say of another view too (global loss). The item it is surest of stands for its group
    (`clustering.labelling.surest_items`).

    Parameters
    ----------
    n_clusters : int, default 10
        The labels a person will give, one a group.
    pretext : {"features", "contrast", "momentum"}, default "features"
        As in `SCAN`, which shares the features that are learned.
    n_neighbours : int, default 20
    adjustment : float, default 2.5
        τ: how much groups that few are in are raised.
    temperature : float, default .25
        T of what a neighbour teaches.
    local_weight : float, default 5
        ω.
    threshold : float, default .95
        Odds from which an item teaches.
    views, strength, backbone, hidden_dims, latent_dim, pretrain_epochs
        As in `SCAN`.
    epochs : int, default 60
    batch_size : int, optional
        256.
    learning_rate : float, optional
        1e-3 by default, of learning features.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: both losses, the running mean of the sizes and when it is taken, the choice of the surest
    item. The features stand still and a group's logit is a cosine times 40, as the authors have it for
    ImageNet; their three heads do not touch one another then and only the first is asked, so there is one.
    Pictures are seen in the views their features were learned from, features with noise. Of the two published
    settings T, ω and the threshold are those of CIFAR, τ that of ImageNet. Groups that died are not given new
    directions.

    On scikit-learn's digits (ten labels) the items it is surest of make .796 ± .026 of all right by the
    nearest label on the pixels (five seeds; USL's .746, ten drawn .474), .902 ± .005 on features learned
    first (three seeds; USL's .863, drawn .563). ACC .877 ± .029 and .937 ± .012, k-means on the same features
    .790 and .909. On 2,557 artworks (six labels, three seeds) it is .485 ± .037 of the styles, no more than
    USL's .492 (drawn .371), and its groups agree with the styles as those of k-means do (NMI .247 and .244):
    of a work's 20 nearest neighbours 65 in a hundred are of its style, of a digit's 90 of its digit.

    The cosine matters: with a layer as SCAN has it, whose logits grow with the length of the features, the
    surest items of the digits were bold ones rather than typical and told .719.
    """

    info = MethodInfo(
        name="usl_t",
        title="USL-T",
        paper="Unsupervised Selective Labeling for More Effective Semi-Supervised Learning. Xudong Wang, "
        "Long Lian, Stella X. Yu",
        year=2022,
        source="ECCV 2022, arXiv:2110.03006",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Learns as many groups as you will give labels, and says which item of each to label.",
        when_to_use=(
            "You will label a few items by hand and want the program to say which: choose as many groups as "
            "labels, then open “Label next” on Explore. On features of a good network it takes seconds; "
            "for small pictures as pixels let it learn features first (“contrast”)."
        ),
        how_it_fails=(
            "Rare kinds are never asked about. It believes the neighbours: where these are often of another "
            "kind, as styles are among paintings, the items it chooses tell no more than those of USL, which "
            "needs no training, and seeds differ more. On 70,000 pictures of clothes, seen in views of "
            "digits, its groups were worse than those of k-means on the features it had learned (NMI .52 and "
            ".55). A group may stay empty, which is one label less."
        ),
        formula=(
            r"\min\ \omega\,\mathrm{KL}\big(\sigma((z_{k(i)}-\tau\log\bar p)/T)\,\|\,p_i\big)"
            r"-\sum_{\max p_i > t}\omega_{y_i}\log p(\tilde x_i)_{y_i}"
        ),
        representation="features as they are, or contrast of views",
        clustering="agreement of neighbours with sizes evened, and self-labels",
        interaction="multistage",
        test_settings={"n_clusters": 3, "n_neighbours": 10, "epochs": 20, "device": "cpu"},
        order=202206,
        offers=("picks",),
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
        adjustment: Annotated[
            float,
            Interval(ge=0, le=20),
            Meaning(
                "How strongly small groups draw items, which keeps all of them alive; 2.5 and 5 were "
                "published. Choose less where some kinds are rare."
            ),
        ] = 2.5,
        temperature: Annotated[
            float,
            Gt(0),
            Meaning(
                "How sure a neighbour teaches: smaller is surer; .25 and .5 were published.", advanced=True
            ),
        ] = 0.25,
        local_weight: Annotated[
            float,
            Interval(ge=0, le=100),
            Meaning("How much neighbours teach beside what the network is sure of.", advanced=True),
        ] = 5.0,
        threshold: Annotated[
            float,
            Interval(ge=0, le=1),
            Meaning("How sure the network must be of an item that teaches.", advanced=True),
        ] = 0.95,
        views: Views = "neighbours",
        strength: Strength = 1.0,
        backbone: BackboneChoice = "small",
        hidden_dims: HiddenDims = (256,),
        latent_dim: LatentDim = 128,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 60,
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
        self.adjustment = adjustment
        self.temperature = temperature
        self.local_weight = local_weight
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

    def setup(self, n_features: int, generator: Generator) -> SelectingNetwork:
        """Return the untrained network."""
        return self.built(SelectingNetwork, n_features, generator)

    def grouping(
        self, network: SelectingNetwork, data: Data, viewing: Viewing, watch: Watch
    ) -> tuple[Phase, ...]:
        """Let neighbours, and what is sure, teach a layer on features that stand still."""
        pictured = self.pictured(data.n_features) is not None

        def seen(rows: Tensor, generator: Generator) -> Tensor:
            """Return the features of another view of some items, (b, D)."""
            if not pictured:
                return self.noisy(network.codes.index_select(0, rows), generator)
            with torch.no_grad():
                return network.encode(viewing.alone(Batch(data.take(rows), rows, {}, generator)))

        def loss(batch: Batch) -> dict[str, Tensor]:
            near = NeighbourViews(network.neighbours)(batch.rows, batch.generator)
            with torch.no_grad():
                own = network.logits(network.codes.index_select(0, batch.rows)).float()
                taught = network.logits(seen(near, batch.generator)).float()
            other = network.logits(seen(batch.rows, batch.generator)).float()
            return self.terms(network, own, other, taught)

        return (
            Phase(
                "cluster",
                self.epochs,
                loss,
                [network.directions],
                Optimiser("adam", RATE),
                begin=lambda: self.start(network, data),
                refresh=lambda: self.looked(network, watch),
                noisy=True,
                watch=lambda: watch.warnings() + self.doubts(network) + self.teachers_left(network),
            ),
        )

    def terms(
        self, network: SelectingNetwork, own: Tensor, other: Tensor, taught: Tensor
    ) -> dict[str, Tensor]:
        """Return both losses of a batch, and take its sizes into the running mean.

        Parameters
        ----------
        network : SelectingNetwork
        own, other, taught : Tensor (b, K)
            Logits of the items as they are, of another view of them, and of a neighbour of each.
        """
        targets = adjusted_targets(taught, network.shares, self.adjustment, self.temperature)
        network.shares.copy_(updated_shares(network.shares, taught))  # after its use, as published
        sure = torch.softmax(own, dim=1).amax(dim=1) > self.threshold
        network.sure.lerp_(sure.float().mean(), 0.1)
        return {
            "local": self.local_weight * local_loss(targets, other),
            "global": self_label_loss(own, other, self.threshold),
        }

    def noisy(self, codes: Tensor, generator: Generator) -> Tensor:
        """Return features (b, D) that stand still with some left out and noise on the others."""
        share, noise = min(0.9, LEFT_OUT * self.strength), NOISE * self.strength
        return NoisyViews(torch.ones_like(codes[0]), share, noise)(codes, generator)

    def looked(self, network: SelectingNetwork, watch: Watch) -> Refreshed:
        """Look at all items; beside it, how many teach."""
        seen = self.judged(network, watch.look())
        return replace(seen, figures={**seen.figures, "items that teach": float(network.sure)})

    def teachers_left(self, network: SelectingNetwork) -> tuple[str, ...]:
        """Say when the network is sure of no item, though it has had the time."""
        if int(network.looks) <= 1 + SETTLED * self.epochs or float(network.sure) >= FEW_TEACHERS:
            return ()
        return (
            f"Of {float(network.sure):.1%} of the items the network is sure enough for them to teach: only "
            "neighbours teach. Choose a smaller “threshold”, a smaller “strength”, or other features.",
        )
