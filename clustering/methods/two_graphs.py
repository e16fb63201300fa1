"""IcicleGCN's second stage: two graphs on features that stand still, and steps that see all items at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from clustering.losses.kl import kl_divergence
from clustering.losses.soft_assignment import soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.edges import nearest_pairs, share_within, twins
from clustering.networks.multi_scale_graph import MultiScaleNetwork, Scale, Seen
from clustering.networks.propagation import propagated, propagation_of
from clustering.training.data import Data
from clustering.training.inference import encode_all, in_parts
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch, Precision, products_in

SETTLED = 0.2  # share of all steps after which both streams should have found the groups
KEPT = 0.7  # share of the items that a refinement leaves where they were
NO_OPINION = 0.2  # of the way from 1/K to what sure codes give: a kernel less sure than that says nothing
#: Who may answer, the one whose answer counts most first.
ANSWERS = ("the stream on the sparse graph", "the stream on the denser graph", "the kernel")
WITHIN = 0.5  # share of the links that should lie within groups


class Weights(NamedTuple):
    """What counts how much beside the reconstruction.

    Parameters
    ----------
    kernel, near, far : float
        α, β and η.
    reconstruction : float or None
        Of the squared error, a sum over the numbers of an item; None takes their mean.
    """

    kernel: float
    near: float
    far: float
    reconstruction: float | None


class TwoGraphs:
    """The graphs, the loss on them, and looks at what they make of the groups.

    Parameters
    ----------
    network : MultiScaleNetwork
    data : Data
    near, far : int
        Neighbours that an item is linked to in either graph.
    symmetric : bool
        How sums over neighbours are normalised.
    weights : Weights
    steps : int
        That will be taken at most.
    precision : {"float32", "tf32", "bfloat16"}
    random_state : int
    """

    def __init__(
        self,
        network: MultiScaleNetwork,
        data: Data,
        near: int,
        far: int,
        symmetric: bool,
        weights: Weights,
        steps: int,
        precision: Precision,
        random_state: int,
    ) -> None:
        self._network, self._data = network, data
        self._neighbours, self._symmetric = (near, far), symmetric
        self._weights, self._steps = weights, steps
        self._precision, self._random_state = precision, random_state
        self._scales: tuple[Scale, Scale] | None = None
        self._figures: dict[str, float] = {}

    def phase(self, epochs: int, steps: int, learning_rate: float, tolerance: float) -> Phase:
        """Return the phase of steps on both graphs."""
        network = self._network
        moved = (network.encoder, network.decoder, network.streams)
        return Phase(
            "cluster",
            epochs,
            self.loss,
            [network.centers, *(weight for part in moved for weight in part.parameters())],
            Optimiser("adam", learning_rate),
            begin=self.begin,
            refresh=self.look,
            steps=steps,
            tolerance=tolerance,
            draw=self.draw,
            watch=self.warnings,
        )

    def begin(self) -> None:
        """Freeze the features, link every item to its nearest, and find the first groups among the codes."""
        network, data = self._network, self._data
        features = encode_all(network, data)
        network.known_features = features
        first, _ = twins(data)  # of equal items the first stands for all
        rows = features.cpu().numpy()[first]
        links = (first[nearest_pairs(rows, min(k, len(first) - 1))] for k in self._neighbours)
        network.near_links, network.far_links = (
            torch.from_numpy(pairs.astype(np.int64)).to(data.device) for pairs in links
        )
        self._scales = None
        with torch.no_grad():
            codes = in_parts(lambda part: network.logits(part).softmax(dim=1), features)
            centers, _ = kmeans(codes, len(network.centers), derived_seed(self._random_state, "kmeans"))
            network.centers.data.copy_(centers)
            network.start = in_parts(lambda part: soft_assignments(part, centers), codes).argmax(dim=1)

    def draw(self, steps: int, generator: Generator) -> Tensor:
        """Return one row number a step: a step reads all items by itself."""
        return torch.zeros(steps, 1, dtype=torch.int64, device=generator.device)

    def loss(self, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002
        """Return the reconstruction, α KL(P‖Q), β KL(P‖G_a) and η KL(P‖G_b), P made of Q in every step."""
        network, weights = self._network, self._weights
        rebuilding = weights.reconstruction
        if rebuilding is None:
            rebuilding = 1 / network.known_features.shape[1]
        network.steps += 1
        seen = self._seen()
        target = target_distribution(seen.log_kernel.exp().detach())
        return {
            "reconstruction": rebuilding * squared_error(network.known_features, seen.rebuilt, False),
            "kernel": weights.kernel * kl_divergence(target, seen.log_kernel),
            "near graph": weights.near * kl_divergence(target, seen.log_near),
            "far graph": weights.far * kl_divergence(target, seen.log_far),
        }

    @torch.no_grad()
    def look(self) -> Refreshed:
        """Look at all items; see `_decided` for whose groups are shown."""
        with products_in(self._precision):
            seen = self._seen()
        answer, whose = self._decided(seen)
        confidences, labels = answer.max(dim=1)
        self._figures = self._measured(seen, labels)
        centers = self._network.centers.detach()
        told = () if whose == ANSWERS[0] else (f"The groups shown are those of {whose}.",)
        return Refreshed(seen.codes, centers, labels, confidences, {}, dict(self._figures), told)

    @torch.no_grad()
    def assignments(self) -> Tensor:
        """Return the soft assignments of all items, (n, K)."""
        return self._decided(self._seen())[0]

    def warnings(self) -> tuple[str, ...]:
        """Return what a person should know of the last look."""
        network, figures = self._network, self._figures
        if len(network.centers) == 1:
            return ()
        settled = int(network.steps) > SETTLED * self._steps
        return tuple(doubts(figures, len(network.centers), self._neighbours[1], settled))

    def _seen(self) -> Seen:
        return self._network.forward_graphs(*self._both())

    def _both(self) -> tuple[Scale, Scale]:
        """Return both graphs, made anew after an interruption from the links that were kept."""
        if self._scales is None:
            network, data = self._network, self._data
            first, twin_of = twins(data)
            stands_for = torch.from_numpy(first[twin_of]).to(data.device)

            def scale(links: Tensor) -> Scale:
                passing = propagation_of(links, data.n_items, stands_for, self._symmetric)
                return Scale(passing, propagated(network.known_features, passing))

            self._scales = scale(network.near_links), scale(network.far_links)
        return self._scales

    def _decided(self, seen: Seen) -> tuple[Tensor, str]:
        """Return the soft assignments that count, and whose they are.

        Paper and code print all three and name none. The sparse graph's have the larger weight, but a stream
        learns one group after the other: as long as it knows fewer than the kernel it does not answer.
        """
        answers = dict(zip(ANSWERS, (seen.log_near, seen.log_far, seen.log_kernel), strict=True))
        known = [len(torch.unique(one.argmax(dim=1))) for one in answers.values()]
        first = next(at for at, count in enumerate(known) if count >= known[-1])
        whose = ANSWERS[first if int(self._network.steps) else -1]
        return answers[whose].exp(), whose

    def _measured(self, seen: Seen, labels: Tensor) -> dict[str, float]:
        """Return numbers that nothing minimises."""
        network = self._network
        far, kernel = seen.log_far.argmax(dim=1), seen.log_kernel.argmax(dim=1)
        near_used, far_used = (
            torch.bincount(one.argmax(dim=1), minlength=len(network.centers)) > 0
            for one in (seen.log_near, seen.log_far)
        )
        numbers = {
            "as at the start": (labels == network.start).float().mean(),
            "graphs agree": (far == labels).float().mean(),
            "kernel agrees": (kernel == labels).float().mean(),
            "code confidence": seen.codes.amax(dim=1).mean(),
            "kernel confidence": seen.log_kernel.amax(dim=1).exp().mean(),
            "groups in the near graph": near_used.sum(),
            "groups in the far graph": far_used.sum(),
        }
        told = dict(zip(numbers, torch.stack([n.float() for n in numbers.values()]).tolist(), strict=True))
        if len(network.far_links):
            told["links within groups"] = share_within(network.far_links, labels)
        return told


def squared_error(items: Tensor, rebuilt: Tensor, element: bool) -> Tensor:
    """Return the mean over items of ‖z − ẑ‖², or with ``element`` the mean over all numbers, a scalar."""
    squares = (items - rebuilt).square()
    return squares.mean() if element else squares.sum(dim=1).mean()


def doubts(figures: dict[str, float], n_clusters: int, neighbours: int, settled: bool) -> list[str]:
    """Return how the second stage goes wrong, and the mend.

    Parameters
    ----------
    figures : dict of str to float
        Of a look.
    n_clusters, neighbours : int
        Neighbours in the denser graph.
    settled : bool
        Whether it is late enough to ask for agreement.
    """
    told = []
    chance, sure = 1 / n_clusters, 3 / (n_clusters + 2)  # each code its own corner, √2 from every other
    if figures["kernel confidence"] < chance + NO_OPINION * (sure - chance):
        told.append(
            f"The codes of all items lie close together (kernel confidence "
            f"{figures['kernel confidence']:.2f}; {sure:.2f} where codes are sure, {chance:.2f} by chance): "
            "what the graphs are taught says hardly anything. Choose more “code_epochs”, or a smaller "
            "“reconstruction_weight”."
        )
    if figures.get("links within groups", 1) < WITHIN:
        told.append(
            f"Only {figures['links within groups']:.0%} of the links to the {neighbours} nearest items lie "
            "within groups: the graphs mislead. Choose other features, or a smaller “far_neighbors”."
        )
    if not settled:
        return told
    streams = {"near": "on the sparse graph", "far": f"on the graph of {neighbours} neighbours"}
    for name, what in streams.items():
        used = round(figures[f"groups in the {name} graph"])
        if used < n_clusters:
            told.append(
                f"The stream {what} knows only {used} of {n_clusters} groups: it has not learned them yet, "
                "or has lost them. Choose more “epochs”, a larger “cluster_learning_rate” or another seed."
            )
    if figures["as at the start"] < KEPT:
        told.append(
            f"Only {figures['as at the start']:.0%} of the items are still in the group they had before the "
            "graphs: these redraw the groups rather than refine them. Choose fewer “epochs”, or a smaller "
            "“cluster_learning_rate”, and compare with k-means."
        )
    return told
