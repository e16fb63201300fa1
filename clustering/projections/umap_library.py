"""umap-learn's own graph and optimiser, told of in steps and stoppable, which its `fit` is not."""

from __future__ import annotations

import contextlib
import io
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import Stopped
from clustering.neighbors import Neighbors
from clustering.progress import Progress, silent, tell

GENTLE = 0.3  # first rate of a map that goes on: it moves half as far as with 1 and keeps more neighbours


def lay_out(
    rows: NDArray[np.float32],
    found: Neighbors,
    start: NDArray[np.floating] | Literal["spectral"],
    kernel: tuple[float, float],
    *,
    n_components: int,
    n_epochs: int,
    negative_sample_rate: int,
    random_state: int,
    go_on: bool = False,
    progress: Progress,
) -> NDArray[np.float32]:
    """Return umap-learn's places (n, n_components) of rows (n, d) whose neighbours are known."""
    from umap.umap_ import fuzzy_simplicial_set, simplicial_set_embedding

    itself = np.arange(len(rows))[:, None]  # umap-learn counts an item as its own first neighbour
    tell(progress, 0, 1, "linking neighbours")
    graph, _, _ = fuzzy_simplicial_set(
        rows,
        found.indices.shape[1] + 1,
        np.random.RandomState(random_state),
        "euclidean",
        knn_indices=np.hstack([itself, found.indices]).astype(np.int32),
        knn_dists=np.hstack([np.zeros((len(rows), 1)), found.distances]).astype(np.float32),
    )
    tell(progress, 1, 1, "linking neighbours")
    a, b = kernel
    with _epochs_told(progress, n_epochs) as bar:
        if go_on:
            assert not isinstance(start, str)
            places = _gone_on(graph, start, kernel, n_epochs, negative_sample_rate, random_state, bar)
            tell(progress, n_epochs, n_epochs, "moving the points")
            return places
        places, _ = simplicial_set_embedding(
            rows,
            graph,
            n_components,
            initial_alpha=1.0,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=negative_sample_rate,
            n_epochs=n_epochs,
            init=start,
            random_state=np.random.RandomState(random_state),
            metric="euclidean",
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            tqdm_kwds=bar,
        )
    tell(progress, n_epochs, n_epochs, "moving the points")
    return np.asarray(places, dtype=np.float32)


def _gone_on(
    graph: Any,
    start: NDArray[np.floating],
    kernel: tuple[float, float],
    n_epochs: int,
    negative_sample_rate: int,
    random_state: int,
    bar: dict[str, Any],
) -> NDArray[np.float32]:
    """Move points on from where they are; umap-learn's own way in would stretch the start to a square."""
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import make_epochs_per_sample

    links = graph.tocoo()
    links.sum_duplicates()
    links.data[links.data < links.data.max() / n_epochs] = 0.0  # would never be drawn
    links.eliminate_zeros()
    chance = np.random.RandomState(random_state)
    places = np.array(start, dtype=np.float32, order="C")
    return np.asarray(
        optimize_layout_euclidean(
            places,
            places,
            links.row,
            links.col,
            n_epochs,
            len(places),
            make_epochs_per_sample(links.data, n_epochs),
            *kernel,
            chance.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64),
            1.0,
            GENTLE,
            negative_sample_rate,
            tqdm_kwds=bar,
            move_other=True,
        ),
        dtype=np.float32,
    )


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
