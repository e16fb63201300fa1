"""t-SNE: place items so that the chance of being neighbours is the same on the map as in the data."""

from __future__ import annotations

import logging
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.neighbors import Neighbors, nearest_neighbors
from clustering.parameters import Meaning
from clustering.progress import Progress, tell
from clustering.projections.base import NComponents, RandomState
from clustering.projections.engines import Engine, chosen_engine, device_for, enough_memory, with_search
from clustering.projections.info import ProjectionInfo
from clustering.projections.neighbor_map import Metric, NeighborMap, Perplexity

EARLY_ITERATIONS = 250
EARLY_EXAGGERATION = 12.0
TOLD_EVERY = 10  # iterations
WORTH_THREADS = 5_000  # items; below, waiting for one another costs threads more than they save
LARGE = 10_000  # items from which interpolation (FFT) is quicker than the tree (Barnes-Hut)
PAYS_FROM = 500  # items from which our engine on a graphics processor is quicker than openTSNE: .7 s, 1.3 s
NEIGHBORS_TO_PLACE = 25  # of a new item


class TSNE(NeighborMap):
    """t-distributed stochastic neighbour embedding (van der Maaten, Hinton 2008).

    Parameters
    ----------
    n_components : int, default 2
    perplexity : float, default 30
        Lowered to (n − 1) / 3 when there are fewer items.
    exaggeration : float, default 1
    metric : {"euclidean", "cosine"}
    initialization : {"pca", "random"}
    n_iter : int, default 500
        After 250 iterations of early exaggeration; the step is n / exaggeration (Belkina 2019).
    dof : float, default 1
        Degrees of freedom of the map's kernel (Kobak 2019).
    engine : {"auto", "library", "own"}
        openTSNE on the CPU, or ours on a graphics processor; ``engine_`` names it and says why.
    random_state : int, default 0

    Attributes
    ----------
    kl_divergence_ : float
        What the fit minimised, in nats; NaN when PCA took its place.

    Notes
    -----
    `transform` places each row on its own against the frozen map, as openTSNE does, whose own ``transform``
    shifts the map it belongs to. An item of the fit returns to its place.
    """

    info: ClassVar[ProjectionInfo] = ProjectionInfo(
        name="tsne",
        title="t-SNE",
        paper="L. van der Maaten, G. Hinton: Visualizing data using t-SNE",
        year=2008,
        source="JMLR 9, 2579–2605",
        summary="Keeps near neighbours together most faithfully; slower, and weakest on the broad shape.",
        honesty="The size of a cluster, the distance between clusters and the axes mean nothing; perplexity "
        "changes how many islands there are, and pure noise can show some. Look at a second seed.",
        going_on={"n_iter": 50},
        test_settings={"n_iter": 50, "perplexity": 10.0},
        order=30,
    )

    def __init__(
        self,
        n_components: NComponents = 2,
        perplexity: Perplexity = 30.0,
        exaggeration: Annotated[
            float,
            Interval(ge=1, le=12),
            Meaning("How much groups are pulled together for emphasis; 1 is plain t-SNE.", advanced=True),
        ] = 1.0,
        metric: Metric = "euclidean",
        initialization: Annotated[
            Literal["pca", "random"],
            Meaning("Where the points start; PCA keeps the broad shape best.", advanced=True),
        ] = "pca",
        n_iter: Annotated[
            int,
            Interval(ge=10, le=10000),
            Meaning("Rounds of moving the points, after 250 rounds that form the islands.", advanced=True),
        ] = 500,
        dof: Annotated[
            float,
            Interval(ge=0.5, le=5.0),
            Meaning("Below 1 splits groups into finer ones, above 1 blurs them; 1 is t-SNE.", advanced=True),
        ] = 1.0,
        engine: Engine = "auto",
        random_state: RandomState = 0,
    ) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.exaggeration = exaggeration
        self.metric = metric
        self.initialization = initialization
        self.n_iter = n_iter
        self.dof = dof
        self.engine = engine
        self.random_state = random_state

    def _layout(
        self, rows: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.floating[Any]]:
        perplexity = self._capped("perplexity", settings["perplexity"], (len(rows) - 1) / 3, len(rows))
        n_neighbors = min(len(rows) - 1, int(3 * perplexity))
        chosen = chosen_engine(settings["engine"], "openTSNE", "openTSNE", len(rows), PAYS_FROM)
        found = nearest_neighbors(rows, n_neighbors, random_state=settings["random_state"], progress=progress)
        start = self._start(rows, settings, spread=1e-4)
        early = EARLY_ITERATIONS if self._begun is None else 0  # a map has its islands already
        self.engine_ = with_search(chosen.sentence, found)
        if not chosen.own:
            return self._by_library(found, perplexity, start, early, settings, progress)
        from clustering.projections.on_device import tsne_layout

        with enough_memory("t-SNE", len(rows)):
            places, self.kl_divergence_ = tsne_layout.lay_out(
                tsne_layout.affinity_graph(found, perplexity, chosen.device),
                start,
                exaggeration=settings["exaggeration"],
                early_exaggeration=max(EARLY_EXAGGERATION, settings["exaggeration"]),
                early_iterations=early,
                n_iter=settings["n_iter"],
                dof=settings["dof"],
                progress=progress,
            )
        return places

    def _by_library(
        self,
        found: Neighbors,
        perplexity: float,
        start: NDArray[np.float64],
        early: int,
        settings: dict[str, Any],
        progress: Progress,
    ) -> NDArray[np.float64]:
        import openTSNE
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        neighbors = PrecomputedNeighbors(found.indices.astype(np.int64), found.distances.astype(np.float64))
        n_items = len(start)
        # openTSNE warns of a start as wide as a map; ours is one on purpose where the points go on
        logging.getLogger("openTSNE.tsne").setLevel(logging.WARNING if early else logging.ERROR)
        fitted = openTSNE.TSNE(
            n_components=settings["n_components"],
            exaggeration=settings["exaggeration"],
            early_exaggeration=max(EARLY_EXAGGERATION, settings["exaggeration"]),
            early_exaggeration_iter=early,
            n_iter=settings["n_iter"],
            dof=settings["dof"],
            random_state=settings["random_state"],
            negative_gradient_method="fft" if n_items >= LARGE and settings["n_components"] < 3 else "bh",
            n_jobs=-1 if n_items >= WORTH_THREADS else 1,  # all cores or one; the map is the same
            callbacks=_Listener(progress, early, settings["n_iter"]),
            callbacks_every_iters=TOLD_EVERY,
        ).fit(affinities=PerplexityBasedNN(perplexity=perplexity, knn_index=neighbors), initialization=start)
        self.kl_divergence_ = float(fitted.kl_divergence)
        return np.array(fitted)

    def _n_neighbors_to_place(self) -> int:
        return NEIGHBORS_TO_PLACE

    def _place_new(self, indices: NDArray[np.int32], distances: NDArray[np.float32]) -> NDArray[np.float64]:
        from clustering.projections.on_device.placing import placed_by_tsne

        device = device_for(len(self._places), PAYS_FROM)
        return placed_by_tsne(self._places, indices, distances, self.dof, device)


class _Listener:
    """Counts both phases of openTSNE as one and passes the count on; a stop leaves by exception."""

    def __init__(self, progress: Progress, early: int, n_iter: int) -> None:
        self.progress, self.early, self.total = progress, early, early + n_iter
        self.phases = 0

    def optimization_about_to_start(self) -> None:
        """Hear from openTSNE that a phase begins."""
        self.phases += 1

    def __call__(self, iteration: int, error: float, embedding: Any) -> bool:  # noqa: ARG002
        """Hear from openTSNE that iterations of a phase are done; never stops by its return value."""
        done = iteration + (self.early if self.phases > 1 else 0)
        tell(self.progress, done, self.total, "moving the points")
        return False
