"""UMAP: keep each item's nearest neighbours near, by attraction along a fuzzy neighbour graph."""

from __future__ import annotations

import contextlib
import io
from importlib.metadata import version
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import Stopped, StudioError
from clustering.neighbors import nearest_neighbors
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell
from clustering.projections.base import NComponents, RandomState
from clustering.projections.info import ProjectionInfo
from clustering.projections.neighbor_map import Metric, NeighborMap

EPOCHS_TO_PLACE = 100  # umap-learn's own for up to 10,000 new rows
STEP_TO_PLACE = 0.25  # a quarter of the fit's first step, as in umap-learn


class UMAP(NeighborMap):
    """Uniform manifold approximation and projection (McInnes, Healy, Melville 2018), by umap-learn.

    Parameters
    ----------
    n_components : int, default 2
    n_neighbors : int, default 15
        Lowered to n − 1 when there are fewer items.
    min_dist : float, default 0.1
    spread : float, default 1
        Scale of the islands; with ``min_dist`` as large, the items keep room for their pictures.
    metric : {"euclidean", "cosine"}
    initialization : {"pca", "spectral", "random"}
    n_epochs : int or None
        None: 500 up to 10,000 items, else 200, as in umap-learn.
    negative_sample_rate : int, default 5
    random_state : int, default 0
        A fixed seed means one thread; there is no faster, irreproducible mode.

    Notes
    -----
    Differences from ``umap.UMAP``: it starts from PCA, equal rows share their place, and `transform` places
    each row on its own. There umap-learn scales the attraction by the strongest link of the whole batch, so
    that a row's place depends on its company; here each row is scaled by its own strongest link and then
    moved by the same optimiser against the frozen map. An item of the fit returns to its place.
    """

    info: ClassVar[ProjectionInfo] = ProjectionInfo(
        name="umap",
        title="UMAP",
        paper="L. McInnes, J. Healy, J. Melville: UMAP: Uniform manifold approximation and projection for "
        "dimension reduction",
        year=2018,
        source="arXiv:1802.03426",
        summary="Keeps near neighbours together in compact islands; quick, and the usual first look at a "
        "collection.",
        honesty="The size of an island and the gap between two islands mean little; one group can be torn in "
        "two, and two can touch. Trust neighbours, not distances, and look at a second seed.",
        test_settings={"n_epochs": 40, "n_neighbors": 10},
        order=20,
    )

    def __init__(
        self,
        n_components: NComponents = 2,
        n_neighbors: Annotated[
            int,
            Interval(ge=2, le=200),
            Meaning(
                "How many neighbours each item tries to keep: few show detail, many show the broad shape."
            ),
        ] = 15,
        min_dist: Annotated[
            float,
            Interval(ge=0.0, le=20.0),
            Meaning("How close items may lie: small packs them into tight islands, large spreads them out."),
        ] = 0.1,
        spread: Annotated[
            float,
            Interval(ge=0.1, le=20.0),
            Meaning(
                "Width of the islands beside the gaps between them; at least as large as “min_dist”.",
                advanced=True,
            ),
        ] = 1.0,
        metric: Metric = "euclidean",
        initialization: Annotated[
            Literal["pca", "spectral", "random"],
            Meaning("Where the points start; PCA keeps the broad shape best.", advanced=True),
        ] = "pca",
        n_epochs: Annotated[
            int | None,
            Interval(ge=11, le=5000),
            Meaning("Rounds of moving the points; empty chooses by the number of items.", advanced=True),
        ] = None,
        negative_sample_rate: Annotated[
            int,
            Interval(ge=1, le=50),
            Meaning(
                "Strangers each item is pushed away from for every neighbour it is pulled to.", advanced=True
            ),
        ] = 5,
        random_state: RandomState = 0,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.spread = spread
        self.metric = metric
        self.initialization = initialization
        self.n_epochs = n_epochs
        self.negative_sample_rate = negative_sample_rate
        self.random_state = random_state

    def _layout(
        self, rows: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float32]:
        from umap.umap_ import fuzzy_simplicial_set

        if settings["min_dist"] > settings["spread"]:
            found = f"“min_dist” is {settings['min_dist']:g}, but “spread” is {settings['spread']:g}"
            raise StudioError(f"UMAP: {found}.", "Choose a “spread” at least as large as “min_dist”.")
        n_neighbors = int(self._capped("n_neighbors", settings["n_neighbors"], len(rows) - 1, len(rows)))
        near = nearest_neighbors(
            rows, n_neighbors - 1, random_state=settings["random_state"], progress=progress
        )
        itself = np.arange(len(rows))[:, None]  # umap-learn counts an item as its own first neighbour
        tell(progress, 0, 1, "linking neighbours")
        graph, _, _ = fuzzy_simplicial_set(
            rows,
            n_neighbors,
            np.random.RandomState(settings["random_state"]),
            "euclidean",
            knn_indices=np.hstack([itself, near.indices]).astype(np.int32),
            knn_dists=np.hstack([np.zeros((len(rows), 1)), near.distances]).astype(np.float32),
        )
        tell(progress, 1, 1, "linking neighbours")
        self.engine_ = f"umap-learn {version('umap-learn')} on CPU"
        return self._optimised(rows, graph, settings, progress)

    def _optimised(
        self, rows: NDArray[np.float32], graph: Any, settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float32]:
        from umap.umap_ import simplicial_set_embedding

        n_epochs = settings["n_epochs"] or (500 if len(rows) <= 10_000 else 200)
        a, b = self._kernel()
        spectral = settings["initialization"] == "spectral"
        with _epochs_told(progress, n_epochs) as bar:
            places, _ = simplicial_set_embedding(
                rows,
                graph,
                settings["n_components"],
                initial_alpha=1.0,
                a=a,
                b=b,
                gamma=1.0,
                negative_sample_rate=settings["negative_sample_rate"],
                n_epochs=n_epochs,
                init="spectral" if spectral else self._start(rows, settings, spread=1.0),
                random_state=np.random.RandomState(settings["random_state"]),
                metric="euclidean",
                metric_kwds={},
                densmap=False,
                densmap_kwds={},
                output_dens=False,
                tqdm_kwds=bar,
            )
        tell(progress, n_epochs, n_epochs, "moving the points")
        return np.asarray(places, dtype=np.float32)

    def _kernel(self) -> tuple[float, float]:
        """Return a and b of w(d) = 1 / (1 + a d^2b), fitted to ``min_dist`` and ``spread``."""
        from umap.umap_ import find_ab_params

        a, b = find_ab_params(self.spread, self.min_dist)
        return float(a), float(b)

    def _n_neighbors_to_place(self) -> int:
        return self.n_neighbors

    def _place_new(self, indices: NDArray[np.int32], distances: NDArray[np.float32]) -> NDArray[np.float32]:
        from umap.layouts import optimize_layout_euclidean

        strengths = _memberships(distances.astype(np.float64))  # (m, k)
        weights = strengths / strengths.sum(axis=1, keepdims=True)
        start = np.einsum("mk,mkc->mc", weights, self._places[indices].astype(np.float64))
        relative = strengths / strengths.max(axis=1, keepdims=True)
        linked = relative * EPOCHS_TO_PLACE >= 1  # weaker links would never be drawn
        a, b = self._kernel()
        return optimize_layout_euclidean(  # type: ignore[no-any-return]
            start.astype(np.float32),
            self._places.copy(),  # frozen: only the new rows move
            np.nonzero(linked)[0].astype(np.int32),
            indices[linked].astype(np.int32),
            EPOCHS_TO_PLACE,
            len(self._places),
            (1.0 / relative[linked]).astype(np.float32),
            a,
            b,
            np.random.RandomState(self.random_state).randint(-(2**31) + 1, 2**31 - 1, 3).astype(np.int64),
            1.0,
            STEP_TO_PLACE,
            float(self.negative_sample_rate),
            tqdm_kwds={"disable": True},
        )


def _memberships(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return UMAP's link strengths exp(−d/σ) of new rows, with σ such that each row's sum to log2 k.

    As in umap-learn's transform, where a new row's nearest neighbour gets no head start (ρ = 0).
    """
    wanted = np.log2(max(distances.shape[1], 2))
    low = np.zeros(len(distances))
    high = np.maximum(distances.max(axis=1), 1e-12) * 1e3
    for _ in range(64):
        sigma = (low + high) / 2
        with np.errstate(under="ignore"):
            too_wide = np.exp(-distances / sigma[:, None]).sum(axis=1) > wanted
        high, low = np.where(too_wide, sigma, high), np.where(too_wide, low, sigma)
    # Relative to the nearest, which cancels in every ratio: a far row keeps its links instead of losing all.
    return np.asarray(np.exp(-(distances - distances[:, :1]) / high[:, None]), dtype=np.float64)


@contextlib.contextmanager
def _epochs_told(progress: Progress, n_epochs: int) -> Any:
    """Give umap-learn a progress bar that tells our listener; umap-learn has no other hook.

    The bar is tqdm's, which writes to any file: ours reads the epoch and raises when a stop is wanted. tqdm
    would keep its lock then, so it is released here. (In a notebook tqdm draws widgets and never writes;
    there the epochs show in its own bar and a stop waits for the end of this step.)
    """
    if progress is silent:
        yield {"disable": True}
        return
    listener = _Listener(progress, n_epochs)
    try:
        yield {
            "disable": False,
            "file": listener,
            "bar_format": "{n_fmt}",
            "miniters": 1,
            "mininterval": 0.1,
            "leave": True,
        }
    except Stopped:
        from tqdm.auto import tqdm

        with contextlib.suppress(RuntimeError, AssertionError):  # not held: a later tqdm released it itself
            tqdm.get_lock().release()
        raise


class _Listener(io.TextIOBase):
    """A file to which tqdm writes the number of epochs done."""

    def __init__(self, progress: Progress, n_epochs: int) -> None:
        self.progress, self.n_epochs = progress, n_epochs
        self.stopped = False

    def write(self, text: str) -> int:
        """Tell the listener how many epochs are done."""
        if text.strip().isdigit() and not self.stopped:
            try:
                tell(self.progress, int(text), self.n_epochs, "moving the points")
            except Stopped:
                self.stopped = True  # tqdm writes once more while it closes
                raise
        return len(text)
