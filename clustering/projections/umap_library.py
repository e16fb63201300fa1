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
