"""Features of a graph's nodes: as brought, scaled, or as the mean over a node and its neighbours."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew
from clustering.features.info import EncoderInfo
from clustering.features.vectors import Vectors
from clustering.parameters import Meaning


class Nodes(Vectors):
    """What every node brought, float32 (n, d); methods that take links are given them besides."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="nodes",
        title="Features of nodes",
        kinds=("graph",),
        dimensions=None,
        origin="No weights: the features are those the nodes came with.",
        summary=(
            "What is known of each node. Methods that take links see them besides; for others, smoothing "
            "lets the links into the features."
        ),
        order=90,
    )

    def __init__(
        self,
        scaling: Annotated[
            Literal["as they are", "standardised", "length one"],
            Meaning(
                "Standardised gives every column mean 0 and deviation 1; length one compares directions only."
            ),
        ] = "as they are",
        smoothing: Annotated[
            int,
            Interval(ge=0, le=20),
            Meaning(
                "How often every node takes the mean of itself and its neighbours: lets methods that do not "
                "look at links profit by them. Too often, and all become alike."
            ),
        ] = 0,
    ) -> None:
        super().__init__(scaling)
        self.smoothing = smoothing

    def describe(self) -> str:
        """Return what is done to the features."""
        times = "once" if self.smoothing == 1 else f"{self.smoothing} times in turn"
        first = f"Every node takes the mean of itself and its neighbours, {times}. " if self.smoothing else ""
        return first + super().describe()

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that scales the features of new nodes; see `Encoder.prepared`.

        Raises
        ------
        StudioError
            When features are smoothed: a new node comes without links.
        """
        if self.smoothing:
            raise StudioError(
                "These features are means over a node and its neighbours; a new node comes without links.",
                "Choose a run on features without smoothing.",
            )
        return super().prepared(collection, dimensions)

    def _rows(self, collection: Encodable) -> NDArray[np.float32]:
        rows = super()._rows(collection)
        if not rows.shape[1]:
            raise StudioError(
                f"The nodes of “{collection.name}” have no features of their own.",
                "Choose the encoder “Positions in the graph”, or bring features.",
            )
        if not self.smoothing:
            return rows
        passed = mean_over_neighbours(links_of(collection), len(rows))
        for _ in range(self.smoothing):
            rows = passed @ rows
        return np.asarray(rows, dtype=np.float32)


def links_of(collection: Encodable) -> NDArray[np.int64]:
    """Return the links (e, 2) of a graph.

    Raises
    ------
    StudioError
        When the collection holds none.
    """
    edges = getattr(collection, "edges", None)
    if edges is None or collection.kind != "graph":
        raise StudioError(f"“{collection.name}” holds no links.", "Choose a graph.")
    return np.asarray(edges())


def linked(edges: NDArray[np.int64], n: int) -> Any:
    """Return the matrix A of links, sparse (n, n), 1 where two nodes are linked."""
    from scipy.sparse import csr_array

    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    return csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(n, n))


def mean_over_neighbours(edges: NDArray[np.int64], n: int) -> Any:
    """Return D⁻¹ (A + I), sparse (n, n): its product is the mean over a node and its neighbours."""
    from scipy.sparse import diags_array, eye_array

    ones = linked(edges, n) + eye_array(n, dtype=np.float32)
    return diags_array(1 / ones.sum(axis=1)) @ ones
