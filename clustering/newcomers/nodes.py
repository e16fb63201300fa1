"""Nodes from small files, to be placed beside a graph by their features alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.newcomers.rows import number_columns, refuse_many, vector_rows

if TYPE_CHECKING:
    from clustering.collections import Collection

ALONE = "A node placed here comes without links: only its features say where it belongs."


def node_rows(collection: Collection, files: Sequence[Path]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return features of nodes as long as the collection's, float32 (m, d), and their names.

    Tables are read by the names of the collection's columns where those have names, arrays by position.

    Raises
    ------
    StudioError
        When the collection's nodes have no features, or a file does not fit them.
    """
    columns = tuple(collection.about["columns"])
    if not collection.about["features"]:
        raise StudioError(
            f"The nodes of “{collection.name}” are told apart by their links alone, and a new node comes "
            "without links.",
            "Load the graph again with this node and its links in it.",
        )
    parts: list[NDArray[np.float32]] = []
    names: list[str] = []
    for file in files:
        if columns and file.suffix.lower() not in (".npy", ".npz"):
            found = number_columns(file, columns, collection.name)
        else:
            found = vector_rows(collection, [file])
        parts.append(found[0])
        names += found[1]
    refuse_many(len(names), "nodes were dropped")
    return np.concatenate(parts), tuple(names)
