"""SyntDEC: what kinds of words, or of phrases, there are, found in what a language model makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor

from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.losses.context import Contexts, context_codes, context_reconstruction, contexts_of
from clustering.losses.kl import kl_divergence
from clustering.losses.reconstruction import reconstruction
from clustering.losses.soft_assignment import log_soft_assignments
from clustering.losses.target_distribution import target_distribution
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
from clustering.methods.stacked import dropped
from clustering.networks.autoencoder import Autoencoder
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch

WIDEST = 64  # neighbours of a context at most
LOOKED_AT = 8192  # items whose rebuilding is judged
HARDLY = 0.05  # of the variance rebuilt: codes that tell next to nothing

Objective = Annotated[
    Literal["itself", "context"],
    Meaning(
        "What a word's code must rebuild: the word itself (“itself”), or, with those of the other words "
        "around it, their neighbour (“context”). The second looks more at how a word is used; it needs the "
        "order of the words, which a collection of words in sentences has."
    ),
]
ClusteringWeight = Annotated[
    float,
    Interval(ge=0, le=100),
    Meaning("Weight of the clustering beside the reconstruction, which keeps groups from falling together."),
]


class SyntDEC(LinkedClusterer):
    """SyntDEC (Gupta, Shi, Gimpel, Sachan 2022): L = L_rec + λ KL(P‖Q) on states of words, a reconstruction.

    An autoencoder makes short codes of the states, k-means with 20 restarts finds the first groups among
    them, and both are then trained together. The codes may be asked to rebuild each word, or to predict it
    from the mean code of the words around it (a continuous bag of words).

    Parameters
    ----------
    n_clusters : int, default 10
        The published tasks take the number of parts of speech: 45, 17 or 12.
    objective : {"itself", "context"}, default "itself"
        ``context`` needs the ``edges`` of `fit`: which words stand near which.
    clustering_weight : float, default 1
        λ.
    hidden_dims, latent_dim : 512–256–64 by default
    pretrain_epochs : int, optional
        50 by default; a fifth of the input is left out at random.
    epochs : int, default 20
    batch_size : int, optional
        1,024 by default.
    learning_rate, cluster_learning_rate : float, optional
        1e-3 and 1e-4 by default, with Adam.
    scale : {"standardize", "unit", "none"}, default "standardize"
        A few dimensions of a language model's states are huge; left so, the autoencoder rebuilds only those.
    initial_centers : {"kmeans", "invariant"}, default "kmeans"
    tolerance, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    On 25,147 words of the English web treebank (17 tags) it has V-measure .439 ± .019 on states of a small
    language model against k-means' .366 ± .018 (three seeds), and .486 ± .007 against .441 ± .011 on counted
    neighbours (five). What is counted decides there: with all neighbours of a word, those seen once or twice
    as well, and vectors as long as the word is frequent, both fall to .32 and less, short of a prototype's
    .363; the training was the same. ``context`` helps neither (.430 ± .004 on counted neighbours).

    A reconstruction, see ``info.reconstructed``. Targets are those of the whole set, renewed once an epoch.
    """

    info = MethodInfo(
        name="syntdec",
        title="SyntDEC (reconstruction)",
        paper=(
            "Deep Clustering of Text Representations for Supervision-free Probing of Syntax. "
            "Vikram Gupta, Haoyue Shi, Kevin Gimpel, Mrinmaya Sachan"
        ),
        year=2022,
        source="AAAI 2022, arXiv:2010.12784",
        family="deep",
        kinds=ANY_FEATURES,
        first_for=("tokens",),
        needs_n_clusters=True,
        summary="Finds kinds of words or phrases in the states of a language model, without a single label.",
        when_to_use=(
            "Words or phrases in sentences: to see whether a language model, or what stands beside a word, "
            "tells nouns from verbs by itself. Run it layer by layer and compare: that is the probe "
            "it was made for. It also suits long vectors of whole texts."
        ),
        how_it_fails=(
            "Frequent words such as “the” make groups of their own and cut the rare ones short; many-to-one "
            "accuracy rises with the number of groups and with punctuation, which is easily set apart: read "
            "it beside the V-measure and the share of the commonest class. It prefers groups of similar "
            "size, and parts of speech are not. Most of what it gains over k-means comes from the short "
            "codes: look at autoencoder + k-means beside it. More than the training, the features decide: "
            "counting rare neighbours as well cost it a third of its agreement with the parts of speech."
        ),
        formula=(
            r"\min_{\theta,\mu} \frac{1}{nd} \sum_t \lVert x_t - g(c_t) \rVert^2 "
            r"+ \lambda \, \frac{1}{n} \sum_t \sum_j p_{tj} \log\frac{p_{tj}}{q_{tj}}, \quad "
            r"c_t = f(x_t) \ \text{or} \ \tfrac{1}{|C_t|} \sum_{s \in C_t} f(x_s)"
        ),
        representation="autoencoder",
        clustering="soft assignment with a self-made target",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 20,
            "epochs": 3,
            "batch_size": 32,
            "device": "cpu",
        },
        reconstructed=(
            "Of the paper only the abstract and the introduction could be read, and there is no code. From "
            "it: the two things a code may rebuild, the joint loss, end points of phrases side by side, and "
            "endings of words beside the states. Ours: widths, rates, epochs, λ = 1, two words on either "
            "side, and pretraining of all layers at once."
        ),
        inputs=("contexts",),
        order=202205,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        objective: Objective = "itself",
        clustering_weight: ClusteringWeight = 1.0,
        hidden_dims: HiddenDims = (512, 256),
        latent_dim: LatentDim = 64,
        pretrain_epochs: PretrainEpochs = None,
        epochs: Epochs = 20,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        cluster_learning_rate: ClusterLearningRate = None,
        tolerance: Tolerance = 0.001,
        scale: Scale = "standardize",
        device: Device = "auto",
        precision: Precision = "tf32",
        initial_centers: InitialCenters = "kmeans",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.objective = objective
        self.clustering_weight = clustering_weight
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

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return 1,024, or what is asked."""
        return self.batch_size or 1024

    def phases(self, network: Autoencoder, data: Data) -> tuple[Phase, ...]:
        """Train the autoencoder, then with the groups."""
        contexts = _contexts(data) if self.objective == "context" else None
        rebuild = _rebuilding(network, data, contexts)
        weights = [*network.encoder.parameters(), *network.decoder.parameters()]

        def pretrain(batch: Batch) -> dict[str, Tensor]:
            return {"reconstruction": rebuild(batch, lambda rows: dropped(rows, batch.generator))}

        def joint(batch: Batch) -> dict[str, Tensor]:
            codes = network.encode(batch.features).float()
            divergence = kl_divergence(batch.targets["p"], log_soft_assignments(codes, network.centers))
            rebuilt = (
                reconstruction(batch.features, network.decode(codes).float())
                if contexts is None
                else rebuild(batch, lambda rows: rows)
            )
            return {"reconstruction": rebuilt, "clustering": self.clustering_weight * divergence}

        told = _Told(network, data, contexts)

        def look() -> Refreshed:
            seen = self.look(network, data)
            return replace(seen, figures=told.figures(seen.latents))

        return (
            Phase(
                "pretrain",
                self.pretrain_epochs or 50,
                pretrain,
                weights,
                Optimiser("adam", self.learning_rate or 1e-3),
                noisy=True,
                respond=network if self.learning_rate is None else None,
            ),
            Phase(
                "cluster",
                self.epochs,
                joint,
                [*weights, network.centers],
                Optimiser("adam", self.cluster_learning_rate or 1e-4),
                begin=lambda: self.start_centers(network, data),
                refresh=look,
                tolerance=self.tolerance,
                watch=told.warnings,
            ),
        )

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:
        """Sharpen the assignments of the whole set (DEC, eq. 3)."""
        return {"p": target_distribution(assignments)}


Seen = Callable[[Tensor], Tensor]  # rows of features → what the encoder is shown of them


def _rebuilding(
    network: Autoencoder, data: Data, contexts: Contexts | None
) -> Callable[[Batch, Seen], Tensor]:
    """Return the reconstruction error of a batch, from each item's own code or from its neighbours'."""
    if contexts is None:

        def from_itself(batch: Batch, seen: Seen) -> Tensor:
            return reconstruction(batch.features, network(seen(batch.features)).float())

        return from_itself

    def from_context(batch: Batch, seen: Seen) -> Tensor:
        near = contexts.neighbours.index_select(0, batch.rows)  # (b, w)
        weights = contexts.weights.index_select(0, batch.rows)
        codes = network.encode(seen(data.take(near.flatten()))).float()
        means = context_codes(codes.view(*near.shape, -1), weights)  # (b, m)
        return context_reconstruction(batch.features, network.decode(means).float(), weights)

    return from_context


def _contexts(data: Data) -> Contexts:
    if data.edges is None or not len(data.edges):
        raise StudioError(
            "SyntDEC was asked to predict words from their context, but nothing says which stand near which.",
            "Choose objective “itself”, take a collection of words in sentences, or give “edges” to the fit.",
        )
    most = int(torch.bincount(data.edges.flatten()).max())
    if most > WIDEST:
        raise StudioError(
            f"One item has {most:,} neighbours; a context holds at most {WIDEST}.",
            "Link each word only to the few that stand next to it, or choose objective “itself”.",
        )
    return contexts_of(data.edges, data.n_items)


class _Told:
    """How much of the items' variance the codes rebuild, and a warning where it is little."""

    def __init__(self, network: Autoencoder, data: Data, contexts: Contexts | None) -> None:
        self._network, self._data, self._contexts = network, data, contexts
        count = min(LOOKED_AT, data.n_items)
        self._rows = torch.linspace(0, data.n_items - 1, count, device=data.device).long()
        self._share = 1.0

    def figures(self, latents: Tensor) -> dict[str, float]:
        """Return the share of the variance of some items that is rebuilt from latents (n, m)."""
        inputs = self._data.take(self._rows)
        with torch.no_grad():
            if self._contexts is None:
                errors = (self._network.decode(latents[self._rows]).float() - inputs).square().mean()
            else:
                near, weights = (table[self._rows] for table in self._contexts)
                codes = context_codes(latents[near.flatten()].view(*near.shape, -1), weights)
                errors = context_reconstruction(inputs, self._network.decode(codes).float(), weights)
            variance = inputs.var(dim=0, unbiased=False).mean().clamp_min(1e-12)
            self._share = float(1 - errors / variance)
        return {"share rebuilt": self._share}

    def warnings(self) -> tuple[str, ...]:
        """Say where the codes tell next to nothing."""
        if self._share >= HARDLY:
            return ()
        share = f"{max(self._share, 0):.0%}"
        if self._contexts is not None:
            return (
                f"The words around a word tell {share} of what its features hold: groups found this way may "
                "mean nothing. Train longer before clustering, or choose objective “itself”.",
            )
        return (
            f"The codes rebuild {share} of what the features hold, so groups found in them may mean nothing. "
            "Train longer before clustering, or choose a smaller weight of the clustering.",
        )
