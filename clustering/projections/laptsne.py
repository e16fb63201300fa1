"""LaptSNE: t-SNE whose map is made to fall into k parts, by the smallest eigenvalues of its own graph."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import MemoryFullError
from clustering.neighbors import nearest_neighbors, neighbors_in
from clustering.parameters import Meaning
from clustering.progress import Progress, tell
from clustering.projections.base import NComponents, RandomState
from clustering.projections.engines import device_for, with_search
from clustering.projections.info import ProjectionInfo
from clustering.projections.laptsne_groups import graph_spectrum, suggested_groups
from clustering.projections.laptsne_layout import Layout, enough_threads, kl_divergence
from clustering.projections.neighbor_map import Metric, NeighborMap, Perplexity, Where
from clustering.projections.on_device.placing import placed_by_tsne
from clustering.projections.on_device.tsne_layout import affinity_graph
from clustering.training.device import choose_device

PAYS_FROM = 500  # items from which a graphics processor is quicker: 1.4 s, 2.8 s
MOST_ITEMS = {"cpu": 5_000, "cuda": 30_000}  # time grows with the square: three minutes of one core
NEIGHBORS_TO_PLACE = 25  # of a new item
PLACED_AT_ONCE = 10_000
TOLD_EVERY = 10  # iterations
SPREAD = 1e-4  # of the first axis at the start (standard deviation)

Strength = Annotated[
    float,
    Interval(ge=0, le=1),
    Meaning("How hard the map is pushed to fall into groups; 0 is plain t-SNE."),
]
Iterations = Annotated[
    int,
    Interval(ge=10, le=10000),
    Meaning("Rounds of moving the points; the first third forms the islands.", advanced=True),
]
MaxItems = Annotated[
    Annotated[int, Interval(ge=100, le=200_000)] | None,
    Meaning(
        "Lay out at most so many items, drawn by chance; the others are placed among them like new ones. "
        "Empty: 5,000, or 30,000 with a graphics processor.",
        advanced=True,
    ),
]


class LaptSNE(NeighborMap):
    """t-SNE with a penalty on the Laplacian of its own map (Sun, Han, Fan 2023).

    Parameters
    ----------
    n_components : int, default 2
    n_groups : int or None, default 10
        k: the map is pushed to fall into so many parts. None: by the widest relative gap between the
        eigenvalues of the data's graph, which is often far from the number a person would see.
    strength : float, default 0.01
        β of the penalty.
    perplexity : float, default 30
        Lowered to (n − 1) / 3 when there are fewer items.
    metric : {"euclidean", "cosine"}
    initialization : {"spectral", "pca", "random"}
        ``spectral``: eigenvectors of the data's graph, as published.
    n_iter : int, default 750
        The first third without the penalty and with early exaggeration.
    max_items : int or None
    device : {"auto", "cpu", "cuda"}
    random_state : int, default 0

    Attributes
    ----------
    kl_divergence_ : float
        t-SNE's part of what the fit minimised, in nats; NaN when PCA took its place.
    eigenvalues_ : float64 array (k,)
        λ_1 … λ_k of the map's graph; near 0, the map has fallen into parts.
    graph_eigenvalues_ : float64 array (≤ 31,)
        The same of the data's graph.
    suggested_groups_ : int
        Where the relative gap of ``graph_eigenvalues_`` is widest.

    Notes
    -----
    The paper's body could not be read: the loss is the one whose majorisation the authors' code descends,
    with kernel, degrees and eigenvectors of one graph, where the code mixes two, and t-SNE's early
    exaggeration, which the code leaves out. Every pair of items counts in every iteration, in O(n) memory.
    `transform` places each row on its own against the frozen map as t-SNE does, without the penalty. An item
    of the fit returns to its place.
    """

    info: ClassVar[ProjectionInfo] = ProjectionInfo(
        name="laptsne",
        title="LaptSNE",
        paper="Y. Sun, Y. Han, J. Fan: Laplacian-based cluster-contractive t-SNE for high-dimensional data "
        "visualization",
        year=2023,
        source="ACM TKDD 18(1), 1–22; arXiv:2207.12214",
        summary="A t-SNE that draws each group together and away from the others, for pictures in which "
        "groups must be told apart at a glance.",
        honesty="Gaps between groups are exaggerated by design: it pushes the map to fall into the number of "
        "groups it was told, whether or not the data do. Compare it with plain t-SNE; sizes and distances of "
        "groups mean nothing.",
        going_on={"n_iter": 50},
        test_settings={"n_iter": 60, "perplexity": 10.0, "n_groups": 4},
        order=50,
    )

    def __init__(
        self,
        n_components: NComponents = 2,
        n_groups: Annotated[
            Annotated[int, Interval(ge=1, le=100)] | None,
            Meaning("How many groups the map should fall into; empty takes what the data's graph suggests."),
        ] = 10,
        strength: Strength = 0.01,
        perplexity: Perplexity = 30.0,
        metric: Metric = "euclidean",
        initialization: Annotated[
            Literal["spectral", "pca", "random"],
            Meaning("Where the points start: eigenvectors of the data's graph, PCA, chance.", advanced=True),
        ] = "spectral",
        n_iter: Iterations = 750,
        max_items: MaxItems = None,
        device: Where = "auto",
        random_state: RandomState = 0,
    ) -> None:
        self.n_components = n_components
        self.n_groups = n_groups
        self.strength = strength
        self.perplexity = perplexity
        self.metric = metric
        self.initialization = initialization
        self.n_iter = n_iter
        self.max_items = max_items
        self.device = device
        self.random_state = random_state

    def _map_of_few(
        self, items: NDArray[np.float32], n_different: int, settings: dict[str, Any]
    ) -> NDArray[np.float32]:
        self.kl_divergence_ = float("nan")
        self.eigenvalues_ = self.graph_eigenvalues_ = np.zeros(0)
        self.suggested_groups_ = n_different
        return super()._map_of_few(items, n_different, settings)

    def _layout(
        self, rows: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.floating[Any]]:
        device = resolved_device(settings["device"], len(rows))
        sample = self._sample(len(rows), settings, device)
        self._begun = None if self._begun is None else self._begun[sample]
        try:
            with enough_threads(len(sample)):
                laid_out = self._laid_out(rows[sample], settings, device, progress)
        except torch.OutOfMemoryError as error:
            raise MemoryFullError(
                f"LaptSNE of {len(sample):,} items does not fit in the memory of "
                f"{torch.cuda.get_device_name()}.",
                "Lower “max_items”, or choose “cpu” as the device.",
            ) from error
        if len(sample) == len(rows):
            return laid_out
        places = np.empty((len(rows), settings["n_components"]), dtype=np.float32)
        places[sample] = laid_out
        others = np.setdiff1d(np.arange(len(rows)), sample, assume_unique=True)
        doing = "placing the other items"
        for start in range(0, len(others), PLACED_AT_ONCE):
            tell(progress, start, len(others), doing)
            part = others[start : start + PLACED_AT_ONCE]
            found = neighbors_in(rows[sample], rows[part], NEIGHBORS_TO_PLACE)
            places[part] = placed_by_tsne(places[sample], found.indices, found.distances, 1.0, device)
        tell(progress, len(others), len(others), doing)
        return places

    def _sample(self, n_items: int, settings: dict[str, Any], device: str) -> NDArray[np.intp]:
        most = settings["max_items"] or MOST_ITEMS[device]
        if n_items <= most:
            return np.arange(n_items)
        self.notes_ += (
            f"{most:,} of {n_items:,} different items, drawn by chance, were laid out; the others were "
            "placed among them like new ones, because every pair counts and time grows with the square.",
        )
        random = np.random.default_rng(settings["random_state"])
        return np.sort(random.choice(n_items, most, replace=False))

    def _laid_out(
        self, rows: NDArray[np.float32], settings: dict[str, Any], device: str, progress: Progress
    ) -> NDArray[np.float32]:
        perplexity = self._capped("perplexity", settings["perplexity"], (len(rows) - 1) / 3, len(rows))
        count = min(len(rows) - 1, int(3 * perplexity))
        found = nearest_neighbors(rows, count, random_state=settings["random_state"], progress=progress)
        where = "CPU" if device == "cpu" else torch.cuda.get_device_name()
        self.engine_ = with_search(f"our own (PyTorch {torch.__version__}) on {where}", found)
        affinities = affinity_graph(found, perplexity, device)
        tell(progress, 0, 1, "looking at the data's graph")
        vectors, self.graph_eigenvalues_ = graph_spectrum(affinities, settings["random_state"])
        self.suggested_groups_ = suggested_groups(self.graph_eigenvalues_)
        tell(progress, 1, 1, "looking at the data's graph")
        layout = Layout(
            affinities,
            torch.as_tensor(self._begin(rows, vectors, settings), dtype=torch.float32, device=device),
            settings["n_iter"],
            settings["strength"],
            settings["n_groups"] or self.suggested_groups_,
            settings["random_state"],
            early=self._begun is None,
        )
        while layout.done < layout.n_iter:
            layout.advance(TOLD_EVERY)
            tell(progress, layout.done, layout.n_iter, "moving the points")
        graph = layout.graph()
        self.kl_divergence_ = kl_divergence(affinities, graph)
        self.eigenvalues_ = layout.eigenvectors(graph, layout.n_groups).values.double().cpu().numpy()
        return np.asarray(layout.places.cpu().numpy())

    def _begin(
        self, rows: NDArray[np.float32], vectors: torch.Tensor, settings: dict[str, Any]
    ) -> NDArray[np.float64]:
        if settings["initialization"] != "spectral" or self._begun is not None:
            return self._start(rows, settings, SPREAD)
        return spectral_places(vectors, settings["n_components"], settings["random_state"])

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return super()._arrays() | {
            "eigenvalues": self.eigenvalues_,
            "graph_eigenvalues": self.graph_eigenvalues_,
            "found": np.array([self.kl_divergence_, self.suggested_groups_]),
        }

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        super()._restore(arrays)
        self.eigenvalues_, self.graph_eigenvalues_ = arrays["eigenvalues"], arrays["graph_eigenvalues"]
        self.kl_divergence_, self.suggested_groups_ = float(arrays["found"][0]), int(arrays["found"][1])

    def _n_neighbors_to_place(self) -> int:
        return NEIGHBORS_TO_PLACE

    def _place_new(self, indices: NDArray[np.int32], distances: NDArray[np.float32]) -> NDArray[np.float64]:
        device = device_for(len(self._places), PAYS_FROM)
        return placed_by_tsne(self._places, indices, distances, 1.0, device)


def spectral_places(vectors: torch.Tensor, n_components: int, seed: int) -> NDArray[np.float64]:
    """Return where points start, (n, c): eigenvectors 2, 3, … of the data's graph and a trace of chance."""
    smooth = vectors[:, 1 : n_components + 1].double().cpu().numpy()
    places = 0.01 * np.random.default_rng(seed).normal(size=(len(smooth), n_components))
    places[:, : smooth.shape[1]] += smooth / smooth.std(axis=0)
    return SPREAD * places


def resolved_device(wanted: Literal["auto", "cpu", "cuda"], n_items: int) -> Literal["cuda", "cpu"]:
    """Return where so many items are laid out; a graphics processor that is asked for must be there."""
    if wanted == "auto":
        return device_for(n_items, PAYS_FROM)
    return "cuda" if choose_device(wanted).device.type == "cuda" else "cpu"
