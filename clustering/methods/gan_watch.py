"""Signs that a GAN of HC-MGAN goes wrong: its critic has won, its fakes are alike, a half is hardly one."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from clustering.losses.soft_assignment import squared_distances
from clustering.networks.generator_tree import Gan, GeneratorTree
from clustering.training.data import Data
from clustering.training.events import Generated
from clustering.training.inference import ROWS_AT_ONCE
from clustering.training.seeds import torch_generator
from clustering.views.pixels import picture_shape

SURE = 0.01  # cross entropy of the critic on fakes below which a generator has lost
SAMPLE = 512  # fakes a generator that are looked at
SHOWN = 8  # fakes a half that a person is shown
ALIKE = 0.1  # of the items' spread, below which a generator's fakes are all alike
THIN = 0.01  # of a branch, below which a half is hardly one


class GanWatch:
    """Watches the GANs at work.

    Parameters
    ----------
    network : GeneratorTree
    data : Data
    random_state : int
        Of the fakes that are looked at.
    """

    def __init__(self, network: GeneratorTree, data: Data, random_state: int) -> None:
        self._network, self._data, self._random_state = network, data, random_state

    def lost(self) -> bool:
        """Say whether a critic sees through every fake of some generator."""
        with torch.no_grad():
            certain = [
                -logsigmoid(-gan.judged(gan.features(fakes))).mean()
                for gan, both in self.sampled()
                for fakes in both.chunk(2)
            ]
        return bool(torch.stack(certain).min() < SURE)

    def blind(self) -> tuple[str, ...]:
        """Say when a critic still sees through every fake although the training is over."""
        if not self.lost():
            return ()
        return (
            "The critic still sees through every fake of a generator: the GAN has not learned the branch, "
            "and its halves mean little. Choose more “epochs”, or a larger “learning_rate”.",
        )

    def sampled(self) -> Iterator[tuple[Gan, Tensor]]:
        """Yield every GAN at work with some fakes of its two generators, (2s, d)."""
        generator = torch_generator(self._random_state, "look", device=self._data.device)
        for gan in self._network.at_it():
            shape = (SAMPLE, self._network.code_dim)
            codes = torch.empty(shape, device=self._data.device).uniform_(-1, 1, generator=generator)
            yield gan, gan.generate(codes)

    def drawn(self) -> tuple[Tensor, Tensor]:
        """Return some fakes of either half, (2, s, d), and the real items nearest to them, int64 (2, s).

        The same random numbers make them every time. They are in the numbers of the features as given; of
        features that are no pixels of a square picture (2, s, 0).
        """
        data, gans = self._data, self._network.at_it()
        generator = torch_generator(self._random_state, "shown", device=data.device)
        codes = torch.empty(SHOWN, self._network.code_dim, device=data.device)
        codes.uniform_(-1, 1, generator=generator)
        with torch.no_grad():
            # Two generators share a half that has a GAN of its own.
            fakes = torch.cat([gan.generate(codes[: SHOWN // len(gans)]) for gan in gans])
            apart = [squared_distances(part, fakes) for part in data.features.split(ROWS_AT_ONCE)]
            nearest = torch.cat(apart).argmin(dim=0)
            items = data.unscaled(fakes)
        if picture_shape(data.n_features) is None:
            items = items[:, :0]
        return items.unflatten(0, (2, -1)), nearest.view(2, -1)

    def shown(self) -> Generated:
        """Return the same for a person to look at."""
        items, nearest = self.drawn()
        return Generated(items.float().cpu().numpy(), nearest.cpu().numpy())

    def alike(self) -> tuple[str, ...]:
        """Say when the fakes of a generator hardly differ."""
        with torch.no_grad():
            held = self._network.held.sum(dim=1, keepdim=True)
            middle = means(self._data.features, held)
            spread = (held * (self._data.features - middle).square()).sum() / held.sum()
            spreads = [
                fakes.var(dim=0, unbiased=False).sum() / spread.clamp_min(1e-12)
                for _, both in self.sampled()
                for fakes in both.chunk(2)
            ]
        share = float(torch.stack(spreads).min().sqrt())
        if share >= ALIKE:
            return ()
        return (
            f"A generator makes nearly the same item again and again (its spread is {share:.0%} of the "
            "branch's: mode collapse), so its half may be a single detail; another seed may help.",
        )

    def thin(self) -> tuple[str, ...]:
        """Say when one half holds next to nothing."""
        masses = self._network.proposed.sum(dim=0)
        share = float(masses.min() / masses.sum())
        if share >= THIN:
            return ()
        return (
            f"One half of the branch holds only {share:.1%} of it: the generators have found odd items, not "
            "two groups; another seed, or a smaller “noise”, may help.",
        )


def means(features: Tensor, memberships: Tensor) -> Tensor:
    """Return the means of items (n, d), weighted by what each leaf holds of them (n, k); (k, d)."""
    return (memberships.T @ features) / memberships.sum(dim=0).clamp_min(1e-12)[:, None]
