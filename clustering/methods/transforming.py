"""Self-transformation in training: views made by the network, its balanced labels, and how both fail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from clustering.losses.balanced_labels import balanced_labels, imbalance
from clustering.losses.kl import kl_divergence
from clustering.losses.soft_assignment import squared_distances
from clustering.losses.swapped_prediction import swapped_prediction
from clustering.neighbors import nearest_neighbors
from clustering.networks.self_transform import SelfTransformNetwork
from clustering.training.data import Data
from clustering.training.inference import ROWS_AT_ONCE
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch
from clustering.views.adversarial import adversarial_directions, random_directions

NEAREST = 10  # which neighbour's distance measures an item's room (IMSAT)
SAMPLE = 256  # items by which the transformation is watched
SEARCHED = 1024  # items whose room stands for all where the rows do not fit on the device
UNEVEN = 0.25  # share of the labels that may lie where equal shares would not have them
FOUND = 0.9  # share of views that should have their item among the nearest
COPIED = 0.01  # of the entropy of the odds: views that change them less teach nothing
UNDECIDED = 0.98  # of the largest entropy there is
NARROW = 0.05  # share of prototypes in use below which all items look alike


class Seen(NamedTuple):
    """What a fixed sample of items shows.

    Parameters
    ----------
    found : float
        Share of views whose item is among the `NEAREST` items of the collection.
    moved : float
        KL(p(x) ‖ p(view)), mean over items, in nats.
    undecided : float
        Mean entropy of the odds of an item, of the largest there is.
    in_use : float
        Prototypes in use, as a share: the exponential of the entropy of the mean odds.
    uneven : float
        Share of the labels that equal shares of the prototypes would have elsewhere.
    """

    found: float
    moved: float
    undecided: float
    in_use: float
    uneven: float


@dataclass
class Transforming:
    """What is done to batches, and what is seen of it.

    Parameters
    ----------
    network : SelfTransformNetwork
    data : Data
    strength : float
        α: how far a view may lie from its item, in distances to the tenth neighbour.
    temperature, epsilon, rounds
        τ, and ε and the rounds of the balanced labels.
    random_state : int
    """

    network: SelfTransformNetwork
    data: Data
    strength: float
    temperature: float
    epsilon: float
    rounds: int
    random_state: int
    seen: Seen | None = None

    def loss(self, batch: Batch, adversarial: bool = True) -> dict[str, Tensor]:
        """Return how badly two views and the item foretell each other's labels, in both directions."""
        network = self.network
        network.normalise_prototypes()
        lengths = self.strength * network.radii.index_select(0, batch.rows)
        moved = self.views(batch.features, lengths, batch.generator, adversarial)
        features = torch.cat([batch.features, moved])
        scores = network.scores(network.learn(features)).chunk(3)
        labels = [self.labels(score.detach()) for score in scores[:2]]
        return {"swapped prediction": swapped_prediction(labels, scores, self.temperature)}

    def views(self, rows: Tensor, lengths: Tensor, generator: Generator, adversarial: bool) -> Tensor:
        """Return two views of every row, (2b, d): moved by at most ``lengths`` (b,)."""
        pairs, room = torch.cat([rows, rows]), torch.cat([lengths, lengths])[:, None]
        directions = random_directions(pairs, generator)
        if adversarial:
            # Probed at the distance at which views may lie, which knows the scale of the data.
            directions = adversarial_directions(self._logits, pairs, directions * room)
        shares = torch.rand(room.shape, generator=generator, device=room.device)
        return pairs + room * shares * directions

    def labels(self, scores: Tensor) -> Tensor:
        """Return the balanced labels of a batch."""
        return balanced_labels(scores, self.epsilon, self.rounds)

    def _logits(self, rows: Tensor) -> Tensor:
        return self.network.scores(self.network.probe(rows)) / self.temperature

    # Room ----------------------------------------------------------------------------------------------

    def find_room(self) -> None:
        """Measure the distance of every item to its tenth neighbour."""
        n_items, radii = self.data.n_items, self.network.radii
        k = min(NEAREST, n_items - 1)
        if self.data.resident:
            rows = self.data.features.cpu().numpy()
            found = nearest_neighbors(rows, k, random_state=self.random_state)
            radii.copy_(torch.from_numpy(found.distances[:, -1].copy()))
        else:
            nearest = self._nearest(self._sample(SEARCHED)[1], k + 1)  # each is nearest to itself
            radii.fill_(float(nearest[:, -1].sqrt().median()))
        if bool((radii == 0).any()) and bool((radii > 0).any()):  # ten twins leave an item no room
            radii.copy_(torch.where(radii > 0, radii, radii[radii > 0].median()))

    def _nearest(self, rows: Tensor, k: int) -> Tensor:
        """Return the squared distances (r, k) of rows to the items nearest to them."""
        nearest = rows.new_empty(len(rows), 0)
        for _, chunk in self.data.chunks(ROWS_AT_ONCE):
            nearest = torch.cat([nearest, squared_distances(rows, chunk)], dim=1)
            nearest = nearest.topk(min(k, nearest.shape[1]), dim=1, largest=False).values
        return nearest

    def _sample(self, size: int) -> tuple[Tensor, Tensor]:
        """Return rows spread evenly over the collection: their numbers and features."""
        n = self.data.n_items
        numbers = torch.linspace(0, n - 1, min(n, size), device=self.data.device).long()
        return numbers, self.data.take(numbers)

    # Watching ------------------------------------------------------------------------------------------

    def look(self) -> dict[str, float]:
        """Look at a fixed sample and return what is told of it."""
        numbers, rows = self._sample(SAMPLE)
        lengths = self.strength * self.network.radii[numbers]
        generator = torch_generator(self.random_state, "watch", device=self.data.device)
        first, _ = self.views(rows, lengths, generator, adversarial=True).chunk(2)
        with torch.no_grad():
            scores = self.network.scores(self.network.encode(torch.cat([rows, first])))
            logs, of_views = torch.log_softmax(scores / self.temperature, dim=1).chunk(2)
            odds, k = logs.exp(), scores.shape[1]
            mean = odds.mean(dim=0)
            nearest = self._nearest(first, NEAREST)[:, -1]
            apart = (first - rows).square().sum(dim=1)
            numbers_seen = torch.stack(
                [
                    (apart <= nearest * (1 + 1e-4)).float().mean(),
                    kl_divergence(odds, of_views),
                    -(odds * logs).sum(dim=1).mean() / math.log(k),
                    torch.special.entr(mean).sum().exp() / k,
                    imbalance(self.labels(scores[: len(rows)])),
                ]
            )
        self.seen = Seen(*numbers_seen.tolist())
        return {
            "views near their item": self.seen.found,
            "prototypes in use": self.seen.in_use,
            "change a view makes": self.seen.moved,
        }

    def warnings(self) -> tuple[str, ...]:
        """Return what a person should know of views and labels."""
        seen, told = self.seen, []
        if seen is None:
            return ()
        if seen.found < FOUND:
            told.append(
                f"Only {seen.found:.0%} of the transformed items still have their original among the "
                f"{NEAREST} nearest: the transformation destroys what it should keep; choose a smaller "
                "“strength”."
            )
        if seen.moved < COPIED * seen.undecided * math.log(len(self.network.prototypes)):
            told.append(
                "The transformed items are copies in the eyes of the network: they teach it nothing more; "
                "choose a larger “strength”, or fewer epochs."
            )
        if seen.undecided > UNDECIDED:
            told.append(
                "Every item is spread evenly over all prototypes: the network tells none apart; choose "
                "a smaller “epsilon” (.03) or fewer prototypes."
            )
        if seen.in_use < NARROW:
            told.append(
                f"Only {seen.in_use:.0%} of the prototypes are in use: the items look all alike to the "
                "network; try another seed or a smaller learning rate."
            )
        if seen.uneven > UNEVEN:
            told.append(
                f"The balanced labels have not settled: after {self.rounds} rounds {seen.uneven:.0%} of them "
                "lie where equal shares would not have them; choose more “sinkhorn_rounds” or a larger "
                "“epsilon”."
            )
        return tuple(told)
