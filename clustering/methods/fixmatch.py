"""FixMatch: a person names the groups of some items, and a network learns to name all the others.

`refine` is the short way; `FixMatch` is the estimator behind it, with events, checkpoints and several seeds.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import Interval
from numpy.typing import ArrayLike
from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.labels import groups_without
from clustering.methods.learning_from_views import ViewClusterer, Watch, check_enough
from clustering.methods.refining import LABELS_A_STEP, RATE, RATIO, Ratio, Schooling, Schoolroom
from clustering.methods.settings import (
    BatchSize,
    Device,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    Scale,
)
from clustering.methods.viewing import Strength, Viewing
from clustering.networks.refining import FixMatchNetwork
from clustering.parameters import Meaning
from clustering.training.alarms import group_numbers
from clustering.training.data import Data
from clustering.training.device import DeviceName
from clustering.training.events import Emit
from clustering.training.inference import encode_all
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch

STEPS = 1000

LabelViews = Literal["noise", "digits", "artworks", "photographs"]
Steps = Annotated[
    int,
    Interval(ge=1, le=2**21),
    Meaning("Steps of learning from labels; 1,048,576 as published, a few thousand for small collections."),
]
Threshold = Annotated[
    float,
    Interval(ge=0, le=1),
    Meaning("How sure the network must be of an item without a label to learn from it."),
]


class FixMatch(ViewClusterer):
    """FixMatch (Sohn et al. 2020): labels of some items, and what is sure of the others.

    In every step the network learns the labels of some items, and for others that it puts surely into a group
    in a light view, to put a strong view of them there too. The mean of its weights over the steps speaks.

    Parameters
    ----------
    n_clusters : int, default 10
        K; labels are 0 to K − 1.
    views : {"noise", "digits", "artworks", "photographs"}, default "noise"
        ``noise`` is for features: a network with one hidden layer learns from them, light views are noise,
        strong ones have some of another item mixed in and numbers left out. The others are for pixels of
        square pictures: convolutions learn from moved and from distorted pictures.
    strength : float, default 1
        Of the views.
    steps : int, default 1000
    threshold : float, default .95
        τ.
    ratio : int, default 4
        μ; 7 as published.
    balanced : bool, default True
        Whether labelled items of every group are met as often, however many have labels.
    latent_dim : int, default 128
        Width of the features of pictures; features given are not changed.
    batch_size : int, optional
        Labelled items of a step; 32, and 64 as published.
    learning_rate : float, optional
        .03.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: both losses, the mean over all and not over the sure, hard labels, SGD with Nesterov's
    momentum, weight decay of weights alone, the cosine, one forward pass for all views. Ours: small networks,
    few steps, a teacher whose memory is no longer than a tenth of them, labelled items drawn evenly over the
    groups, SCAN's operations in place of RandAugment's, and all that concerns features.

    A labelled item may end in another group than it was given.

    On scikit-learn's digits with two labels of each, drawn at random (shares of the other items that come out
    right, two seeds): .969 and .931 with views “digits”, in a minute on a processor, where the nearest
    labelled item gives .80 and .78. On the pixels as features it does little better than that: .80, .85 and
    .74 (three seeds; nearest .80, .78, .83), and with four labels of each .81, .90 and .89 (.81, .83, .85).
    """

    info = MethodInfo(
        name="fixmatch",
        title="FixMatch",
        paper="FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence. Kihyuk Sohn, "
        "David Berthelot, Chun-Liang Li, Zizhao Zhang, Nicholas Carlini, Ekin D. Cubuk, Alex Kurakin, "
        "Han Zhang, Colin Raffel",
        year=2020,
        source="NeurIPS 2020, arXiv:2001.07685",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        inputs=("labels",),
        summary="Learns the groups a person named for some items, and puts all others into them.",
        when_to_use=(
            "You can name the groups of some items, a few of each: it spreads what you said to all the "
            "others. On features of a trained network it takes seconds to minutes; on small pictures it "
            "learns to see anew."
        ),
        how_it_fails=(
            "It believes every label, also a wrong one. With a handful of labels, which items have them "
            "decides: three points up or down are chance. A group nobody labelled gets no item, and one with "
            "few or untypical labels may lose its items to the others, surely."
        ),
        formula=(
            r"\min\ -\frac1B\sum_b \log p(x_b)_{y_b} - \frac1{\mu B}\sum_{\max p(u) \ge \tau} "
            r"\log p(\tilde u)_{\arg\max p(u)}"
        ),
        representation="features as they are, or learned from labels",
        clustering="labels of some items spread to all",
        interaction="simultaneous",
        order=202010,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        views: Annotated[
            LabelViews,
            Meaning(
                "What counts as another look at the same item: for features “noise”; for pixels of square "
                "pictures moved and slanted (“digits”), mirrored and cut in their own colours (“artworks”), "
                "or in another light too (“photographs”)."
            ),
        ] = "noise",
        strength: Strength = 1.0,
        steps: Steps = STEPS,
        threshold: Threshold = 0.95,
        ratio: Ratio = RATIO,
        balanced: Annotated[
            bool,
            Meaning("Meet labelled items of every group as often, however many have labels.", advanced=True),
        ] = True,
        latent_dim: LatentDim = 128,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.views = views
        self.strength = strength
        self.steps = steps
        self.threshold = threshold
        self.ratio = ratio
        self.balanced = balanced
        self.latent_dim = latent_dim
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | Any = None,
        *,
        emit: Emit | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Learn the labels of some items and put all into groups.

        Parameters
        ----------
        X : array-like (n, d)
            All items, labelled or not.
        y : int array-like (n,)
            The group of each item, 0 to K − 1, and −1 where nobody said.
        emit, checkpoint
            As in `DEC`.

        Raises
        ------
        StudioError
            When the data or the labels cannot be used, or the training runs away.
        """
        if y is None:
            raise StudioError(
                "FixMatch learns from labels, and there are none.", "Label some items of each group."
            )
        return self._fit(X, emit, checkpoint, labels=y)

    @property
    def schooling(self) -> Schooling:
        """How it learns."""
        return Schooling(
            self.steps,
            self.threshold,
            self.balanced,
            self.batch_size or LABELS_A_STEP,
            self.ratio,
            self.learning_rate or RATE,
        )

    @property
    def epochs(self) -> int:  # type: ignore[override]
        """Looks at all items."""
        return self.schooling.epochs

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return all items of a step."""
        return self.schooling.labels_a_step * (1 + self.ratio)

    def setup(self, n_features: int, generator: Generator) -> FixMatchNetwork:
        """Return the untrained network."""
        return FixMatchNetwork(
            n_features, self.pictured(n_features), self.latent_dim, self.n_clusters, generator
        )

    def agreement(self, network: Any, viewing: Viewing, batch: Batch) -> dict[str, Tensor]:
        """Return how badly labels are foretold, and strong views of what is sure."""
        return Schoolroom(network, viewing, self.schooling, self.strength).loss(batch)

    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Learn from the labels, and look at the groups now and then."""
        check_enough(self.info.title, data.n_items)
        assert data.labels is not None
        labels = data.labels
        missing = groups_without(labels.cpu().numpy(), self.n_clusters)
        viewing = Viewing(data, self.views, self.strength)
        watch = Watch(self, network, data, viewing)

        def begin() -> None:
            network.given = labels.clone()
            network.teaches.fill_(True)
            if not network.refiner.pictured:
                network.freeze(encode_all(network, data))

        def look() -> Refreshed:
            return replace(watch.look(), given=not network.refiner.pictured)

        def warnings() -> tuple[str, ...]:
            first = int(network.rounds) == 2  # the look before, and that after the first epoch
            return (*(unlabelled(missing) if first else ()), *watch.warnings())

        room = Schoolroom(network, viewing, self.schooling, self.strength)
        return (room.phase("learn", begin, look, warnings),)


def unlabelled(groups: list[int]) -> tuple[str, ...]:
    """Say which groups nobody labelled."""
    if not groups:
        return ()
    return (
        f"No item is labelled with group {group_numbers(groups)}: no item will be put there. Label one, or "
        "leave it out.",
    )


def refine(
    X: ArrayLike,
    labels: ArrayLike,
    *,
    n_clusters: int | None = None,
    views: LabelViews = "noise",
    steps: int = STEPS,
    threshold: float = 0.95,
    device: DeviceName = "auto",
    random_state: int = 0,
    emit: Emit | None = None,
    checkpoint: Path | None = None,
) -> FixMatch:
    """Spread the labels of some items to all.

    Parameters
    ----------
    X : array-like (n, d)
        All items: features, or pixels of square pictures with the ``views`` made for them.
    labels : int array-like (n,)
        The group of each item from 0, −1 where nobody said; a person's, or those a clustering is sure of.
    n_clusters : int, optional
        By default the largest label and one.
    views, steps, threshold, device, random_state
        As in `FixMatch`.
    emit, checkpoint
        As in `FixMatch.fit`.

    Returns
    -------
    FixMatch
        Fitted: ``labels_`` (n,), ``soft_assignments_`` (n, K), and `predict` for new items.

    Raises
    ------
    StudioError
        When the data or the labels cannot be used, or the training runs away.
    """
    most = max(0, int(np.max(np.asarray(labels), initial=0)))
    model = FixMatch(
        n_clusters or most + 1,
        views=views,
        steps=steps,
        threshold=threshold,
        device=device,
        random_state=random_state,
    )
    return model.fit(X, labels, emit=emit, checkpoint=checkpoint)
