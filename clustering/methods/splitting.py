"""How HC-MGAN grows its tree: a branch is split by a GAN of two generators, then refined by a GAN a half.

de Mello, Assunção, Murai 2022. What a branch holds of an item is a number from 0 to 1; items are drawn as
often as the branch holds them, so that a GAN learns the branch alone.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from clustering.losses.soft_split import shared_out, variation
from clustering.methods.gan_turns import GanTurns, Schedule, judging
from clustering.methods.gan_watch import GanWatch, means
from clustering.networks.generator_tree import ROWS_AT_ONCE, GeneratorTree
from clustering.networks.generators import redraw
from clustering.training.data import Data
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import torch_generator
from clustering.training.step import products_in

CRITIC_PACE = 0.5  # times the generators' rate
CALM = 0.002  # of all items: a refinement that moves less membership is the last
WATCHED_FROM, WATCHED_EVERY = 0.4, 0.1  # of a phase, when that is looked at
PATIENCE = 2000  # steps before that: a critic learns first; published: 2,800 for a tenth of MNIST, or more
MOST_ATTEMPTS = 4
HARDLY = 1e-4  # of an item


class Splitting:
    """The phases of a fit.

    Parameters
    ----------
    network : GeneratorTree
    data : Data
        On the device.
    schedule : Schedule
    """

    def __init__(self, network: GeneratorTree, data: Data, schedule: Schedule) -> None:
        self.network, self.data, self._schedule = network, data, schedule
        self.turns = GanTurns(network, schedule)
        self._watch = GanWatch(network, data, schedule.random_state)
        self._first, self._n_splits = int(network.made), len(network.splits)
        self._told: tuple[str, ...] = ()
        self._expected: dict[int, float] = {}

    def phases(self) -> tuple[Phase, ...]:
        """Return the splits, each with its refinements, and a last phase that puts the tree in order."""
        found = []
        for split in range(self._first, self._n_splits):
            name = self._called(split)
            found.append(self._phase(name, split, 0))
            found += [
                self._phase(f"{name}, refinement {number}", split, number)
                for number in range(1, self._schedule.refinements + 1)
            ]
        last = Phase(
            "leaves",
            1,
            begin=self.finish,
            refresh=self.look,
            watch=self._count,
            ends=lambda: self.outcome() if int(self.network.epoch) else "",
        )
        return (*found, last)

    def _called(self, split: int) -> str:
        return f"{'new split' if self._first else 'split'} {split - self._first + 1}"

    def _phase(self, name: str, split: int, refinement: int) -> Phase:
        gans = self.turns.gans[: 2 if refinement else 1]
        paces = (
            (CRITIC_PACE, [weight for gan in gans for weight in judging(gan)]),
            (
                self._schedule.classifier_pace,
                [weight for gan in gans for weight in gan.classifier.head.parameters()],
            ),
        )
        return Phase(
            name,
            self._schedule.epochs,
            turns=self.turns.refine if refinement else self.turns.split,
            parameters=[weight for gan in gans for weight in gan.parameters()],
            optimiser=Optimiser("adam", self._schedule.learning_rate, first_beta=0.5, paces=paces),
            begin=lambda: self.begin(split, refinement),
            refresh=self.look,
            steps=lambda: self.steps(split, refinement),
            noisy=True,
            draw=self.draw,
            watch=self.watch,
            ends=lambda: "" if bool(self.network.active) else "The rest of the split was left out.",
            again=lambda: self.again(split, refinement),
        )

    # Between steps -------------------------------------------------------------------------------------

    def steps(self, split: int, refinement: int) -> int:
        """Return the steps of an epoch: one pass over what the branch holds."""
        rows = self._schedule.batch_size * (2 if refinement else 1)
        return max(1, int(self._masses()[split] // rows))

    def _masses(self) -> dict[int, float]:
        """Return what the branch of this split holds, and of the next ones if all fall into equal halves."""
        if not self._expected:
            network = self.network
            now, at_work = network.memberships.sum(dim=0).tolist(), int(network.at_work)
            closed = network.closed.tolist()
            leaves = sorted(mass for leaf, mass in enumerate(now) if leaf != at_work and not closed[leaf])
            largest = now[at_work] if at_work >= 0 else leaves.pop() if leaves else 0.0
            for split in range(int(network.slot), self._n_splits):
                self._expected[split] = largest
                leaves = sorted([*leaves, largest / 2, largest / 2])
                largest = leaves.pop()
        return self._expected

    def draw(self, steps: int, generator: Generator) -> Tensor:
        """Draw items as often as the branch, or each of its halves, holds them; (steps, b) or (steps, 2b)."""
        network, size = self.network, self._schedule.batch_size
        network.trained.fill_(True)
        halves = network.held.T if bool(network.refinement) else network.memberships.T[network.at_work][None]
        drawn = [
            torch.multinomial(half, steps * size, replacement=True, generator=generator).view(steps, size)
            for half in halves
        ]
        return torch.cat(drawn, dim=1)

    def begin(self, split: int, refinement: int) -> None:
        """Take what the phase before has found, and choose what this one is to do."""
        network = self.network
        if not len(network.memberships):
            network.memberships = torch.zeros(self.data.n_items, self._n_splits + 1, device=self.data.device)
            network.memberships[:, 0] = 1
        moved = self._accept()
        if refinement == 0:
            self._add_split()
            self._choose()
        else:
            calm = refinement > 1 and moved is not None and moved < CALM * self.data.n_items
            network.active.fill_(moved is not None and not calm)
        network.slot.fill_(split)
        network.refinement.fill_(refinement)
        network.attempts.zero_()
        self._expected = {}
        self._start()

    def _start(self) -> None:
        """Give the GANs of the running phase new first weights."""
        network = self.network
        network.epoch.zero_()
        network.trained.fill_(False)
        network.proposed = network.held.clone()
        network.noise.fill_(self._schedule.noise)
        purpose = (int(one) for one in (network.slot, network.at_work, network.refinement, network.attempts))
        generator = torch_generator(self._schedule.random_state, "gan", *(1 + one for one in purpose))
        for gan in self.turns.gans:
            redraw(gan, generator)

    def _accept(self) -> float | None:
        """Keep what the running phase has found; return how much membership moved, None if none was found."""
        network = self.network
        if not (bool(network.active) and bool(network.trained)):
            return None
        moved = float(variation(network.held, network.proposed))
        network.held = network.proposed.clone()
        network.accepted.fill_(True)
        made = int(network.made)
        network.refined[made] = bool(network.refinement)
        self._keep_fakes(made)
        for classifier, gan in zip(network.classifiers(made), self.turns.gans, strict=False):
            classifier.load_state_dict(gan.classifier.state_dict())
        return moved

    def _keep_fakes(self, split: int) -> None:
        """Keep what the generators of either half make, to be seen beside it."""
        network, (fakes, like) = self.network, self._watch.drawn()
        if not len(network.fakes):
            network.fakes = fakes.new_zeros(self._n_splits, *fakes.shape)
            network.like = like.new_full((self._n_splits, *like.shape), -1)
        network.fakes[split], network.like[split] = fakes, like

    def _add_split(self) -> None:
        """Give the halves of the split at work their place among the leaves."""
        network = self.network
        if bool(network.accepted):
            leaf, made = int(network.at_work), int(network.made)
            network.masses[made] = network.held.sum(dim=0)
            network.parents[made] = leaf
            network.memberships[:, leaf], network.memberships[:, made + 1] = network.held.T
            network.made += 1
        network.accepted.fill_(False)
        network.at_work.fill_(-1)

    def _choose(self) -> None:
        """Put the leaf that holds most to work, if one holds enough."""
        network = self.network
        masses = network.memberships.sum(dim=0)
        masses[network.closed] = -1
        largest = int(masses.argmax())
        enough = float(masses[largest]) >= self._schedule.least_mass
        network.active.fill_(enough)
        network.at_work.fill_(largest if enough else -1)
        held = network.memberships[:, largest]
        network.held = torch.stack([held, torch.zeros_like(held)], dim=1)

    def again(self, split: int, refinement: int) -> str:
        """Begin the phase anew when the critic has learned to see through every fake of a generator."""
        network, epochs = self.network, self._schedule.epochs
        done, from_, every = (
            int(network.epoch) + 1,
            *(max(1, round(share * epochs)) for share in (WATCHED_FROM, WATCHED_EVERY)),
        )
        if done < from_ or (done - from_) % every or done * self.steps(split, refinement) < PATIENCE:
            return ""
        if not self._watch.lost():
            return ""
        network.attempts += 1
        what = f"The GAN of {self._called(split)} collapsed: its critic sees through every fake"
        if int(network.attempts) < MOST_ATTEMPTS:
            self._start()
            return f"{what}. The phase began again (attempt {int(network.attempts) + 1} of {MOST_ATTEMPTS})."
        if refinement == 0:
            network.closed[network.at_work] = True
            self._choose()
            network.attempts.zero_()
            self._expected = {}
            if bool(network.active):
                self._start()
                return f"{what}, {MOST_ATTEMPTS} times. The branch stays whole; the next largest is split."
        network.active.fill_(False)
        self._told = (f"{what}, {MOST_ATTEMPTS} times. What was found before stays as it is.",)
        return ""

    # What is seen after every epoch --------------------------------------------------------------------

    def look(self) -> Refreshed:
        """Look at the leaves as they are, or would be if the split at work ended now."""
        network, data = self.network, self.data
        leaves = network.memberships[:, : int(network.made) + 1]
        figures: dict[str, float] = {}
        shown = self._watch.shown if bool(network.active) else None
        leaf = int(network.at_work)
        if bool(network.active):
            if bool(network.trained):
                self._propose()
            halves = network.proposed
            leaves = torch.cat([leaves, halves[:, 1:]], dim=1)
            leaves[:, leaf] = halves[:, 0]
            masses = [*halves.sum(dim=0), variation(network.held, halves)]
            shares = (torch.stack(masses) / data.n_items).tolist()
            figures = dict(zip(("one half", "other half", "moved"), shares, strict=True))
            if not bool(network.refinement):
                del figures["moved"]  # there was nothing to move from
        confidences, labels = leaves.max(dim=1)
        centers = means(data.features, leaves)
        return Refreshed(
            data.features, centers, labels, confidences, {}, figures, self.tree_so_far(), True, shown
        )

    def tree_so_far(self) -> tuple[str, ...]:
        """Return the splits that were made, each branch with what it holds."""
        made = int(self.network.made)
        halves = self.network.masses[:made].tolist()
        if not made:
            return ()
        splits = [f"{left + right:,.0f} → {left:,.0f} + {right:,.0f}" for left, right in halves]
        return (f"The tree so far, in items by mass: {'; '.join(splits)}.",)

    @torch.no_grad()
    def _propose(self) -> None:
        network = self.network
        held = network.held.sum(dim=1)
        rows = (held > HARDLY).nonzero()[:, 0]  # what the branch hardly holds stays as it was shared out
        with products_in(self._schedule.precision):
            for part in rows.split(ROWS_AT_ONCE):
                network.proposed[part] = shared_out(held[part], network.proposal(self.data.take(part)))

    def watch(self) -> tuple[str, ...]:
        """Count the epoch, let the noise fall, and say what goes wrong."""
        network, schedule = self.network, self._schedule
        self._count()
        network.noise.fill_(schedule.noise * max(0.0, 1 - int(network.epoch) / max(1, schedule.epochs - 1)))
        told, self._told = self._told, ()
        if not bool(network.active) or int(network.epoch) < WATCHED_FROM * schedule.epochs:
            return told
        over = int(network.epoch) >= schedule.epochs
        return told + (self._watch.blind() if over else ()) + self._watch.alike() + self._watch.thin()

    def _count(self) -> tuple[str, ...]:
        self.network.epoch += 1
        return ()

    # The end -------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Take the last split, and put the middle of every leaf into the network."""
        network = self.network
        if not len(network.memberships):  # nothing was to be split
            network.memberships = torch.ones(self.data.n_items, 1, device=self.data.device)
        self._accept()
        self._add_split()
        network.active.fill_(False)
        network.epoch.zero_()
        network.centers = means(self.data.features, network.memberships[:, : int(network.made) + 1])

    def outcome(self) -> str:
        """Say how the tree came out."""
        made, wanted = int(self.network.made) - self._first, self._n_splits - self._first
        if made == wanted:
            return "All splits were made."
        return (
            f"{made} of {wanted} splits were made: no other branch holds "
            f"{self._schedule.least_mass:,.0f} items or more, or can be divided."
        )
