"""What SDCN and DAGC share: an autoencoder trained first, then steps that see the whole graph."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Gt, Interval
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from clustering.errors import StudioError
from clustering.losses.soft_assignment import squared_distances
from clustering.methods.edges import distinct_nearest_edges, share_within, twins
from clustering.methods.linked import LinkedClusterer
from clustering.networks.graph_autoencoder import GraphAutoencoder, Seen
from clustering.networks.propagation import Propagation, propagation_of
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import weights_of
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch, products_in

CELLS_AT_ONCE = 2**23  # distances held at a time
ALIKE = 0.99  # mean cosine between the graph layer's latents above which they tell nothing apart

Graph = Annotated[
    Literal["own", "knn"],
    Meaning(
        "Links between items: those the collection brings (“own”), or those of each item to its nearest "
        "neighbours (“knn”), which also serve where the collection brings none."
    ),
]
Neighbours = Annotated[
    int, Interval(ge=1, le=200), Meaning("Nearest neighbours every item is linked to, without own links.")
]
Rounds = Annotated[
    int,
    Interval(ge=1, le=100_000),
    Meaning("Rounds of steps on the whole graph, a look at the groups after each."),
]
StepSize = Annotated[
    float, Gt(0), Meaning("Size of the steps on the graph; on some graphs a tenth is better.", advanced=True)
]
Steps = Annotated[
    int, Interval(ge=1, le=10_000), Meaning("Steps between two looks at the groups.", advanced=True)
]
KernelWeight = Annotated[
    float, Interval(ge=0, le=1e6), Meaning("How much the groups are sharpened in the autoencoder's space.")
]
GraphWeight = Annotated[
    float,
    Interval(ge=0, le=1e6),
    Meaning("How much the graph's assignments are drawn to the sharpened ones."),
]


class GraphClusterer(LinkedClusterer):
    """Base of methods that cluster the nodes of a graph; every step sees all nodes and all links.

    A method writes `setup`, `terms` and its parameters, among them ``graph``, ``n_neighbors``, ``epochs``,
    ``update_interval`` and ``cluster_learning_rate``.

    A new item comes without links: it is given the assignments of the node whose code is nearest to its own.
    Of nodes with the same features and other links `predict` therefore knows the first; `labels_` knows all.
    """

    graph: Literal["own", "knn"]
    n_neighbors: int
    epochs: int
    update_interval: int
    cluster_learning_rate: float
    tolerance: float

    @abstractmethod
    def terms(self, seen: Seen) -> dict[str, Tensor]:
        """Return the named terms of the clustering loss beside the reconstruction."""

    def figures(self, seen: Seen) -> dict[str, float]:  # noqa: ARG002
        """Return numbers of a look that nothing minimises."""
        return {}

    def told(self, figures: dict[str, float]) -> tuple[str, ...]:  # noqa: ARG002
        """Return what a person should know of the last look."""
        return ()

    def links(self, data: Data, given: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return the links given, or those to the nearest different neighbours."""
        if self.graph == "own" and given is not None:
            return given
        return distinct_nearest_edges(data, self.n_neighbors)

    def pretraining(self, n_items: int) -> tuple[Optimiser, int]:  # noqa: ARG002
        """Return Adam, for 30 epochs, as SDCN's authors pretrain."""
        return Optimiser("adam", self.learning_rate or 1e-3), 30

    def clustering(self, network: GraphAutoencoder, data: Data) -> Phase:  # type: ignore[override]
        """Return the phase of steps on the whole graph."""
        if not data.resident:
            raise StudioError(
                f"{self.info.title} sees all items and links in every step, and these {data.n_items:,} do "
                "not fit into the memory there is.",
                "Choose a machine with more memory, or a method that takes batches, such as UDDA.",
            )
        propagation = self._propagation(data)
        everyone = torch.arange(data.n_items, device=data.device)
        last: list[dict[str, float]] = [{}]

        def loss(batch: Batch) -> dict[str, Tensor]:
            seen = network.forward_graph(batch.features, propagation)
            rebuilt = (seen.reconstructions - batch.features).square().mean()
            return {"reconstruction": rebuilt, **self.terms(seen)}

        def look() -> Refreshed:
            with torch.no_grad(), products_in(self.precision):
                seen = network.forward_graph(data.features, propagation)
                assignments = shares(seen.mixture)
                confidences, labels = assignments.max(dim=1)
                last[0] = self._figures(seen, labels, data.edges)
                return Refreshed(
                    seen.latents, network.centers.detach(), labels, confidences, {}, dict(last[0])
                )

        return Phase(
            "cluster",
            self.epochs,
            loss,
            list(network.parameters()),
            Optimiser("adam", self.cluster_learning_rate),
            begin=lambda: self.start_centers(network, data),
            refresh=look,
            steps=self.update_interval,
            tolerance=self.tolerance,
            draw=lambda steps, _: everyone.expand(steps, -1),
            watch=lambda: self._warned(last[0]),
        )

    def assign(self, network: GraphAutoencoder, latents: Tensor) -> Tensor:  # type: ignore[override]
        """Return the assignments (n, K) of the known nodes whose codes are nearest."""
        return network.known_assignments[nearest_known(latents, network.known_latents)]

    def _propagation(self, data: Data) -> Propagation:
        assert data.edges is not None
        if self.graph == "own" and data.edges_given:
            return propagation_of(data.edges, data.n_items)
        first, twin_of = twins(data)
        stands_for = torch.from_numpy(first[twin_of]).to(data.device)
        return propagation_of(data.edges, data.n_items, stands_for)

    def _figures(self, seen: Seen, labels: Tensor, edges: Tensor | None) -> dict[str, float]:
        units = normalize(seen.graph_latents, dim=1)
        figures = {"nodes alike": float(units.mean(dim=0).square().sum())}
        if edges is not None and len(edges):
            figures["links within groups"] = share_within(edges, labels)
        return figures | self.figures(seen)

    def _warned(self, figures: dict[str, float]) -> tuple[str, ...]:
        found = self.told(figures)
        if figures.get("nodes alike", 0) > ALIKE:
            found = (
                "The graph's layers make all items nearly alike (oversmoothing): each takes the mean of its "
                "neighbours until nothing tells them apart; try fewer layers, or fewer neighbours.",
                *found,
            )
        return found

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Take up the weights and what was found; the nodes keep what their own links gave them."""
        with torch.no_grad():
            seen = network.forward_graph(data.features, self._propagation(data))
        known = shares(seen.mixture)
        # In double precision, as a new item is encoded, so that every node is found again.
        self.weights_ = weights_of(network)
        exact, device = self._trained()
        latents = np.concatenate([part.float().cpu().numpy() for part in self._latents(items, exact, device)])
        network.known_latents, network.known_assignments = torch.from_numpy(latents), known
        self.weights_ = weights_of(network)
        assignments = known.cpu().numpy()
        return latents, assignments, np.asarray(assignments.argmax(axis=1), dtype=np.int64)


def nearest_known(latents: Tensor, known: Tensor) -> Tensor:
    """Return for each latent (n, m) the row number of the nearest known one (r, m), int64 (n,)."""
    rows = max(1, CELLS_AT_ONCE // max(1, len(known)))
    near = [squared_distances(part.to(known), known).argmin(dim=1) for part in latents.split(rows)]
    return torch.cat(near)


def shares(mixture: Tensor) -> Tensor:
    """Return rows that sum to 1."""
    return mixture / mixture.sum(dim=1, keepdim=True)
