"""The clustering of UDDA: Lloyd's steps from where the groups were, then Adam on what tells them apart."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor

from clustering.losses.link_smoothness import link_smoothness, links_of, pair_smoothness
from clustering.losses.pairwise_discrepancy import pairwise_discrepancy
from clustering.losses.reconstruction import reconstruction
from clustering.losses.scatter_discrepancy import (
    between_scatter,
    matrix_ratio,
    trace_ratio,
    within_scatter,
)
from clustering.losses.spread_assignment import spread_assignments
from clustering.methods.edges import share_within
from clustering.networks.discriminant_autoencoder import (
    Classes,
    DiscriminantAutoencoder,
    classes_of,
    membership,
)
from clustering.training.data import Data
from clustering.training.inference import in_parts
from clustering.training.lloyd import lloyd
from clustering.training.phase import Refreshed
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch

Form = Literal["pairwise", "trace", "matrix"]
WHOLE_UP_TO = 20_000  # items that a step sees all together
ITEMS_A_GROUP = 50  # in a batch, on average: with fewer, S_b is mostly the noise of the means
LLOYD_ROUNDS = 5
FOLLOWING = 0.1  # how far the statistics move to those of a batch: an average with the factor .9
RIDGE = 0.1  # ε of the matrix form, in units of the mean eigenvalue of S_b
LEAST_SHARE = 1e-3  # of an equal share, below which no size counts in the scatters

TOO_GOOD = 0.02  # within over between, below which the objective is no longer to be believed
TINY_GROUP = 0.2  # of an equal share
FLICKER = 0.02  # of the items
TORN = 0.05  # of the links, once within groups and no longer


class Weights(NamedTuple):
    """What counts how much beside the reconstruction.

    Parameters
    ----------
    form : {"pairwise", "trace", "matrix"}
    discrepancy, links : float
        λ and η.
    """

    form: Form
    discrepancy: float
    links: float


class Discriminating:
    """Rounds of Lloyd's steps on all items, and the loss of the steps between them.

    Parameters
    ----------
    network : DiscriminantAutoencoder
    data : Data
        With its edges, if there are any.
    weights : Weights
    rows : int
        Items a batch on a collection too large for steps that see them all.
    random_state : int
    """

    def __init__(
        self,
        network: DiscriminantAutoencoder,
        data: Data,
        weights: Weights,
        rows: int,
        random_state: int,
    ) -> None:
        self._network, self._weights, self._random_state = network, weights, random_state
        self._k, self._n = len(network.centers), data.n_items
        self._whole = data.n_items <= WHOLE_UP_TO
        self._rows = self._n if self._whole else min(self._n, max(rows, ITEMS_A_GROUP * self._k))
        self._edges = data.edges if data.edges is not None and len(data.edges) and weights.links else None
        self._links = None if self._edges is None else links_of(self._edges, self._n)
        self._told: tuple[str, ...] = ()
        network.remember(self._n)

    def draw(self, steps: int, generator: Generator) -> Tensor:
        """Return the rows of some steps, int64 (steps, b).

        All of them up to 20,000. Of more, a random batch; behind it, where there are links, the ends of as
        many random links, first the one ends and then the other.
        """
        if self._whole:
            return torch.arange(self._n, device=generator.device).expand(steps, -1)
        drawn = [self._drawn(steps, self._n, generator)]
        if self._edges is not None:
            ends = self._edges[self._drawn(steps, len(self._edges), generator)]  # (steps, b, 2)
            drawn += [ends[:, :, 0], ends[:, :, 1]]
        return torch.cat(drawn, dim=1)

    def _drawn(self, steps: int, count: int, generator: Generator) -> Tensor:
        return torch.randint(count, (steps, self._rows), generator=generator, device=generator.device)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the reconstruction, λ times the discrepancy, and η times the smoothness on the links."""
        latents = self._network.encode(batch.features)
        rows = slice(0, self._rows)
        features, near = batch.features[rows], latents[rows]
        terms = {"reconstruction": reconstruction(features, self._network.decode(near).float())}
        with torch.autocast(latents.device.type, enabled=False):  # differences of means need their digits
            return terms | self._told_apart(latents.float(), batch.targets["labels"][rows])

    def _told_apart(self, latents: Tensor, labels: Tensor) -> dict[str, Tensor]:
        near = latents[: self._rows]
        members = membership(labels, self._k)
        classes = classes_of(near, members)
        if not self._whole:
            classes = self._network.followed(classes, FOLLOWING)
        terms = {}
        if self._k > 1:
            found = _discrepancy(self._weights.form, near, members, classes)
            terms["discrepancy"] = self._weights.discrepancy * found
        if self._links is not None:
            q = spread_assignments(latents, classes.means, classes.spreads.mean().detach())
            if self._whole:
                smoothness = link_smoothness(q, self._links)
            else:
                smoothness = pair_smoothness(*q[self._rows :].chunk(2))
            terms["links"] = self._weights.links * smoothness
        return terms

    @torch.no_grad()
    def look(self, latents: Tensor) -> Refreshed:
        """Let the groups follow the latents (n, m) of all items, and tell what they are like now."""
        network = self._network
        generator = torch_generator(self._random_state, "groups begun anew")
        found = lloyd(latents, network.centers.detach(), LLOYD_ROUNDS, generator)
        network.centers.copy_(found.centers)
        classes = classes_of(latents, membership(found.labels, self._k))
        network.take(classes)
        spread = classes.spreads.mean()
        q = in_parts(lambda rows: spread_assignments(rows, found.centers, spread), latents)
        figures = self._figures(classes, found.labels)
        self._told = self._warned(figures, classes, found.idle)
        network.most_within.clamp_(min=figures.get("links within groups", 0))
        network.before.copy_(torch.stack([found.labels, network.before[0]]))
        return Refreshed(
            latents,
            network.centers.detach(),
            found.labels,
            q.amax(dim=1),
            {"labels": found.labels},
            figures,
        )

    def warnings(self) -> tuple[str, ...]:
        """Return what a person should know of the last look."""
        return self._told

    def _figures(self, classes: Classes, labels: Tensor) -> dict[str, float]:
        """Return numbers of about 1 that nothing minimises as they stand."""
        figures = {}
        if self._k > 1:
            between = between_scatter(classes.means, classes.shares).trace().clamp_min(1e-12)
            figures["within / between"] = float((classes.shares * classes.spreads).sum() / between)
            gaps = torch.pdist(classes.means)
            figures["closest pair"] = float(gaps.amin() / gaps.mean().clamp_min(1e-12))
        last, one_before = self._network.before
        if one_before.numel() and int(one_before[0]) >= 0:
            figures["went back"] = float(((labels == one_before) & (labels != last)).float().mean())
        if self._edges is not None:
            figures["links within groups"] = share_within(self._edges, labels)
        return figures

    def _warned(self, figures: dict[str, float], classes: Classes, idle: int) -> tuple[str, ...]:
        told = []
        smallest = int(classes.shares.argmin())
        share = float(classes.shares[smallest])
        if idle:
            told.append(
                f"{idle} of the {self._k} groups had run empty and took over half of another: fewer groups "
                "may be enough."
            )
        if figures.get("within / between", 1) < TOO_GOOD and share < TINY_GROUP / self._k:
            told.append(
                f"The groups look perfectly apart, but group {smallest + 1} holds only "
                f"{round(share * self._n):,} of {self._n:,} items: a few items sent far away can make the "
                "measure small; look at the sizes, and choose a smaller weight of the discrepancy."
            )
        if figures.get("went back", 0) > FLICKER:
            told.append(
                f"{figures['went back']:.0%} of the items went back to the group they had just left: two "
                "groups are passing them to and fro; choose smaller steps, or fewer groups."
            )
        within, most = figures.get("links within groups", 1), float(self._network.most_within)
        if within < most - TORN:
            told.append(
                f"Only {within:.0%} of the links lie within groups, and {most:.0%} did before: they draw all "
                "groups into one, which is then cut anywhere; choose a smaller weight of the links."
            )
        return tuple(told)


def _discrepancy(form: Form, latents: Tensor, members: Tensor, classes: Classes) -> Tensor:
    if form == "pairwise":
        return pairwise_discrepancy(classes.means, classes.spreads, classes.shares > 0)
    least = LEAST_SHARE / len(classes.shares)
    shares = classes.shares.clamp_min(least)
    between = between_scatter(classes.means, shares / shares.sum())
    within = within_scatter(latents, members, classes.means)
    if form == "trace":
        return trace_ratio(within, between)
    return matrix_ratio(within, between, RIDGE * between.detach().trace() / len(between))
