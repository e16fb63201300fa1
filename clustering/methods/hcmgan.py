"""HC-MGAN: a tree of clusters from the top down, each split found by a GAN with two generators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Generator

from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.methods.beside import Beside
from clustering.methods.gan_turns import Schedule
from clustering.methods.grown_tree import GrownTree
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.settings import BatchSize, Device, HiddenDims, LearningRate, Precision, Profile, Scale
from clustering.methods.split_settings import (
    CodeDim,
    LeastMass,
    Maps,
    Noise,
    Refinements,
    Separation,
    SplitEpochs,
    Trunk,
    lightest,
)
from clustering.methods.splitting import Splitting
from clustering.networks.generator_tree import GeneratorTree, Plan
from clustering.training.data import Data
from clustering.training.events import Emit
from clustering.training.phase import Phase
from clustering.views.pixels import picture_shape

FAST_STEPS, FAST_EPOCHS = 3000, 10  # steps of the first split, and epochs at least


class HCMGAN(GrownTree):
    """Hierarchical Clustering by Multi-generator GANs (de Mello, Assunção, Murai 2022).

    The whole collection is one branch at first. Again and again the heaviest branch is divided: two
    generators learn to make items like its own, driven apart by a classifier that tells whose fake is whose;
    shown real items, the classifier says to which half each belongs, and how surely. Then each half gets a
    GAN of its own, and their classifiers reconsider the items. The leaves are the clusters.

    Parameters
    ----------
    n_clusters : int, default 10
        Leaves. The tree can be read, and cut, at every smaller number.
    trunk : {"dense", "convolution"}, default "dense"
        ``convolution``, the published networks, needs the pixels of square pictures.
    profile : {"paper", "fast"}, default "fast"
        ``paper``: 100 epochs a phase and at most 6 refinements a split, as published for MNIST, which takes
        hours there. ``fast``: one refinement, 10 epochs, or on small collections as many as make 3,000 steps
        of the first split (never more than 100), and convolutions with a quarter of the maps.
    epochs, refinements : int, optional
        Instead of those of the profile. An epoch of a split is a pass over the branch.
    separation : float, default 1
        δ of the generators' loss.
    noise : float, optional
        ν of the multiplicative noise on real and generated items alike, which falls to 0 within each phase: 1
        with convolutions, as published for MNIST, and .3 with dense layers.
    hidden_dims : 128–64 by default
        Widths of the dense encoders; generators have two layers of the first.
    maps : int, optional
        Of the first convolution of the encoder, 128 as published.
    code_dim : int, default 100
    least_mass : float, optional
    batch_size : int, optional
        Items of a half in a step; 100 by default, as published, with convolutions, and 64 with dense layers.
    learning_rate : float, optional
        Of the generators, with Adam, β₁ = .5; the critic learns half as fast, the classifier a tenth as fast
        with convolutions (2e-4, 1e-4 and 2e-5 as published) and half as fast with dense layers (1e-3).
    scale : {"none", "unit", "standardize"}, default "unit"
        Of features; ``standardize`` where columns are in different units. Pixels for convolutions are always
        brought within ±1.
    device, precision, random_state
        As in `DEC`.

    Attributes
    ----------
    children_ : int64 array (u - 1, 2)
        The splits in reverse as a history of merges, as in `MergeTree`.
    heights_ : float64 array (u - 1,)
        The mass, in items, of the branch that was divided.
    memberships_ : float32 array (n, u)
        What every leaf holds of every item; rows sum to 1.
    places_ : int64 array (n,)
        The leaf that holds most of each item.
    generated_ : float32 array (u - 1, 2, 8, d)
        What the generators of either half made when a split was done, by merge and in the order of its
        children, as pixels of pictures; of other features (u - 1, 2, 8, 0).
    nearest_ : int64 array (u - 1, 2, 8)
        The real items nearest to them; −1 where nobody kept them.

    Notes
    -----
    After the authors' code (dmdmello/HC-MGAN, commit 3d6c9b3). Ours: both halves are refined in the same
    step, where theirs takes turns; δ counts once where theirs squares it in splits (the same at δ = 1); the
    rule that ends refinements looks at a share of the items where theirs has the number 150; a branch whose
    GAN collapses four times stays whole where theirs ends the program; no GAN counts as collapsed before
    2,000 steps, as an epoch of a small collection has few; everything for features that are no pixels; that
    a branch can be split again.
    """

    info = MethodInfo(
        name="hcmgan",
        title="HC-MGAN",
        paper=(
            "Top-Down Deep Clustering with Multi-Generator GANs. Daniel P. M. de Mello, Renato M. Assunção, "
            "Fabricio Murai"
        ),
        year=2022,
        source="arXiv:2112.03398",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Divides the collection in two, and the halves again, by generators that share it out.",
        when_to_use=(
            "When you want a family tree from the top down: the first splits are the broadest, every item "
            "belongs to each branch by a degree, and the tree can be cut at any level. Pixels of small "
            "pictures of one kind suit it best, with convolutions."
        ),
        how_it_fails=(
            "A split may follow a manner (thick or thin strokes) rather than a group, and no later one mends "
            "it: split that branch again from another seed. k-means often agrees better with known groups: "
            "on scikit-learn's digits its accuracy is .79 and Ward's .84, here .45 (three seeds); what you "
            "gain is membership by degrees in a hierarchy. GANs are moody: one may make the same item again "
            "and again, and another seed gives another tree. It learns slowly, and nobody promises natural "
            "photographs."
        ),
        formula=(
            r"\min_{G_1, G_2} -\log D(G_g(z)) - \delta \log C_g(G_g(z)), \qquad "
            r"s_l = \tfrac{1}{2} s_k \bigl(C_l(x)_l + C_m(x)_l\bigr), \quad s_l + s_m = s_k"
        ),
        representation="generative adversarial networks with several generators",
        clustering="top-down tree by a classifier of the generators",
        interaction="generative",
        reconstructed=(
            "The authors' code was followed; of their paper only the abstract could be read. Ours: dense "
            "layers for what is no picture, both halves refined in one step, the rule that ends "
            "refinements as a share of the items, and that a branch whose GAN collapses stays whole."
        ),
        test_settings={
            "n_clusters": 3,
            "epochs": 5,
            "refinements": 0,
            "hidden_dims": (32, 32),
            "code_dim": 8,
            "batch_size": 8,
            "learning_rate": 0.02,
            "least_mass": 4.0,
            "noise": 0.5,
            "scale": "standardize",
            "device": "cpu",
        },
        order=202206,
        offers=("tree", "splits"),
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        trunk: Trunk = "dense",
        profile: Profile = "fast",
        epochs: SplitEpochs = None,
        refinements: Refinements = None,
        separation: Separation = 1.0,
        noise: Noise = None,
        hidden_dims: HiddenDims = (128, 64),
        maps: Maps = None,
        code_dim: CodeDim = 100,
        least_mass: LeastMass = None,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "unit",
        device: Device = "auto",
        precision: Precision = "tf32",
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.trunk = trunk
        self.profile = profile
        self.epochs = epochs
        self.refinements = refinements
        self.separation = separation
        self.noise = noise
        self.hidden_dims = hidden_dims
        self.maps = maps
        self.code_dim = code_dim
        self.least_mass = least_mass
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> GeneratorTree:
        """Return the untrained networks; those of a fitted tree without its GANs."""
        maps = self.maps or (128 if self.profile == "paper" else 32)
        plan = Plan(n_features, self._picture(n_features), self.hidden_dims, maps, self.code_dim)
        if hasattr(self, "children_"):
            return GeneratorTree(plan, len(self.children_), 0, generator)
        return GeneratorTree(plan, self.n_clusters - 1, 2 if self._n_refinements() else 1, generator)

    def _picture(self, n_features: int) -> tuple[int, int, int] | None:
        if self.trunk == "dense":
            return None
        shape = picture_shape(n_features)
        if shape is None:
            raise StudioError(
                f"Convolutions need square pictures; {n_features} features are no pixels of one.",
                "Choose the encoder “pixels”, or the trunk “dense”.",
            )
        return shape.height, shape.width, shape.channels

    def _n_refinements(self) -> int:
        if self.refinements is not None:
            return self.refinements
        return 6 if self.profile == "paper" else 1

    def _n_epochs(self, n_items: int) -> int:
        if self.profile == "paper":
            return 100
        wanted = -(-FAST_STEPS * self.rows_a_batch(n_items) // n_items)
        return min(max(wanted, FAST_EPOCHS), 100)

    def lightest(self, n_items: int) -> float:
        """Return what a branch must hold to be divided, in items."""
        return lightest(self.least_mass, n_items)

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return 100 for pictures, as published, and 64 for features."""
        return self.batch_size or (100 if self.trunk == "convolution" else 64)

    def scaling(
        self, mean: NDArray[np.float64], variance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return shift and factor of every column; pixels are brought within ±1, where generators end."""
        if self.trunk == "dense":
            return super().scaling(mean, variance)
        low, high = self.range_
        one = np.ones_like(mean)
        return (low + high) / 2 * one, (2 / (high - low) if high > low else 1.0) * one

    def phases(self, network: GeneratorTree, data: Data) -> tuple[Phase, ...]:
        """Split the heaviest leaf, again and again."""
        if not data.resident:
            raise StudioError(
                f"HC-MGAN draws from all items in every step, and these {data.n_items:,} do not fit into the "
                "memory there is.",
                "Choose a machine with more memory, or features with fewer dimensions.",
            )
        self.begin(network)
        pictures = self.trunk == "convolution"
        schedule = Schedule(
            epochs=self.epochs or self._n_epochs(data.n_items),
            refinements=self._n_refinements(),
            batch_size=self.rows_a_batch(data.n_items),
            separation=self.separation,
            noise=(1.0 if pictures else 0.3) if self.noise is None else self.noise,
            least_mass=self.lightest(data.n_items),
            learning_rate=self.learning_rate or (2e-4 if pictures else 1e-3),
            classifier_pace=0.1 if pictures else 0.5,
            precision=self.precision,
            random_state=self.random_state,
        )
        return Splitting(network, data, schedule).phases()

    def _train(
        self, items: NDArray[np.float32], emit: Emit | None, folder: Path | None, beside: Beside
    ) -> None:
        least = self.lightest(len(items))
        if self.n_clusters > 1 and len(items) < least:
            raise StudioError(
                f"HC-MGAN divides branches of {least:,.0f} items or more; there are only {len(items):,}.",
                "Load more items, choose a smaller “least_mass”, or try Ward's tree.",
            )
        self.range_ = [float(items.min()), float(items.max())]
        super()._train(items, emit, folder, beside)
