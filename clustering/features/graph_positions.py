"""Where nodes lie in a graph, from its links alone: the main directions of its spectrum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, Encoder
from clustering.features.batches import written
from clustering.features.info import EncoderInfo
from clustering.features.nodes import linked, links_of
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell


class GraphPositions(Encoder):
    """Rows of the main eigenvectors of the links' matrix, float32 (n, d), each of length √d."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="graph-positions",
        title="Positions in the graph",
        kinds=("graph",),
        dimensions=None,
        origin="No weights: the features are computed from the links of the collection itself.",
        summary=(
            "Who is linked with whom, without looking at the features: for graphs that bring none, or to see "
            "what the links alone would give."
        ),
        order=91,
    )

    def __init__(
        self,
        dimensions: Annotated[
            int, Interval(ge=2, le=500), Meaning("Main directions that are kept; about twice the groups.")
        ] = 16,
    ) -> None:
        self.dimensions = dimensions

    def describe(self) -> str:
        """Return what is computed."""
        return (
            f"The {self.dimensions} main directions of the links’ normalised matrix, to which a weak link "
            "between all pairs of nodes is added, so that small parts without a link to the rest do not take "
            "every direction (regularised spectral embedding). Rows are scaled to one length: only their "
            "direction counts."
        )

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the positions, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        tell(progress, 0, 1, "Positions in the graph")
        found = positions(links_of(collection), collection.n_items, self.dimensions)
        return written(found, self.key(collection), checkpoint)


def positions(edges: NDArray[np.int64], n: int, dimensions: int) -> NDArray[np.float32]:
    """Return the largest eigenvectors but the first of D_τ^-½ (A + τ/n 11ᵀ) D_τ^-½, τ the mean degree.

    The regularised Laplacian of Amini, Chen, Bickel, Levina (2013); of each eigenvector the largest entry is
    positive. Rows have length √d, as in Ng, Jordan, Weiss (2001): else a few small parts, in which
    eigenvectors are large, would be all that distances see.

    Raises
    ------
    StudioError
        When there are fewer nodes than that takes.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    if n < dimensions + 3:
        raise StudioError(
            f"{dimensions} directions were asked for, but the graph has {n} nodes.",
            f"Choose at most {max(2, n - 3)} dimensions.",
        )
    matrix = linked(edges, n).astype(np.float64)
    degrees = matrix.sum(axis=1)
    weak = degrees.mean()
    roots = 1 / np.sqrt(degrees + weak)

    def product(values: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled = values.ravel() * roots
        return roots * (matrix @ scaled + weak / n * scaled.sum())

    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=n)
    values, vectors = eigsh(operator, k=dimensions + 1, which="LA", v0=start)
    chosen = vectors[:, np.argsort(-values)[1:]]
    largest = chosen[np.abs(chosen).argmax(axis=0), np.arange(dimensions)]
    rows = chosen * np.sign(largest)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1) * np.sqrt(dimensions)).astype(np.float32)
