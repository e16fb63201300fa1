"""FAE's first stage: a variational autoencoder, the critic that judges it, and signs that either has lost.

Larsen, Sønderby, Larochelle, Winther 2016 (VAE-GAN): the encoder learns from the prior and the
reconstruction, the generator also from the critic, the critic from its own loss alone. Each term here reaches
only those whose it is, so that one backward pass serves all.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from clustering.losses.adversarial import critic_loss, generator_loss
from clustering.losses.feature_distance import feature_distance
from clustering.losses.prior_divergence import prior_divergence
from clustering.networks.fusion_autoencoder import FusionAutoencoder
from clustering.training.data import Data
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase
from clustering.training.step import Batch

WARM_UP, CRITIC_ALONE = 10, 1  # passes
SAMPLE = 512  # items by which both sides are watched
ACTIVE = 0.01  # variance of μ above which a dimension of the code is used
EVEN = (0.55, 0.95)  # share of right judgements between which neither side has won


class Fusing:
    """The phases of the first stage.

    Parameters
    ----------
    network : FusionAutoencoder
    data : Data
    prior_weight, adversarial_weight : float
        With an adversarial weight of 0 there is no critic.
    optimiser : Optimiser
    passes : int
        With the critic.
    """

    def __init__(
        self,
        network: FusionAutoencoder,
        data: Data,
        prior_weight: float,
        adversarial_weight: float,
        optimiser: Optimiser,
        passes: int,
    ) -> None:
        self.network, self.data, self._passes = network, data, passes
        self._prior_weight, self._adversarial_weight = prior_weight, adversarial_weight
        self._optimiser = optimiser

    def phases(self, restart: bool) -> tuple[Phase, ...]:
        """Return warm-up, the critic alone, and both; ``restart`` lets the first begin again if it must."""
        network, optimiser = self.network, self._optimiser
        autoencoder = [
            *network.down.parameters(),
            *network.to_code.parameters(),
            *network.up.parameters(),
        ]
        critic = list(network.critic.parameters())
        alone = self._adversarial_weight == 0
        warm_up = Phase(
            "warm up",
            WARM_UP + self._passes if alone else WARM_UP,
            self.autoencoding,
            autoencoder,
            optimiser,
            noisy=True,
            watch=self.unused_codes,
            respond=network if restart else None,
        )
        if alone:
            return (warm_up,)
        return (
            warm_up,
            Phase("critic", CRITIC_ALONE, self.judging, critic, optimiser, noisy=True),
            Phase(
                "fusion",
                self._passes,
                self.fusion,
                [*autoencoder, *critic],
                optimiser,
                noisy=True,
                watch=lambda: self.unused_codes() + self.uneven(),
            ),
        )

    def autoencoding(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of a variational autoencoder, errors summed over the features of an item."""
        return self._rebuilding(batch)[0]

    def judging(self, batch: Batch) -> dict[str, Tensor]:
        """Return the critic's loss alone."""
        with torch.no_grad():
            codes = self.network.code(batch.features).drawn(batch.generator)
            fakes = self.network.generate(torch.cat([codes, _prior(codes, batch.generator)]))
        return {"critic": self._judged(batch.features, fakes)}

    def fusion(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of encoder, generator and critic."""
        network = self.network
        terms, codes, rebuilt = self._rebuilding(batch)
        terms["features"] = feature_distance(
            network.critic(batch.features, frozen=True).features.float(),
            network.critic(rebuilt, frozen=True).features.float(),
        )
        # From codes that are constants: the encoder hears nothing of the critic's judgement.
        codes = codes.detach()
        fakes = network.generate(torch.cat([codes, _prior(codes, batch.generator)]))
        logits = network.critic(fakes, frozen=True).logits.float()
        terms["adversarial"] = self._adversarial_weight * generator_loss(*logits.chunk(2))
        terms["critic"] = self._judged(batch.features, fakes.detach())
        return terms

    def _rebuilding(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Return prior and reconstruction with the drawn codes (b, c) and what was rebuilt (b, d)."""
        code = self.network.code(batch.features)
        codes = code.drawn(batch.generator)
        rebuilt = self.network.generate(codes).float()
        terms = {
            "prior": self._prior_weight * prior_divergence(code.means.float(), code.log_variances.float()),
            "reconstruction": (batch.features - rebuilt).square().sum(dim=1).mean(),
        }
        return terms, codes, rebuilt

    def _judged(self, real: Tensor, fakes: Tensor) -> Tensor:
        logits = self.network.critic(torch.cat([real, fakes])).logits.float()
        return critic_loss(*logits.chunk(3))

    def unused_codes(self) -> tuple[str, ...]:
        """Say when the prior has silenced most of the code."""
        with torch.no_grad():
            active = self.network.code(self._sample()).means.float().var(dim=0, unbiased=False) > ACTIVE
        used, there = int(active.sum()), len(active)
        if 2 * used >= there:
            return ()
        return (
            f"Only {used} of {there} dimensions of the code tell items apart: the pull to the prior is too "
            "strong; choose a smaller “prior_weight”.",
        )

    def accuracy(self) -> float:
        """Return how often the critic judges real and rebuilt items rightly, those of a fixed sample."""
        with torch.no_grad():
            real = self._sample()
            judged = self.network.critic(torch.cat([real, self.network(real)]), frozen=True).logits > 0
            truth = torch.arange(2 * len(real), device=judged.device) < len(real)
            return float((judged == truth).float().mean())

    def uneven(self) -> tuple[str, ...]:
        """Say when one side of the GAN has won, so that the other learns nothing from it."""
        accuracy = self.accuracy()
        if EVEN[0] <= accuracy <= EVEN[1]:
            return ()
        winner, loser = ("critic", "generator") if accuracy > EVEN[1] else ("generator", "critic")
        return (
            f"The {winner} has the upper hand (the critic is right about {accuracy:.0%} of the items): "
            f"the {loser} learns little now; another “adversarial_weight” or learning rate may help.",
        )

    def _sample(self) -> Tensor:
        n = self.data.n_items
        rows = torch.linspace(0, n - 1, min(n, SAMPLE), device=self.data.device).long()
        return self.data.take(rows)


def _prior(codes: Tensor, generator: Generator) -> Tensor:
    """Return as many codes from the standard normal."""
    return torch.empty_like(codes).normal_(generator=generator)
