"""IcicleGCN: an autoencoder whose code is the groups, and graphs of nearest items on two scales."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.methods.cc import CC
from clustering.methods.cc import COMPARED as COMPARED_IN_CC
from clustering.methods.cc import LEARNED as LEARNED_IN_CC
from clustering.methods.coding import GROUP_TEMPERATURE, ITEM_TEMPERATURE, Coding
from clustering.methods.graph_clusterer import (
    KernelWeight,
    Rounds,
    Steps,
    StepSize,
    nearest_known,
)
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.learning_from_views import Watch, check_enough
from clustering.methods.pretext import COMPARED, PretextClusterer
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
    Width,
)
from clustering.methods.two_graphs import TwoGraphs, Weights
from clustering.methods.viewing import BackboneChoice, Strength, Viewing, Views
from clustering.networks.multi_scale_graph import AS_RUN, PUBLISHED, MultiScaleNetwork
from clustering.networks.views import ContrastiveNetwork, PretextNetwork, ViewNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data, batch_shape
from clustering.training.inference import encode_all, in_parts, weights_of
from clustering.training.kept_weights import keeping_weights, recalled_weights, taken_up
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import products_in

JOINT_PASSES = 100  # as CC's
CODE_PASSES, PASSES_AFTER_CC = 20, 15
STEPS_AFTER_CC = 300  # at least, where there are few items; published: 9,000
NearWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How much the sparse graph's assignments are drawn to the sharpened ones.", advanced=True),
]
FarWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How much the denser graph's assignments are drawn to the sharpened ones.", advanced=True),
]


class IcicleGCN(PretextClusterer):
    r"""Image clustering with contrastive learning and multi-scale graph networks (Xu, Huang, Wang, Lai 2024).

    Features come first, as they are or learned from views; an autoencoder squeezes them into a code that is
    itself the soft assignment. Then two streams of graph layers, one on the links of every item to its
    nearest, one on those to its ten nearest, take in each other's layers and the encoder's, and all learn the
    sharpened groups.

    Parameters
    ----------
    n_clusters : int, default 10
    variant : {"paper", "repository"}, default "paper"
        The two differ in seven places; see the notes.
    pretext : {"features", "contrast", "momentum", "joint"}, default "features"
        ``contrast`` and ``momentum`` learn features from the ``views`` as `SCAN` does, and share them.
        ``joint`` is as published: features and groups are learned together from the views.
    views, strength
        As in `CC`; they serve ``contrast`` and ``joint``.
    near_neighbors : int, default 1
    far_neighbors : int, optional
        10 in the paper, 15 in the repository.
    kernel_weight, near_weight, far_weight : float, default .1, .05 and .01
        α of KL(P‖Q), β and η of KL(P‖G) for either graph.
    code_dims : 500–500–2000 by default
        Of the autoencoder and of both graph streams.
    code_epochs : int, optional
        Passes that give the code its first groups: 20, or after CC's own passes 15 of the joint loss, and
        on few items as many as make 300 steps.
    backbone
        As in `CC`.
    hidden_dims, latent_dim : 256–128 by default
        Of the features where they are learned.
    pretrain_epochs : int, optional
        Passes that learn features: 60, or 100 where ``joint``.
    epochs, update_interval : int, default 40 and 25
        Rounds, and steps a round: together the 1,000 published steps, each on all items.
    batch_size, learning_rate : optional
        256 and 1e-3, before the graphs.
    cluster_learning_rate : float, default 1e-4
    tolerance : float, default 0
        0 runs all steps, as published; a stream that has not found the groups yet may stand still for long.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: losses and weights of both stages, the widths, graphs built once on frozen features, P anew
    in every step, centres by k-means' best of 20. Neither paper nor code name a final answer; labels are
    those of the sparse graph's stream, whose weight is the larger. As in the authors' repository, not the
    paper, ``variant="repository"`` starts from CC and goes on for 15 passes where ``joint``, takes the code
    of the second view from the first (so that contrast of groups compares a view with itself), rebuilds the
    first view alone with a mean over all numbers, mixes .5, .2 and .5 where the paper has .4, .2 and .4,
    takes means over neighbours, shares the graph weights between both streams, and links 15 neighbours.

    Ours: small networks at a higher rate (1e-4 for a ResNet-34). Where features stand still nothing published
    says how the code begins, and contrast of noise gives a bad one: it first learns the groups of k-means.
    Such features are moved to mean 0 and multiplied by one number, so that the squares of an item sum to 1 on
    average; distances keep their order. Where views teach the code, it begins with He's weights and takes at
    least 300 steps after CC. Links by distance, since the published kernel of it orders them the same and
    underflows. Of equal items one is linked for all.

    On scikit-learn's digits by their pixels (five seeds, widths 128-128-256, 500 steps at 1e-3) the
    repository's form ends at ACC .810 ± .005, the paper's at .750 ± .016; k-means .790, CC .860. On their
    pictures (one seed) the code learned jointly reaches .93 and .96, and the graphs lower it to .87 and .86.

    To repeat the published run on CIFAR-10 (60,000 pictures, published ACC .807) at 32 pixels, not 224::

        pictures=$(deepclust load cifar10/)
        pixels=$(deepclust features $pictures --encoder pixels -s colour=colour)
        deepclust train $pixels -m iciclegcn -k 10 --pretrain-epochs 1000 --batch-size 128 \
            -s variant=repository -s pretext=joint -s views=photographs -s backbone=resnet34 \
            -s latent_dim=512 -s learning_rate=1e-4 -s precision=bfloat16

    Not run: at the measured speed of CC's step it takes 1.3 hours on one H200, minutes of which for the
    graphs; 224 pixels take some forty times the arithmetic.
    """

    info = MethodInfo(
        name="iciclegcn",
        title="IcicleGCN",
        paper="Deep Image Clustering with Contrastive Learning and Multi-scale Graph Convolutional Networks. "
        "Yuankun Xu, Dong Huang, Chang-Dong Wang, Jian-Huang Lai",
        year=2022,
        source="Pattern Recognition 146, 2024; arXiv:2207.07173",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Learns groups from views of pictures, then smooths them over nearest items on two scales.",
        when_to_use=(
            "Small pictures as pixels whose views you can name, when CC already does well and you want to "
            "see what links between nearest items add. On features of a trained network it begins with the "
            "groups of k-means and shows, step by step, how graphs of nearest items redraw them."
        ),
        how_it_fails=(
            "It cannot mend a bad beginning: the graphs sharpen whatever groups the code has, and may lower "
            "them steadily while the loss falls. Most of the published gain is CC’s; the graphs add two "
            "points. Links to a single nearest item join little, links across kinds join the wrong. With few "
            "groups a stream may lose one for good, its narrow layers having as many units as there are "
            "groups: try other seeds. Every step sees all items, so they must fit into memory. A new item "
            "gets the group of the item it resembles most."
        ),
        formula=(
            r"\mathcal{L} = \tfrac1n\lVert Z - \hat Z\rVert_F^2 + \alpha\,\mathrm{KL}(P \Vert Q) "
            r"+ \beta\,\mathrm{KL}(P \Vert G_a) + \eta\,\mathrm{KL}(P \Vert G_b), \quad "
            r"G_a^{(\ell)} = \phi\big(\hat A_a (\sigma G_a + \gamma G_b "
            r"+ (1 - \sigma - \gamma) H)^{(\ell-1)} W\big)"
        ),
        representation="contrast of views, autoencoder and graph networks on two scales",
        clustering="soft assignment with a self-made target",
        interaction="multistage",
        test_settings={
            "n_clusters": 3,
            "code_dims": (32,),
            "code_epochs": 12,
            "learning_rate": 0.03,
            "epochs": 2,
            "update_interval": 12,
            "cluster_learning_rate": 0.05,
            "device": "cpu",
        },
        order=202207,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        variant: Annotated[
            Literal["paper", "repository"],
            Meaning("As the paper describes it, or as the authors’ program runs it: they differ much."),
        ] = "paper",
        pretext: Annotated[
            Literal["features", "contrast", "momentum", "joint"],
            Meaning(
                "On what the graphs are built: features as they are, or for pixels of small pictures "
                "learned first from the views (“contrast”, or “momentum” with a queue), or together with the "
                "groups (“joint”)."
            ),
        ] = "features",
        views: Views = "neighbours",
        strength: Strength = 1.0,
        near_neighbors: Annotated[
            int,
            Interval(ge=1, le=200),
            Meaning("Nearest items every item is linked to in the sparse graph.", advanced=True),
        ] = 1,
        far_neighbors: Annotated[
            int | None,
            Interval(ge=1, le=500),
            Meaning(
                "Nearest items every item is linked to in the denser graph; empty: 10, or 15 as in the "
                "repository."
            ),
        ] = None,
        kernel_weight: KernelWeight = 0.1,
        near_weight: NearWeight = 0.05,
        far_weight: FarWeight = 0.01,
        code_dims: Annotated[
            tuple[Width, ...],
            Meaning(
                "Widths of the layers between features and code, and of the graphs’. Without a graphics "
                "processor smaller ones, such as 128, 128, 256, take a twentieth of the time.",
                advanced=True,
            ),
        ] = (500, 500, 2000),
        code_epochs: Annotated[
            int | None,
            Interval(ge=1, le=100_000),
            Meaning(
                "Passes that give the code its first groups; empty: 20, or after CC 15 or more.",
                advanced=True,
            ),
        ] = None,
        backbone: BackboneChoice = "small",
        hidden_dims: HiddenDims = (256,),
        latent_dim: LatentDim = 128,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Rounds = 40,
        update_interval: Steps = 25,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: StepSize = 1e-4,
        tolerance: Tolerance = 0.0,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.variant = variant
        self.pretext = pretext  # type: ignore[assignment]
        self.views = views
        self.strength = strength
        self.near_neighbors = near_neighbors
        self.far_neighbors = far_neighbors
        self.kernel_weight = kernel_weight
        self.near_weight = near_weight
        self.far_weight = far_weight
        self.code_dims = code_dims
        self.code_epochs = code_epochs
        self.backbone = backbone
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

    # Networks ------------------------------------------------------------------------------------------

    def setup(self, n_features: int, generator: Generator) -> MultiScaleNetwork:
        """Return the untrained network."""
        picture, k = self.pictured(n_features), self.n_clusters
        shape = (n_features, picture, self.hidden_dims, self.latent_dim, k)
        features: ViewNetwork
        if self.joint:
            features = ContrastiveNetwork(*shape, COMPARED_IN_CC, generator)
        else:
            features = PretextNetwork(*shape, self.learns, COMPARED, generator)
        published = self.variant == "paper"
        return MultiScaleNetwork(
            features,
            self.code_dims,
            k,
            not published,
            PUBLISHED if published else AS_RUN,
            generator,
        )

    @property
    def joint(self) -> bool:
        """Whether features and groups are learned together."""
        return self.pretext == "joint"

    # Stages --------------------------------------------------------------------------------------------

    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Learn features, unless they are taken as they are, then the code, then the graphs."""
        check_enough(self.info.title, data.n_items)
        viewing = Viewing(data, self.views, self.strength)
        watch = Watch(self, network, data, viewing)
        first: tuple[Phase, ...] = ()
        if self.learns:
            first = (self.learn_features(network.features, data, viewing),)
        elif self.joint and self.variant == "repository":
            first = (self.as_cc(network, data),)
        return (*first, *self.grouping(network, data, viewing, watch))

    def grouping(
        self, network: MultiScaleNetwork, data: Data, viewing: Viewing, watch: Watch
    ) -> tuple[Phase, ...]:
        """Return the phase that learns the code and the one on the graphs."""
        coding = Coding(network, data, viewing, self.variant == "paper", self.random_state)
        graphs = self.graphs(network, data)
        passes = self.coding_passes(data.n_items)

        def look_out() -> tuple[str, ...]:
            over = int(network.looks) > passes  # the first look is before any
            return watch.warnings() + (coding.doubts() if over else ())

        moved = (network.encoder, network.decoder, network.streams)
        return (
            Phase(
                "code",
                passes,
                coding.loss,
                coding.parameters(),
                Optimiser("adam", self.learning_rate or 1e-3),
                begin=coding.begin,
                refresh=watch.look,
                noisy=self.joint,
                watch=look_out,
            ),
            Phase(
                "cluster",
                self.epochs,
                graphs.loss,
                [network.centers, *(weight for part in moved for weight in part.parameters())],
                Optimiser("adam", self.cluster_learning_rate),
                begin=graphs.begin,
                refresh=graphs.look,
                steps=self.update_interval,
                tolerance=self.tolerance,
                draw=graphs.draw,
                watch=graphs.warnings,
            ),
        )

    def graphs(self, network: MultiScaleNetwork, data: Data) -> TwoGraphs:
        """Return what steps on the graphs need."""
        published = self.variant == "paper"
        return TwoGraphs(
            network,
            data,
            self.near_neighbors,
            self.far_neighbors or (10 if published else 15),
            published,
            Weights(self.kernel_weight, self.near_weight, self.far_weight, not published),
            self.epochs * self.update_interval,
            self.precision,
            self.random_state,
        )

    def as_cc(self, network: MultiScaleNetwork, data: Data) -> Phase:
        """Return CC's whole training; it is over at once where CC's weights were kept."""
        cc = CC(
            self.n_clusters,
            views=self.views,
            strength=self.strength,
            temperature=ITEM_TEMPERATURE,
            group_temperature=GROUP_TEMPERATURE,
            backbone=self.backbone,
            hidden_dims=self.hidden_dims,
            latent_dim=self.latent_dim,
            epochs=self.pretrain_epochs or JOINT_PASSES,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            scale=self.scale,
            precision=self.precision,
            random_state=self.random_state,
        )
        features = network.features
        assert isinstance(features, ContrastiveNetwork)
        (learn,) = cc.phases(features, data)
        mark = cc.mark(data) if keeping_weights() else ""
        begin_learning = learn.begin
        assert begin_learning is not None

        def begin() -> None:
            begin_learning()
            if taken_up(features, LEARNED_IN_CC, recalled_weights(mark)):
                network.recalled.fill_(True)
                features.looks.fill_(cc.epochs)  # and the one that follows is the last

        def over() -> str:
            return "All epochs were run, on what CC had learned before." if bool(network.recalled) else ""

        return replace(learn, begin=begin, ends=over)

    def coding_passes(self, n_items: int) -> int:
        """Return how many passes the code learns."""
        if self.joint and self.variant == "paper":
            return self.pretrain_epochs or JOINT_PASSES
        if not self.joint:
            return self.code_epochs or CODE_PASSES
        steps, _ = batch_shape(n_items, self.rows_a_batch(n_items))
        return self.code_epochs or max(PASSES_AFTER_CC, ceil(STEPS_AFTER_CC / steps))

    # Looks and answers ---------------------------------------------------------------------------------

    def look(self, network: Any, data: Data) -> Refreshed:
        """Look at all items by the code while it is learned; a group lies at the mean of its features."""
        with products_in(self.precision):
            features = encode_all(network, data)
        with torch.no_grad():
            codes = in_parts(lambda rows: network.logits(rows).softmax(dim=1), features)
            sizes = codes.sum(dim=0).clamp_min(1e-12)
            confidences, labels = codes.max(dim=1)
        given = self.pretext == "features"
        return Refreshed(features, codes.T @ features / sizes[:, None], labels, confidences, {}, given=given)

    def place(self, network: MultiScaleNetwork, latents: Tensor) -> Tensor:
        """Return the codes (n, K): the clusters are found among them."""
        return network.logits(latents).softmax(dim=1)

    def assign(self, network: MultiScaleNetwork, latents: Tensor) -> Tensor:
        """Return the assignments (n, K) of the known items whose features are nearest, or codes at first."""
        if not len(network.known_assignments):
            return self.place(network, latents)
        return network.known_assignments[nearest_known(latents, network.known_features)]

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Take up the weights and what was found; every item keeps what its own links gave it."""
        known = self.graphs(network, data).assignments()
        network.forget()
        self.weights_ = weights_of(network)
        # In double precision, as a new item is encoded, so that every item is found again.
        exact, device = self._trained()
        with torch.no_grad():
            parts = [(part, self.place(exact, part)) for part in self._latents(items, exact, device)]
        features, codes = (torch.cat(one).float() for one in zip(*parts, strict=True))
        network.known_features, network.known_assignments = features, known
        self.weights_ = weights_of(network)
        assignments = known.cpu().numpy()
        return codes.cpu().numpy(), assignments, np.asarray(assignments.argmax(axis=1), dtype=np.int64)
