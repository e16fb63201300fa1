"""t-SNE: place items so that the chance of being neighbours is the same on the map as in the data."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.neighbors import nearest_neighbors
from clustering.parameters import Meaning
from clustering.progress import Progress, tell
from clustering.projections.base import NComponents, RandomState
from clustering.projections.info import ProjectionInfo
from clustering.projections.neighbor_map import Metric, NeighborMap

EARLY_ITERATIONS = 250
TOLD_EVERY = 10  # iterations
WORTH_THREADS = 5_000  # items; below, waiting for one another costs threads more than they save
LARGE = 10_000  # items from which interpolation (FFT) is quicker than the tree (Barnes-Hut)

# openTSNE's own settings for new points, each optimised against the frozen map.
PERPLEXITY_TO_PLACE = 5
NEIGHBORS_TO_START = 25
PLACING = {"n_iter": 250, "learning_rate": 0.1, "exaggeration": 1.5, "momentum": 0.8, "max_grad_norm": 0.25}


class TSNE(NeighborMap):
    """t-distributed stochastic neighbour embedding (van der Maaten, Hinton 2008), by openTSNE.

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
    random_state : int, default 0

    Attributes
    ----------
    kl_divergence_ : float
        What the fit minimised, in nats; NaN when PCA took its place.

    Notes
    -----
    `transform` places each row on its own against the frozen map, which is copied first: openTSNE's own
    ``transform`` shifts the map it belongs to. An item of the fit returns to its place.
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
        test_settings={"n_iter": 50, "perplexity": 10.0},
        order=30,
    )

    def __init__(
        self,
        n_components: NComponents = 2,
        perplexity: Annotated[
            float,
            Interval(ge=2, le=500),
            Meaning("About how many neighbours each item listens to: few show detail, many the broad shape."),
        ] = 30.0,
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
        random_state: RandomState = 0,
    ) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.exaggeration = exaggeration
        self.metric = metric
        self.initialization = initialization
        self.n_iter = n_iter
        self.dof = dof
        self.random_state = random_state

    def _layout(
        self, rows: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float64]:
        import openTSNE
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        perplexity = self._capped("perplexity", settings["perplexity"], (len(rows) - 1) / 3, len(rows))
        n_neighbors = min(len(rows) - 1, int(3 * perplexity))
        found = nearest_neighbors(rows, n_neighbors, random_state=settings["random_state"], progress=progress)
        neighbors = PrecomputedNeighbors(found.indices.astype(np.int64), found.distances.astype(np.float64))
        affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=neighbors)
        fitted = openTSNE.TSNE(
            n_components=settings["n_components"],
            exaggeration=settings["exaggeration"],
            early_exaggeration=max(12.0, settings["exaggeration"]),
            early_exaggeration_iter=EARLY_ITERATIONS,
            n_iter=settings["n_iter"],
            dof=settings["dof"],
            random_state=settings["random_state"],
            negative_gradient_method=self._engine(len(rows), settings["n_components"]),
            n_jobs=_threads(len(rows)),
            callbacks=_Listener(progress, settings["n_iter"]),
            callbacks_every_iters=TOLD_EVERY,
        ).fit(affinities=affinities, initialization=self._start(rows, settings, spread=1e-4))
        self.kl_divergence_ = float(fitted.kl_divergence)
        self.engine_ = f"openTSNE {version('openTSNE')} on CPU"
        return np.array(fitted)

    @staticmethod
    def _engine(n_items: int, n_components: int) -> str:
        return "fft" if n_items >= LARGE and n_components < 3 else "bh"

    def _n_neighbors_to_place(self) -> int:
        return max(NEIGHBORS_TO_START, 3 * PERPLEXITY_TO_PLACE)

    def _place_new(self, indices: NDArray[np.int32], distances: NDArray[np.float32]) -> NDArray[np.float64]:
        from openTSNE.affinity import PrecomputedAffinities, joint_probabilities_nn
        from openTSNE.tsne import PartialTSNEEmbedding, TSNEEmbedding
        from scipy.sparse import identity

        n_items, n_components = self._places.shape
        engine = self._engine(n_items, n_components)
        listened = min(3 * PERPLEXITY_TO_PLACE, indices.shape[1])
        chances = joint_probabilities_nn(
            indices[:, :listened].astype(np.int64),
            distances[:, :listened].astype(np.float64),
            [min(PERPLEXITY_TO_PLACE, listened / 3)],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=n_items,
        )
        # The frozen map carries no affinities; openTSNE asks for some and never uses them here.
        frozen = TSNEEmbedding(
            self._places,
            PrecomputedAffinities(identity(n_items, format="csr"), normalize=False),
            dof=self.dof,
        )
        if engine == "fft":
            frozen.prepare_interpolation_grid()  # moves this copy to the middle of its grid
        shift = np.asarray(frozen[0]) - self._places[0]
        start = np.median(np.asarray(frozen)[indices[:, :NEIGHBORS_TO_START]], axis=1)
        placed = PartialTSNEEmbedding(
            start,
            frozen,
            chances,
            negative_gradient_method=engine,
            dof=self.dof,
            n_jobs=_threads(len(indices)),
        ).optimize(**PLACING)
        return np.asarray(placed) - shift


def _threads(n_items: int) -> int:
    return -1 if n_items >= WORTH_THREADS else 1  # all cores or one; the map is the same


class _Listener:
    """Counts both phases of openTSNE as one and passes the count on; a stop leaves by exception."""

    def __init__(self, progress: Progress, n_iter: int) -> None:
        self.progress, self.total = progress, EARLY_ITERATIONS + n_iter
        self.phases = 0

    def optimization_about_to_start(self) -> None:
        """Hear from openTSNE that a phase begins."""
        self.phases += 1

    def __call__(self, iteration: int, error: float, embedding: Any) -> bool:  # noqa: ARG002
        """Hear from openTSNE that iterations of a phase are done; never stops by its return value."""
        done = iteration + (EARLY_ITERATIONS if self.phases > 1 else 0)
        tell(self.progress, done, self.total, "moving the points")
        return False
