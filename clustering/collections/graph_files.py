"""Find a graph in a file or folder, whatever form it has."""

from __future__ import annotations

from pathlib import Path

from clustering.collections.arrays import shapes_in
from clustering.collections.found_graph import FoundGraph
from clustering.collections.graph_arrays import links_name, read_graph_arrays
from clustering.collections.graph_objects import FILES, read_graph_file
from clustering.collections.graph_options import GraphOptions
from clustering.collections.graph_tables import TABLES, pair_in, read_graph_tables
from clustering.errors import StudioError


def found_in(path: Path, member: str, options: GraphOptions, label_column: str | None) -> FoundGraph:
    """Return the graph a file or folder holds.

    Parameters
    ----------
    path : Path
        ``.npz``, ``.graphml``, ``.gml``, ``.gexf``, the table of the nodes, that of the links, or a folder
        with both.
    member : str
        The array of the features in an ``.npz``.
    options : GraphOptions
    label_column : str, optional

    Raises
    ------
    StudioError
        When it cannot be read, or it is not clear which file or array is meant.
    """
    ending = path.suffix.lower()
    if path.is_dir() or ending in TABLES:
        return read_graph_tables(path, options, label_column)
    if ending == ".npz":
        return read_graph_arrays(path, member)
    if ending in FILES:
        return read_graph_file(path, label_column)
    raise StudioError(
        f"{path.name} is no file that graphs are read from ({ending or 'no ending'}).",
        "Choose an .npz, .graphml, .gml or .gexf, or two tables: nodes and links.",
    )


def holds_graph(path: Path) -> bool:
    """Say whether an ``.npz`` holds links, or a folder a pair of tables of which one holds links."""
    if path.is_dir():
        pair = pair_in(path)
        return pair is not None and pair.nodes is not None
    if path.suffix.lower() != ".npz":
        return False
    return links_name(shapes_in(path)) is not None
