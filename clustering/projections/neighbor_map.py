"""What UMAP and t-SNE share: twins, the reduction before, too few items, items on the map already."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.arrays import distinct_rows
from clustering.neighbors import neighbors_in
from clustering.parameters import Meaning
from clustering.progress import Progress, tell
from clustering.projections.axes import Axes
from clustering.projections.few_items import FEWEST_ITEMS, MapsFew

MOST_DIMENSIONS = 50  # neighbours are searched in at most so many principal directions
SAME_PLACE = (
    1e-6  # share of the typical row length below which a row counts as one of the fit: float32 rounding
)
PLACED_AT_ONCE = 10_000  # new rows

Metric = Annotated[
    Literal["euclidean", "cosine"],
    Meaning(
        "What near means: euclidean compares the numbers, cosine only their proportions (rows are scaled to "
        "length 1 first).",
        advanced=True,
    ),
]

Perplexity = Annotated[
    float,
    Interval(ge=2, le=500),
    Meaning("About how many neighbours each item listens to: few show detail, many the broad shape."),
]
Where = Annotated[
    Literal["auto", "cpu", "cuda"], Meaning("Where it runs; auto takes the fastest.", advanced=True)
]


class NeighborMap(MapsFew):
    """Base of projections that keep neighbours together.

    Equal rows are mapped once and share their place. More than 50 dimensions are reduced to the 50 strongest
    principal directions first. Fewer than five different items are shown by PCA; ``engine_`` says so.
    """

    metric: str

    def _map(
        self, items: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.floating[Any]]:
        first, twin_of = distinct_rows(items)
        different = items[first]
        if len(first) < FEWEST_ITEMS:
            return self._map_of_few(items, len(first), settings)
        self._few = None
        self._begun = None if self._begun is None else self._begun[first]
        self._reduction = self._reduction_of(different, settings, progress)
        self._rows = self._reduced(different)  # (u, ≤ 50)
        self._places = np.ascontiguousarray(self._layout(self._rows, settings, progress), dtype=np.float32)
        return self._places[twin_of]

    def _reduction_of(
        self, different: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> Axes | None:
        if different.shape[1] <= MOST_DIMENSIONS:
            return None
        doing = f"reducing {different.shape[1]} dimensions to {MOST_DIMENSIONS}"
        tell(progress, 0, 1, doing)
        reduction = Axes.fitted(self._scaled(different), MOST_DIMENSIONS, settings["random_state"])
        tell(progress, 1, 1, doing)
        return reduction

    def _scaled(self, items: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.metric == "euclidean":
            return items
        lengths = np.sqrt(np.einsum("nd,nd->n", items, items, dtype=np.float64))
        return (items / np.where(lengths > 0, lengths, 1.0)[:, None]).astype(np.float32)

    def _reduced(self, items: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = self._scaled(items)
        return self._reduction(scaled) if self._reduction else scaled

    def _place(self, items: NDArray[np.float32], progress: Progress) -> NDArray[np.floating[Any]]:
        if self._few is not None:
            return self._few(items)
        rows = self._reduced(items)
        count = min(self._n_neighbors_to_place(), len(self._rows))
        found = neighbors_in(self._rows, rows, count, progress)
        indices, distances = found.indices, found.distances
        places = self._places[indices[:, 0]].astype(np.float32)  # an item of the fit is where it was
        length = np.sqrt(np.mean(np.einsum("nd,nd->n", self._rows, self._rows, dtype=np.float64)))
        new = np.flatnonzero(distances[:, 0] > SAME_PLACE * length)
        for start in range(0, len(new), PLACED_AT_ONCE):
            tell(progress, start, len(new), "placing new items on the map")
            chunk = new[start : start + PLACED_AT_ONCE]
            places[chunk] = self._place_new(indices[chunk], distances[chunk])
        tell(progress, len(new), len(new), "placing new items on the map")
        return places

    def _arrays(self) -> dict[str, NDArray[Any]]:
        if self._few is not None:
            return dict(self._few.arrays("few"))
        reduction = self._reduction.arrays("reduction") if self._reduction else {}
        return {"rows": self._rows, "places": self._places, **reduction}

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._few = Axes.restored(arrays, "few") if "few_mean" in arrays else None
        if self._few is None:
            self._reduction = Axes.restored(arrays, "reduction") if "reduction_mean" in arrays else None
            self._rows, self._places = arrays["rows"], arrays["places"]

    def _start(
        self, rows: NDArray[np.float32], settings: dict[str, Any], spread: float
    ) -> NDArray[np.float64]:
        """Return where the points start, (u, c): where `fit` was told, else by PCA or chance.

        Then the first axis is ``spread`` wide (sd).

        A trace of seeded noise lets points move apart along axes in which the data do not differ.
        """
        if self._begun is not None:
            return self._begun
        random = np.random.default_rng(settings["random_state"])
        noise = random.normal(size=(len(rows), settings["n_components"]))
        if settings["initialization"] == "random":
            return spread * noise
        places = Axes.fitted(rows, settings["n_components"], settings["random_state"])(rows).astype(
            np.float64
        )
        return spread * (places / (places[:, 0].std() or 1.0) + 0.01 * noise)

    def _capped(self, name: str, value: float, highest: float, n_items: int) -> float:
        """Return ``value`` or the highest possible one, and note it."""
        if value <= highest:
            return value
        self.notes_ += (
            f"“{name}” was lowered from {value:g} to {highest:.3g}, because only {n_items} items differ.",
        )
        return highest

    @abstractmethod
    def _layout(
        self, rows: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.floating[Any]]:
        """Set ``engine_`` and return the places (u, c) of different rows (u, ≤ 50)."""

    @abstractmethod
    def _n_neighbors_to_place(self) -> int:
        """Return how many neighbours `_place_new` wants."""

    @abstractmethod
    def _place_new(
        self, indices: NDArray[np.int32], distances: NDArray[np.float32]
    ) -> NDArray[np.floating[Any]]:
        """Return places (m, c) of new rows from their nearest rows of the fit, (m, k) each; row by row."""
