"""Graphs as objects in memory: of NetworkX, of PyTorch Geometric; and the files NetworkX reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.columns import typed_table
from clustering.collections.found_graph import FoundGraph, names_of_nodes, with_attributes
from clustering.errors import StudioError

FILES = {".graphml": "read_graphml", ".gml": "read_gml", ".gexf": "read_gexf"}
WEIGHTS = ("weight", "weights")
DRAWN = frozenset({"size", "r", "g", "b", "x", "y"})  # how Gephi drew a node, not what it is


def is_graph(source: Any) -> bool:
    """Say whether an object is a graph of NetworkX or the data of PyTorch Geometric."""
    return hasattr(source, "edge_index") or (hasattr(source, "nodes") and hasattr(source, "is_directed"))


def graph_in(source: Any, label_column: str | None) -> FoundGraph:
    """Return what a graph in memory holds.

    Parameters
    ----------
    source : networkx.Graph or torch_geometric.data.Data
        Attributes of NetworkX's nodes become features and metadata as the columns of a table do; one that
        holds a list of numbers, such as ``x``, becomes as many features. Of PyTorch Geometric ``x``,
        ``edge_index`` and ``y`` are read.
    label_column : str, optional

    Raises
    ------
    StudioError
        When it is another object, or holds nothing that is a graph of one kind of node.
    """
    if hasattr(source, "edge_index"):
        return _of_geometric(source)
    if is_graph(source):
        return _of_networkx(source, "the graph", label_column)
    raise StudioError(
        f"An object of the type {type(source).__name__} cannot be loaded.",
        "Give a path, a graph of NetworkX, or a Data object of PyTorch Geometric with an edge_index"
        + (": HeteroData.to_homogeneous() makes one." if hasattr(source, "edge_types") else "."),
    )


def read_graph_file(path: Path, label_column: str | None) -> FoundGraph:
    """Read GraphML, GML or GEXF.

    Raises
    ------
    StudioError
        When the file is broken.
    """
    import networkx

    read = getattr(networkx, FILES[path.suffix.lower()])
    try:
        try:
            graph = read(path)
        except networkx.NetworkXError:
            if path.suffix.lower() != ".gml":
                raise
            graph = read(path, label="id")  # its nodes have no names of their own
    except Exception as error:  # its readers raise many kinds on a broken file
        raise StudioError(
            f"{path.name} cannot be read ({error}).", "Save it again from the program it comes from."
        ) from error
    return _of_networkx(graph, path.name, label_column)


def _of_networkx(graph: Any, name: str, label_column: str | None) -> FoundGraph:
    nodes = list(graph.nodes)
    if not nodes:
        raise StudioError(
            f"{name[:1].upper()}{name[1:]} has no node.", "Choose a graph with nodes and links."
        )
    place = {node: row for row, node in enumerate(nodes)}
    ends = np.array([(place[one], place[other]) for one, other in graph.edges()], np.int64).reshape(-1, 2)
    weighted = any(weight in facts for *_, facts in graph.edges(data=True) for weight in WEIGHTS)
    columns = pd.DataFrame([dict(graph.nodes[node]) for node in nodes], index=pd.RangeIndex(len(nodes)))
    columns = columns.drop(columns=[one for one in columns if one == "viz"])
    vectors, names = _vectors(columns, name)
    table, odd = typed_table(columns.drop(columns=[one for one in columns if one in vectors]))
    features = [vectors[one] for one in vectors]
    found = FoundGraph(
        name,
        np.hstack(features).astype(np.float32) if features else np.empty((len(nodes), 0), np.float32),
        ends,
        names,
        names_of_nodes(nodes, name),
        directed=graph.is_directed(),
        weighted=weighted,
        findings=odd,
    )
    return with_attributes(found, table, label_column, DRAWN if set(table.columns) >= DRAWN else frozenset())


def _vectors(columns: pd.DataFrame, source: str) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Return the attributes that hold lists of numbers, as arrays (n, d), and names of their columns."""
    found, names = {}, []
    for name in columns:
        values = columns[name]
        if (
            not len(values)
            or not values.map(lambda value: isinstance(value, list | tuple | np.ndarray)).all()
        ):
            continue
        lengths = {len(value) for value in values}
        if len(lengths) > 1:
            raise StudioError(
                f"The lists in “{name}” of {source} have {len(lengths)} different lengths.",
                "Give every node as many numbers.",
            )
        try:
            found[str(name)] = np.array(values.tolist(), np.float64)
        except (TypeError, ValueError) as error:
            raise StudioError(
                f"The lists in “{name}” of {source} hold what are no numbers ({error}).", "Give numbers only."
            ) from error
        names += [f"{name} {at + 1}" for at in range(lengths.pop())]
    return found, tuple(names)


def _of_geometric(data: Any) -> FoundGraph:
    """Read ``x``, ``edge_index``, ``y`` and what else says one thing of every node."""
    name = "the data"
    if data.edge_index is None:
        raise StudioError(
            "The data have no edge_index.", "Give links as data.edge_index, or load data.x as vectors."
        )
    links = _array(data.edge_index)
    if links.ndim != 2 or len(links) != 2:
        raise StudioError(
            f"edge_index has the shape {links.shape}.", "It is 2 × links: the row numbers of both ends."
        )
    features = None if getattr(data, "x", None) is None else _array(data.x)
    n = len(features) if features is not None else int(data.num_nodes)
    if features is None:
        features = np.empty((n, 0), np.float32)
    metadata = pd.DataFrame(index=pd.RangeIndex(n))
    labels = None if getattr(data, "y", None) is None else _array(data.y)
    if labels is not None and labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels is not None and labels.shape == (n,):
        metadata["class"] = known_labels(labels)
    ends, lost = existing(links.T.astype(np.int64), n)
    return FoundGraph(
        name, features.reshape(n, -1), ends, metadata=metadata,
        weighted=getattr(data, "edge_weight", None) is not None, directed=True, lost=lost,
    )  # fmt: skip


def existing(ends: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return links with -1 where a row number is none of 0 … n - 1, and those numbers as text."""
    wrong = (ends < 0) | (ends >= n)
    return np.where(wrong, -1, ends), tuple(str(number) for number in ends[wrong].tolist())


def known_labels(labels: NDArray[Any]) -> NDArray[Any] | pd.Series[Any]:
    """Return labels; a class numbered -1 is none, as the field writes it."""
    if labels.dtype.kind != "i" or not (labels < 0).any():
        return labels
    return pd.Series(labels, dtype="Int64").mask(labels < 0)


def _array(tensor: Any) -> NDArray[Any]:
    """Return a tensor, dense or sparse, or an array as an array."""
    for step in ("detach", "cpu"):
        tensor = getattr(tensor, step)() if hasattr(tensor, step) else tensor
    if getattr(tensor, "is_sparse", False):
        tensor = tensor.to_dense()
    return np.asarray(tensor)
