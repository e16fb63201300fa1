"""FixMatch as a stretch of training: a fresh network learns the labels of some items, and from all others.

Where labels come from is not its business: a person named them, or a clustering is sure of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, one_hot

from clustering.losses.fixmatch import confident_labels, consistency_loss
from clustering.methods.viewing import Viewing
from clustering.networks.refining import Refining
from clustering.parameters import Meaning
from clustering.training.alarms import group_numbers
from clustering.training.optimisers import Optimiser, gentle_cosine
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch
from clustering.views.features import LightNoise, MixedNoise

LOOKS = 100  # at all items, at most
FEWEST_STEPS = 100  # between two looks
LONGEST_MEMORY = 0.999  # of the teacher, a step; shorter where there are few steps
LABELS_A_STEP = 32  # 64 as published
RATIO = 4  # unlabelled items for every labelled one; 7 as published
RATE = 0.03
TOO_FEW = 0.05  # share of sure items below which nearly nothing is learned from the others
SETTLED = 0.3  # share of the epochs after which some should be sure

Ratio = Annotated[
    int,
    Interval(ge=1, le=100),
    Meaning("Items without a label for every labelled one of a step; 7 as published.", advanced=True),
]


@dataclass(frozen=True)
class Schooling:
    """How it learns.

    Parameters
    ----------
    steps : int
        In all.
    threshold : float
        τ: odds from which the class of an item is taken for true.
    balanced : bool
        Whether a labelled item of every group is met as often, however many have labels.
    labels_a_step, ratio : int
        Labelled items of a step, and how many times as many unlabelled ones.
    learning_rate : float
    """

    steps: int
    threshold: float = 0.95
    balanced: bool = True
    labels_a_step: int = LABELS_A_STEP
    ratio: int = RATIO
    learning_rate: float = RATE

    @property
    def epochs(self) -> int:
        """Looks at all items."""
        return max(1, min(LOOKS, self.steps // FEWEST_STEPS))

    @property
    def steps_an_epoch(self) -> int:
        """Steps between two looks."""
        return -(-self.steps // self.epochs)

    @property
    def memory(self) -> float:
        """How much of itself the teacher keeps a step: with few steps .999 would still remember the first."""
        return max(0.0, min(LONGEST_MEMORY, 1 - 10 / self.steps))


class Schoolroom:
    """One network learning.

    Parameters
    ----------
    network : Refining
        Its ``given`` says who teaches; without pictures, its ``codes`` are what is learned from.
    viewing : Viewing
        Of pictures.
    schooling : Schooling
    strength : float
        Of the views of features.
    """

    def __init__(self, network: Refining, viewing: Viewing, schooling: Schooling, strength: float) -> None:
        self._network, self._viewing, self._schooling = network, viewing, schooling
        self._strength = strength

    def phase(
        self,
        name: str,
        begin: Callable[[], None],
        look: Callable[[], Refreshed],
        watch: Callable[[], tuple[str, ...]],
        ends: Callable[[], str] | None = None,
    ) -> Phase:
        """Return the phase; ``begin`` is to say who teaches."""
        schooling = self._schooling
        weights = list(self._network.refiner.student.parameters())
        return Phase(
            name,
            schooling.epochs,
            self.loss,
            weights,
            Optimiser(
                "sgd",
                schooling.learning_rate,
                schedule=gentle_cosine,
                weight_decay=5e-4,
                nesterov=True,
                flat_decays=False,
            ),
            begin=begin,
            refresh=lambda: self.told(look),
            steps=schooling.steps_an_epoch,
            noisy=True,
            draw=self.draw,
            watch=lambda: watch() + self.warnings(),
            ends=ends,
        )

    def draw(self, steps: int, generator: Generator) -> Tensor:
        """Return the rows of some steps, int64 (steps, B + μB): those that teach first, then any."""
        given, schooling = self._network.given, self._schooling
        teachers = (given >= 0).nonzero().squeeze(1)
        labels = given[teachers]
        chances = 1 / torch.bincount(labels)[labels] if schooling.balanced else torch.ones_like(labels)
        count = schooling.labels_a_step
        drawn = torch.multinomial(chances.double(), steps * count, replacement=True, generator=generator)
        others = torch.randint(
            len(given), (steps, count * schooling.ratio), generator=generator, device=given.device
        )
        return torch.cat([teachers[drawn].view(steps, count), others], dim=1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return how badly labels are foretold, and strong views of what is sure."""
        network, schooling = self._network, self._schooling
        network.refiner.follow(schooling.memory)  # with the weights of the step before
        count = schooling.labels_a_step
        light, strong = self.views(batch)
        scores = network.refiner.learn(torch.cat([light, strong])).float()
        own, weak, seen = scores.split([count, len(light) - count, len(strong)])
        labels, sure = confident_labels(weak, schooling.threshold)
        shares = (one_hot(labels, scores.shape[1]) * sure[:, None]).float().mean(dim=0)
        network.taken.lerp_(shares, 0.02)
        return {
            "labels": cross_entropy(own, network.given.index_select(0, batch.rows[:count])),
            "consistency": consistency_loss(labels, sure, seen),
        }

    def views(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return light views of all (B + μB, d), and strong ones of those that need no label (μB, d)."""
        network, count = self._network, self._schooling.labels_a_step
        if network.refiner.pictured:
            rest = replace(batch, features=batch.features[count:], rows=batch.rows[count:])
            return self._viewing.light(batch), self._viewing.strong(rest)
        codes = network.codes.index_select(0, batch.rows)
        spread = torch.ones_like(codes[0])
        light, strong = LightNoise(spread), MixedNoise(spread, self._strength)
        return light(codes, batch.generator), strong(codes[count:], batch.generator)

    def told(self, look: Callable[[], Refreshed]) -> Refreshed:
        """Return a look with the share of the items that are sure beside it.

        Before the first step the network knows nothing: what there was before still speaks.
        """
        if int(self._network.rounds) > 0:
            self._network.refined.fill_(True)
        self._network.rounds += 1
        seen = look()
        figures = {**seen.figures, "sure items": float(self._network.taken.sum())}
        return replace(seen, figures=figures)

    @property
    def settled(self) -> bool:
        """Whether it had the time to learn; before, that it knows little is no cause for alarm."""
        return int(self._network.rounds) >= 2 + SETTLED * self._schooling.epochs

    def warnings(self) -> tuple[str, ...]:
        """Return what a person should know of who is sure."""
        if not self.settled:
            return ()
        network = self._network
        taken = network.taken.tolist()
        if sum(taken) < TOO_FEW:
            return (
                f"Of only {sum(taken):.1%} of the items the network is sure enough to learn from them: it "
                "knows little more than the labels. Choose a smaller threshold, or more labels.",
            )
        taught = torch.unique(network.given[network.given >= 0]).tolist()
        idle = [group for group in taught if taken[group] < TOO_FEW / len(taken)]
        if not idle:
            return ()
        return (
            f"Hardly an item is surely of group {group_numbers(idle)}: what has no label goes to the others. "
            "Choose a smaller threshold, or label more items of it.",
        )
