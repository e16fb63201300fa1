"""DMSC: several views of the same items clustered together, heeding pairs that a person made."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray
from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.losses.kl import kl_divergence
from clustering.losses.pairwise_constraints import balanced_hinge, pair_log_likelihood, signed_distances
from clustering.losses.target_distribution import target_distribution
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.paired import PairedClusterer
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
    Width,
)
from clustering.methods.view_codes import (
    filled_codes,
    known_codes,
    log_assignments,
    rebuilding_error,
    rounded,
    squared_distances,
)
from clustering.networks.view_autoencoders import ViewAutoencoders
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.pooled import lower_determinant
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch

PAIRS_A_STEP = 128  # of each kind; all, where there are no more
ALONE = 0.9  # weight of one view from which the others hardly count

ViewSizes = Annotated[
    tuple[Width, ...] | None,
    Meaning("Columns of each view, one after the other; empty: all columns are one view.", advanced=True),
]
PairLoss = Annotated[
    Literal["hinge", "sdec", "logprob"],
    Meaning(
        "How pairs pull: distances up to a margin, both kinds of pair alike (“hinge”); plain distances, "
        "without end for pairs kept apart (“sdec”); or by the chance that both fall into one group.",
        advanced=True,
    ),
]
PairWeight = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("Weight of the pairs you made by hand; 0 leaves them out."),
]
Gamma = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("Weight of the clustering beside the reconstruction: larger pulls the groups together more."),
]
KeepDecoders = Annotated[
    bool,
    Meaning(
        "Go on rebuilding the views while clustering, so that codes stay true to the items.", advanced=True
    ),
]


class DMSC(PairedClusterer):
    """Deep multi-view semi-supervised clustering (Chen, Tang, Zhang, Feng 2022), a reconstruction.

    An autoencoder for every view, then L = L_r + γ L_c + λ L_p: all views are rebuilt, the soft assignments
    fused over the views come closer to their sharpened targets, and pairs made by hand are heeded. Which
    views count, each cluster learns.

    Parameters
    ----------
    n_clusters : int, default 10
    view_sizes : tuple of int, optional
        Columns of each view, which lie side by side in ``X``: ``numpy.hstack(views)``. ``features.layout`` of
        an encoded collection of views holds them: ``DMSC(**features.layout)``. Where as many more columns
        follow as there are views, a 1 in them says that an item lacks the view.
    gamma : float, default 1
        γ, the weight of the clustering.
    pair_weight : float, default 1
        λ, the weight of the pairs.
    pair_loss : {"hinge", "sdec", "logprob"}, default "hinge"
        ``hinge``: mean ‖z_i − z_j‖²/m of pairs that belong together + mean max(0, 1 − ‖z_i − z_j‖²/m) of
        pairs to keep apart; m is the median squared distance of the first centres. ``sdec`` is unbounded.
    keep_decoders : bool, default True
        False leaves L_r out while clustering: what the paper argues against.
    hidden_dims, latent_dim : 128–128–10 by default, for every view
    pretrain_epochs : int, optional
        150 by default.
    epochs : int, default 100
    batch_size, learning_rate, cluster_learning_rate : optional
        256, 1e-3 and 1e-3 by default, with Adam.
    initial_centers : {"invariant", "kmeans"}, default "invariant"
        As in `DEC`, but each view is stretched by itself, so that clusters are as wide in every view.
    scale : {"standardize", "unit", "none"}, default "standardize"
    tolerance, device, precision, n_init, random_state
        As in `DEC`.

    Attributes
    ----------
    view_weights_ : float32 array (V, K)
        π: how much each view counts for each cluster; columns sum to 1.

    Notes
    -----
    On six views of 2,000 digits it has ACC .981 ± .002, k-means on the joined views .963, UMAP + GMM .977
    (five seeds), after γ had been tried on that set with its labels in view.

    A reconstruction, see ``info.reconstructed``. The reconstruction is a mean over the views, not a sum, so
    that γ need not grow with their number: the clustering is one term, whatever it is fused from. Before
    clustering the codes of every view are brought to the same size: otherwise the view whose autoencoder
    happens to spread its codes most would decide alone. An item that lacks a view is judged by those it has;
    in the latent space the middle of its likely clusters stands for the missing code. Pairs enter by batches
    of 128 of each kind a step; the decoders meet their items once a pass like all others.
    """

    info = MethodInfo(
        name="dmsc",
        title="DMSC (reconstruction)",
        paper=(
            "Deep Multi-view Semi-supervised Clustering with Sample Pairwise Constraints. "
            "Rui Chen, Yongqiang Tang, Wensheng Zhang, Wenlong Feng"
        ),
        year=2022,
        source="Neurocomputing 2022, arXiv:2206.04949",
        family="deep",
        kinds=ANY_FEATURES,
        first_for=("views",),
        needs_n_clusters=True,
        summary="Learns from several views of the same items at once, and heeds pairs you made by hand.",
        when_to_use=(
            "The same items measured or pictured in several ways, none of which tells everything. Or any "
            "collection of which you know a few pairs: mark in Explore which items belong together and which "
            "to keep apart, and train again. Items may lack a view."
        ),
        how_it_fails=(
            "A few dozen pairs move hardly any item but their own: of 1,200 digits sixty did nothing for the "
            "others, six hundred lifted their accuracy by .03 to .07, yet Ward's tree stayed ahead. Pairs "
            "that contradict what the views show tear groups apart: see which are broken afterwards. One "
            "view may take all the weight; the training tells. Judge it by items that are in no pair, and "
            "beside k-means on the joined views."
        ),
        formula=(
            r"\min \tfrac{1}{V} \sum_v \lVert x^v - \hat{x}^v \rVert^2 + \gamma\, \mathrm{KL}(P \Vert Q) "
            r"+ \lambda \Big(\tfrac{1}{|M|} \sum_{M} \tfrac{\lVert z_i - z_j \rVert^2}{m} "
            r"+ \tfrac{1}{|C|} \sum_{C} \big[1 - \tfrac{\lVert z_i - z_j \rVert^2}{m}\big]_+ \Big), \quad "
            r"q_{ij} \propto \sum_v \pi_{vj} \big(1 + \lVert z_i^v - \mu_j^v \rVert^2\big)^{-1}"
        ),
        representation="autoencoders, one a view",
        clustering="soft assignment with a self-made target, and pairs",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 10,
            "epochs": 3,
            "batch_size": 32,
            "device": "cpu",
        },
        reconstructed=(
            "Of the paper only the abstract could be read, and there is no code. From it: an autoencoder a "
            "view, kept whole while clustering, a common representation, learned weights of the views, and "
            "the three losses. The fused assignment is that of the family (DMJC). Ours: the balanced margin "
            "of the pairs, widths, rates, epochs, codes brought to one size, and views that may be missing."
        ),
        inputs=("pairs",),
        layout=("view_sizes",),
        layout_needed=False,
        order=202206,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        view_sizes: ViewSizes = None,
        gamma: Gamma = 1.0,
        pair_weight: PairWeight = 1.0,
        pair_loss: PairLoss = "hinge",
        keep_decoders: KeepDecoders = True,
        hidden_dims: HiddenDims = (128, 128),
        latent_dim: LatentDim = 10,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 100,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        tolerance: Tolerance = 0.001,
        scale: Scale = "standardize",
        device: Device = "auto",
        precision: Precision = "tf32",
        initial_centers: InitialCenters = "invariant",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.view_sizes = view_sizes
        self.gamma = gamma
        self.pair_weight = pair_weight
        self.pair_loss = pair_loss
        self.keep_decoders = keep_decoders
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.epochs = epochs
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

    @property
    def view_weights_(self) -> NDArray[np.float32]:
        """How much each view counts for each cluster, float32 (V, K)."""
        return torch.from_numpy(self.weights_["weight_logits"]).softmax(dim=0).numpy()

    def setup(self, n_features: int, generator: Generator) -> Any:
        """Return the untrained autoencoders with room for K centres."""
        sizes, marked = self._views(n_features)
        return ViewAutoencoders(
            sizes, marked, self.hidden_dims, self.latent_dim, self.n_clusters, "fan_in", generator
        )

    def scaling(
        self, mean: NDArray[np.float64], variance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return shift and factor of every column; marks of missing views stay 0 and 1."""
        sizes, marked = self._views(len(mean))
        shift, factor = super().scaling(mean, variance)
        if marked:
            shift[-len(sizes) :], factor[-len(sizes) :] = 0, 1
        return shift, factor

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return 256, or what is asked."""
        return self.batch_size or 256

    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Train the autoencoders, then with the clusters and the pairs."""
        of_views = list(network.views.parameters())

        def pretrain(batch: Batch) -> dict[str, Tensor]:
            codes = network.split(network.encode(batch.features))
            return {"reconstruction": rebuilding_error(network, batch.features, codes)}

        def joint(batch: Batch) -> dict[str, Tensor]:
            codes = network.split(network.encode(batch.features).float())
            divergence = kl_divergence(batch.targets["p"], log_assignments(network, codes))
            terms = {"clustering": self.gamma * divergence}
            if self.keep_decoders:
                terms["reconstruction"] = rebuilding_error(network, batch.features, codes)
            if self.pair_weight and (len(data.together) or len(data.apart)):
                terms["pairs"] = self.pair_weight * self._of_pairs(network, data, batch.generator)
            return terms

        told = _Told(network, data)

        def look() -> Refreshed:
            seen = self.look(network, data)
            return replace(seen, figures=told.figures(seen.labels))

        return (
            Phase(
                "pretrain",
                self.pretrain_epochs or 150,
                pretrain,
                of_views,
                Optimiser("adam", self.learning_rate or 1e-3),
                respond=network if self.learning_rate is None else None,
            ),
            Phase(
                "cluster",
                self.epochs,
                joint,
                [*of_views, network.centers, network.weight_logits],
                Optimiser("adam", self.cluster_learning_rate or 1e-3),
                begin=lambda: self.start_centers(network, data),
                refresh=look,
                tolerance=self.tolerance,
                noisy=True,
                watch=told.warnings,
            ),
        )

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:
        """Sharpen the assignments of the whole set (DEC, eq. 3)."""
        return {"p": target_distribution(assignments)}

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the soft assignments fused over the views an item has."""
        return log_assignments(network, network.split(latents)).exp()

    def place(self, network: Any, latents: Tensor) -> Tensor:
        """Return the codes side by side; for a missing one the middle of the likely clusters stands in."""
        codes = network.split(latents)
        if codes.present is None:
            return latents
        likely = self.assign(network, latents) @ network.centers  # (n, V·m)
        known = codes.present.repeat_interleave(network.latent_dim, dim=1)
        return torch.where(known, torch.cat(codes.of_views, dim=1), likely)

    def start_centers(self, network: Any, data: Data) -> None:
        """Bring the codes of all views to one size and put the centres of the first clusters among them."""
        codes = network.split(encode_all(network, data))
        spreads = [
            known_codes(code, codes, at).var(dim=0, unbiased=False) for at, code in enumerate(codes.of_views)
        ]
        for view, spread in zip(network.views, spreads, strict=True):
            factor = spread.mean().clamp_min(1e-12).rsqrt()
            view.stretch(torch.eye(network.latent_dim, device=data.device) * factor)
        latents = filled_codes(network.split(encode_all(network, data)))
        centers, _ = kmeans(latents, self.n_clusters, derived_seed(self.random_state, "kmeans"))
        if self.initial_centers == "invariant":
            centers, covariance = lower_determinant(latents, centers)
            centers = rounded(network, centers, covariance)
        network.centers.data.copy_(centers)
        network.weight_logits.data.zero_()
        between = torch.pdist(centers.double()).square()
        network.margin.fill_(float(between.median()) if len(between) and between.median() > 0 else 1.0)

    def _views(self, n_features: int) -> tuple[tuple[int, ...], bool]:
        """Return the columns of each view, and whether marks of missing ones follow.

        Raises
        ------
        StudioError
            When they do not add up to the columns there are.
        """
        sizes = self.view_sizes or (n_features,)
        if sum(sizes) == n_features:
            return tuple(sizes), False
        if self.view_sizes and sum(sizes) + len(sizes) == n_features:
            return tuple(sizes), True
        raise StudioError(
            f"The {len(sizes)} views have {sum(sizes)} columns together (“view_sizes”), but the data have "
            f"{n_features}.",
            "Give the columns of every view in their order; one more a view may say which items lack it.",
        )

    def _of_pairs(self, network: Any, data: Data, generator: Generator) -> Tensor:
        """Return what some pairs of each kind cost, drawn anew every step where there are many."""
        sides = [_drawn(pairs, generator).T.flatten() for pairs in (data.together, data.apart)]
        latents = network.encode(data.take(torch.cat(sides))).float()
        together, apart = (part.chunk(2) for part in latents.split([len(rows) for rows in sides]))
        if self.pair_loss == "logprob":
            near, far = (log_assignments(network, network.split(torch.cat(s))) for s in (together, apart))
            return pair_log_likelihood(near, far)
        close, distant = (squared_distances(network, *pairs) for pairs in (together, apart))
        if self.pair_loss == "hinge":
            return balanced_hinge(close, distant, network.margin)
        close = close * (len(data.together) / max(1, len(close)))  # for all pairs, from those drawn
        distant = distant * (len(data.apart) / max(1, len(distant)))
        return signed_distances(close, distant) / data.n_items


def _drawn(pairs: Tensor, generator: Generator) -> Tensor:
    if len(pairs) <= PAIRS_A_STEP:
        return pairs
    return pairs[torch.randint(len(pairs), (PAIRS_A_STEP,), generator=generator, device=pairs.device)]


class _Told:
    """How much each view counts and how many pairs are kept, and a warning where one view counts alone."""

    def __init__(self, network: Any, data: Data) -> None:
        self._network, self._data = network, data

    def figures(self, labels: Tensor) -> dict[str, float]:
        """Return the mean weight of every view, and the share of pairs that labels (n,) keep."""
        weights = self._weights()
        found = {f"weight of view {at}": weight for at, weight in enumerate(weights, 1) if len(weights) > 1}
        data = self._data
        n_pairs = len(data.together) + len(data.apart)
        if n_pairs:
            same, other = (
                labels[pairs[:, 0]] == labels[pairs[:, 1]] for pairs in (data.together, data.apart)
            )
            found["pairs kept"] = float(same.sum() + (~other).sum()) / n_pairs
        return found

    def warnings(self) -> tuple[str, ...]:
        """Say where one view decides alone."""
        weights = self._weights()
        if len(weights) < 2 or max(weights) < ALONE:
            return ()
        return (
            f"View {weights.index(max(weights)) + 1} alone decides about the groups (its weight is "
            f"{max(weights):.0%}): the others hardly count any more.",
        )

    def _weights(self) -> list[float]:
        weights: list[float] = self._network.weight_logits.detach().softmax(dim=0).mean(dim=1).tolist()
        return weights
