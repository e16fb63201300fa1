"""What a step of HC-MGAN does: critics, classifiers and generators learn one after the other.

de Mello, Assunção, Murai 2022. A branch is split by one GAN of two generators, which a classifier drives
apart; its halves are refined by a GAN each, whose classifiers tell the own fakes from the other's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from clustering.losses.adversarial import critic_loss, generator_loss
from clustering.losses.generator_identity import generator_identity
from clustering.networks.generator_tree import Gan, GeneratorTree
from clustering.training.step import Batch, Precision, Turn


@dataclass(frozen=True)
class Schedule:
    """How long and how hard the GANs train.

    Parameters
    ----------
    epochs : int
        Of a split, and of each of its refinements.
    refinements : int
        At most.
    batch_size : int
        Items a step, from each half.
    separation : float
        δ, how much driving the generators apart counts beside looking real.
    noise : float
        ν of the first epoch, which falls to 0 in the last.
    least_mass : float
        A branch that holds less is not divided.
    learning_rate, classifier_pace : float
        Of the generators; and times that, of the classifier.
    precision : {"float32", "tf32", "bfloat16"}
    random_state : int
    """

    epochs: int
    refinements: int
    batch_size: int
    separation: float
    noise: float
    least_mass: float
    learning_rate: float
    classifier_pace: float
    precision: Precision
    random_state: int


class GanTurns:
    """The turns of a step, of a split and of a refinement.

    Parameters
    ----------
    network : GeneratorTree
    schedule : Schedule
    """

    def __init__(self, network: GeneratorTree, schedule: Schedule) -> None:
        self._network, self._schedule = network, schedule
        self.gans: list[Gan] = [gan for gan in network.gans if isinstance(gan, Gan)]

    def split(self, batch: Batch) -> Iterator[Turn]:
        """Train one GAN on a branch: its critic, then its classifier, then its two generators."""
        gan = self.gans[0]
        fakes = self._disturbed(gan.generate(self._codes(batch)), batch.generator)
        real = self._disturbed(batch.features, batch.generator)
        yield {"critic": self._criticised(gan, real, fakes)}, judging(gan)
        features = gan.features(fakes)
        told = generator_identity(*gan.told(features.detach()).chunk(2))
        yield {"classifier": told}, list(gan.classifier.head.parameters())
        apart = generator_identity(*gan.told(features).chunk(2))
        yield (
            {"generators": generator_loss(gan.judged(features)), "apart": self._schedule.separation * apart},
            list(gan.generators.parameters()),
        )

    def refine(self, batch: Batch) -> Iterator[Turn]:
        """Train a GAN on each half; its classifier tells the own GAN's fakes from the other's."""
        left, right = self.gans
        reals = self._disturbed(batch.features, batch.generator).chunk(2)
        fakes = [self._disturbed(gan.generate(self._codes(batch)), batch.generator) for gan in (left, right)]
        told = [self._criticised(*side) for side in zip(self.gans, reals, fakes, strict=True)]
        yield {"critic": told[0] + told[1]}, [*judging(left), *judging(right)]
        # By whose features (first) and whose fakes (second).
        seen = {(i, j): self.gans[i].features(fakes[j]) for i in (0, 1) for j in (0, 1)}
        told = [
            generator_identity(gan.told(seen[i, i].detach()), gan.told(seen[i, 1 - i].detach()))
            for i, gan in enumerate(self.gans)
        ]
        heads = [weight for gan in self.gans for weight in gan.classifier.head.parameters()]
        yield {"classifier": told[0] + told[1]}, heads
        real = [generator_loss(gan.judged(seen[i, i])) for i, gan in enumerate(self.gans)]
        # The own classifier is to say "own" of them, and the other's "other".
        apart = [
            generator_identity(gan.told(seen[i, i]), self.gans[1 - i].told(seen[1 - i, i]))
            for i, gan in enumerate(self.gans)
        ]
        generators = [weight for gan in self.gans for weight in gan.generators.parameters()]
        driven = self._schedule.separation * (apart[0] + apart[1])
        yield {"generators": real[0] + real[1], "apart": driven}, generators

    def _codes(self, batch: Batch) -> Tensor:
        shape = (self._schedule.batch_size, self._network.code_dim)
        return batch.features.new_empty(shape).uniform_(-1, 1, generator=batch.generator)

    def _disturbed(self, items: Tensor, generator: Generator) -> Tensor:
        """Return x + x ⊙ ε ν with ε ~ N(0, 1)."""
        return items * (1 + self._network.noise * torch.empty_like(items).normal_(generator=generator))

    def _criticised(self, gan: Gan, real: Tensor, fakes: Tensor) -> Tensor:
        logits = gan.judged(gan.features(torch.cat([real, fakes.detach()])))  # rows do not see each other
        return critic_loss(logits[: len(real)], logits[len(real) :])


def judging(gan: Gan) -> list[nn.Parameter]:
    """Return what learns from the critic's loss: its features and its own layer."""
    return [*gan.classifier.encoder.parameters(), *gan.critic.parameters()]
