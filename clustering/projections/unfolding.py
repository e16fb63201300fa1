"""UMAP's layout of rows in any number of dimensions, by umap-learn or by our own engine."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustering.neighbors import nearest_neighbors
from clustering.progress import Progress, silent, tell
from clustering.projections import umap_library
from clustering.projections.engines import EngineName, chosen_engine, enough_memory, with_search

PAYS_FROM = (
    1_000  # items from which our engine on a graphics processor is quicker than umap-learn: .9 s, 1.0 s
)


def unfolded(
    rows: NDArray[np.float32],
    *,
    n_components: int,
    n_neighbors: int,
    min_dist: float,
    spread: float = 1.0,
    start: NDArray[np.floating] | Literal["spectral"] = "spectral",
    n_epochs: int | None = None,
    negative_sample_rate: int = 5,
    random_state: int = 0,
    engine: EngineName = "auto",
    go_on: bool = False,
    progress: Progress = silent,
) -> tuple[NDArray[np.float32], str]:
    """Return the places (n, n_components) of different rows (n, d), and who found them and why.

    Parameters
    ----------
    n_neighbors : int
        The item itself counts, as in umap-learn; at most n.
    start : float array (n, n_components) or "spectral"
    go_on : bool
        ``start`` is a map already: it keeps its size instead of being brought to that of a first guess.
    n_epochs : int or None
        None: 500 up to 10,000 items, else 200, as in umap-learn.
    """
    chosen = chosen_engine(engine, "umap-learn", "umap", len(rows), PAYS_FROM)
    epochs = n_epochs or (500 if len(rows) <= 10_000 else 200)
    found = nearest_neighbors(rows, n_neighbors - 1, random_state=random_state, progress=progress)
    a, b = kernel_of(spread, min_dist)
    if not chosen.own:
        places = umap_library.lay_out(
            rows,
            found,
            start,
            (a, b),
            n_components=n_components,
            n_epochs=epochs,
            negative_sample_rate=negative_sample_rate,
            random_state=random_state,
            go_on=go_on,
            progress=progress,
        )
        return places, with_search(chosen.sentence, found)
    from clustering.projections.on_device import umap_layout
    from clustering.projections.on_device.spectral import spectral_start

    with enough_memory("UMAP", len(rows)):
        tell(progress, 0, 1, "linking neighbours")
        graph = umap_layout.fuzzy_graph(found, chosen.device)
        begin = spectral_start(graph, n_components, random_state) if isinstance(start, str) else start
        tell(progress, 1, 1, "linking neighbours")
        places = umap_layout.lay_out(
            graph,
            begin,
            umap_layout.Kernel(a, b),
            n_epochs=epochs,
            negative_sample_rate=negative_sample_rate,
            random_state=random_state,
            go_on=go_on,
            progress=progress,
        )
    return places, with_search(chosen.sentence, found)


@cache
def kernel_of(spread: float, min_dist: float) -> tuple[float, float]:
    """Return a and b of w(d) = 1 / (1 + a d^2b).

    As in umap-learn: least squares to 1 up to ``min_dist`` and exp(−(d − min_dist)/spread) beyond, at 300
    distances up to three times the spread.
    """
    from scipy.optimize import curve_fit

    distances = np.linspace(0, 3 * spread, 300)
    wanted = np.where(distances < min_dist, 1.0, np.exp(-(distances - min_dist) / spread))

    def curve(d: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):  # b may be tried below 0, where 0 has no power
            return np.asarray(1 / (1 + a * d ** (2 * b)), dtype=np.float64)

    (a, b), _ = curve_fit(curve, distances, wanted)
    return float(a), float(b)
