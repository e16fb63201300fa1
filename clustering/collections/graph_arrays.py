"""Nodes and links in an ``.npz``: pairs of row numbers, or a matrix of links, dense or sparse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.arrays import NAMES, beside, labels_beside, opened_arrays, shapes_in
from clustering.collections.columns import listed
from clustering.collections.found_graph import FoundGraph, names_of_nodes
from clustering.collections.graph_objects import existing, known_labels
from clustering.errors import StudioError

PAIRS = ("edges", "links", "edge_list", "edgelist", "relations")  # links × 2
INDEX = "edge_index"  # 2 × links, as PyTorch Geometric has them
MATRICES = ("adj", "adjacency")  # nodes × nodes; also sparse, as adj_data, adj_indices, adj_indptr
SPARSE = ("indptr", "indices", "data", "shape")
PREFIXES = ("", "x_", "attr_", "feature_", "features_")  # of sparse features
IDS = ("ids", "id", "node_ids")
WEIGHTS = ("weight", "weights", "edge_weight", "edge_weights")

Shapes = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]


class Links(NamedTuple):
    """Links as a file has them.

    Attributes
    ----------
    ends : int64 array (e, 2)
    n_nodes : int
        As many nodes as the matrix of links has rows; 0 where there is none.
    weighted : bool
    """

    ends: NDArray[np.int64]
    n_nodes: int
    weighted: bool


def read_graph_arrays(path: Path, member: str) -> FoundGraph:
    """Read features, links, labels and what else says one thing of every node.

    Parameters
    ----------
    path : Path
        Features as ``x``, ``features``, … or sparse as ``indptr``, ``indices``, ``data``, ``shape``, also
        with ``attr_`` before each; links as ``edges`` (links × 2), ``edge_index`` (2 × links) or a matrix
        ``adj``, also sparse; labels as ``y``, ``labels``, …, where -1 is none.
    member : str
        The array of the features; empty to find it by its name.

    Raises
    ------
    StudioError
        When there are no links, or arrays do not fit together.
    """
    with opened_arrays(path) as opened:
        features = _features(opened, member, path.name)
        name = links_name({one: (opened[one].shape, opened[one].dtype) for one in opened})
        if name is None:
            raise StudioError(
                f"{path.name} holds no links ({listed(list(opened), 20)}).",
                "Save them as edges, links × 2 row numbers, or as edge_index, 2 × links.",
            )
        links = _links(opened, name, path.name)
        if features is None:
            features = np.empty((links.n_nodes or int(links.ends.max(initial=-1)) + 1, 0), np.float32)
        n = len(features)
        metadata = pd.DataFrame(index=pd.RangeIndex(n))
        labels = labels_beside(opened, n)
        if labels is not None:
            metadata["class"] = known_labels(labels)  # “label” would be taken for the name of a node
        for one, values in beside(opened, shapes_in(path), n).items():
            metadata[one] = values
        own = next((one for one in IDS if one in metadata), None)
        ids = None if own is None else names_of_nodes(metadata.pop(own).tolist(), path.name)
        weighted = links.weighted or any(one in opened for one in WEIGHTS)
    ends, lost = existing(links.ends, n)
    return FoundGraph(path.name, features, ends, ids=ids, metadata=metadata, weighted=weighted, lost=lost)


def _features(opened: Mapping[str, NDArray[Any]], member: str, source: str) -> NDArray[Any] | None:
    """Return the features (n, d), dense; None where there are none."""
    for prefix in PREFIXES:
        if all(f"{prefix}{part}" in opened for part in SPARSE):
            return _dense(opened, prefix, source)
    there = (name for name in ((member,) if member else NAMES) if name in opened)
    name = next((name for name in there if opened[name].ndim == 2), None)
    if member and name is None:
        raise StudioError(f"{source} has no table “{member}”.", f"It has: {listed(list(opened), 20)}.")
    return None if name is None else opened[name]


def _dense(opened: Mapping[str, NDArray[Any]], prefix: str, source: str) -> NDArray[np.float32]:
    import psutil

    matrix = _matrix(opened, prefix, source)
    needed = 4 * matrix.shape[0] * matrix.shape[1]
    if needed > psutil.virtual_memory().available:
        raise StudioError(
            f"The features of {source} take {needed / 2**30:,.1f} GB of memory, more than is free.",
            "Keep fewer columns, such as the main directions of a truncated SVD.",
        )
    return np.asarray(matrix.toarray(), np.float32)


def _matrix(opened: Mapping[str, NDArray[Any]], prefix: str, source: str) -> Any:
    from scipy.sparse import csr_array

    indptr, indices, data, shape = (opened[f"{prefix}{part}"] for part in SPARSE)
    try:
        matrix = csr_array((data, indices, indptr), shape=tuple(int(side) for side in shape))
        matrix.check_format()
    except (TypeError, ValueError) as error:
        raise StudioError(
            f"The sparse matrix “{prefix}data” of {source} does not fit together ({error}).", "Save it again."
        ) from error
    return matrix


def links_name(shapes: Shapes) -> str | None:
    """Return the array with the links, or what a sparse matrix of them begins with."""
    for name in (INDEX, *PAIRS):
        if name in shapes and len(shapes[name][0]) == 2 and shapes[name][1].kind in "iu":
            return name
    for name in MATRICES:
        shape = shapes[name][0] if name in shapes else ()
        if f"{name}_indptr" in shapes or (len(shape) == 2 and shape[0] == shape[1]):
            return name
    return None


def _links(opened: Mapping[str, NDArray[Any]], name: str, source: str) -> Links:
    if name in MATRICES:
        matrix = _matrix(opened, f"{name}_", source) if f"{name}_indptr" in opened else opened[name]
        rows, columns = matrix.nonzero()
        weights = np.asarray(matrix[rows, columns])
        ends = np.stack([rows, columns], axis=1).astype(np.int64)
        return Links(ends, matrix.shape[0], bool((weights != 1).any()))
    links = opened[name]
    if name == INDEX or (links.shape[0] == 2 and links.shape[1] != 2):
        links = links.T
    if links.shape[1] != 2:
        raise StudioError(
            f"“{name}” of {source} has the shape {opened[name].shape}.",
            "Links are pairs of row numbers: links × 2.",
        )
    return Links(links.astype(np.int64), 0, False)
