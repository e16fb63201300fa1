"""UMAP: keep each item's nearest neighbours near, by attraction along a fuzzy neighbour graph."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.parameters import Meaning
from clustering.progress import Progress
from clustering.projections.base import NComponents, RandomState
from clustering.projections.engines import Engine, device_for
from clustering.projections.info import ProjectionInfo
from clustering.projections.neighbor_map import Metric, NeighborMap
from clustering.projections.unfolding import PAYS_FROM, kernel_of, unfolded


class UMAP(NeighborMap):
    """Uniform manifold approximation and projection (McInnes, Healy, Melville 2018).

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
    engine : {"auto", "library", "own"}
        umap-learn on one thread, or ours on a graphics processor; ``engine_`` names it and says why.
    random_state : int, default 0
        The same seed, engine and device give the same map; there is no faster, irreproducible mode.

    Notes
    -----
    Differences from ``umap.UMAP``: it starts from PCA, equal rows share their place, and `transform` places
    each row on its own. There umap-learn scales the attraction by the strongest link of the whole batch, so
    that a row's place depends on its company; here each row is scaled by its own strongest link and moved by
    the same forces against the frozen map. An item of the fit returns to its place.
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
        going_on={"n_epochs": 60},
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
        engine: Engine = "auto",
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
        self.engine = engine
        self.random_state = random_state

    def _layout(
        self, rows: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float32]:
        if settings["min_dist"] > settings["spread"]:
            found = f"“min_dist” is {settings['min_dist']:g}, but “spread” is {settings['spread']:g}"
            raise StudioError(f"UMAP: {found}.", "Choose a “spread” at least as large as “min_dist”.")
        n_neighbors = int(self._capped("n_neighbors", settings["n_neighbors"], len(rows) - 1, len(rows)))
        spectral = settings["initialization"] == "spectral" and self._begun is None
        places, self.engine_ = unfolded(
            rows,
            n_components=settings["n_components"],
            n_neighbors=n_neighbors,
            min_dist=settings["min_dist"],
            spread=settings["spread"],
            start="spectral" if spectral else self._start(rows, settings, spread=1.0),
            n_epochs=settings["n_epochs"],
            negative_sample_rate=settings["negative_sample_rate"],
            random_state=settings["random_state"],
            engine=settings["engine"],
            go_on=self._begun is not None,
            progress=progress,
        )
        return places

    def _n_neighbors_to_place(self) -> int:
        return self.n_neighbors

    def _place_new(self, indices: NDArray[np.int32], distances: NDArray[np.float32]) -> NDArray[np.float64]:
        from clustering.projections.on_device.placing import placed_by_umap
        from clustering.projections.on_device.umap_layout import Kernel

        return placed_by_umap(
            self._places,
            indices,
            _memberships(distances.astype(np.float64)),
            Kernel(*kernel_of(self.spread, self.min_dist)),
            self.negative_sample_rate,
            self.random_state,
            device_for(len(self._places), PAYS_FROM),
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
