"""Nodes and links in two tables: one row a node, one row a link that names two of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.columns import check_column, typed_table
from clustering.collections.found_graph import FoundGraph, called, names_of_nodes, with_attributes
from clustering.collections.graph_options import GraphOptions
from clustering.collections.tables import read_cells
from clustering.errors import StudioError

TABLES = (".csv", ".tsv", ".parquet", ".xlsx")
NODES = ("nodes", "features", "items", "vertices")  # names of files
LINKS = ("edges", "links", "edge_list", "edgelist", "relations")
ENDS = (("source", "target"), ("from", "to"), ("src", "dst"), ("citing", "cited"), ("node1", "node2"))
IDS = ("id", "node", "node_id", "nodeid", "key", "name")
WEIGHTS = ("weight", "weights")


class Pair(NamedTuple):
    """Two tables of a graph; without nodes' own table, nodes are what links name."""

    nodes: Path | None
    links: Path


def pair_in(folder: Path) -> Pair | None:
    """Return the two tables of a folder of which one holds links; None where it is not clear which."""
    tables = sorted(one for one in folder.iterdir() if one.suffix.lower() in TABLES and one.is_file())
    links = [one for one in tables if one.stem.lower() in LINKS] or [
        one for one in tables if len(tables) == 2 and _ends_named(_header(one)) is not None
    ]
    if len(links) != 1:
        return None
    others = [one for one in tables if one != links[0]]
    named = [one for one in others if one.stem.lower() in ("nodes", "features", "items", "vertices")]
    if len(others) > 1 and len(named) == 1:
        others = named
    return Pair(others[0] if others else None, links[0]) if len(others) <= 1 else None


def _pair_of(path: Path, options: GraphOptions) -> Pair:
    folder = path if path.is_dir() else path.parent
    if options.links is not None:
        links = folder / Path(options.links).name  # beside the nodes, nowhere else
        if not links.is_file():
            raise StudioError(f"There is no file “{options.links}” in {folder.name}.", "Check its name.")
        if not path.is_dir():
            return Pair(path, links)
        rest = [one for one in sorted(folder.iterdir()) if one.suffix.lower() in TABLES and one != links]
        return Pair(rest[0] if rest else None, links)
    if path.is_dir():
        pair = pair_in(path)
        if pair is None:
            raise StudioError(
                f"It is not clear which file of {path.name} holds the links.",
                "Call them nodes.csv and edges.csv, or name the file of the links with links.",
            )
        return pair
    if path.stem.lower() in LINKS or _ends_named(_header(path)) is not None:
        nodes = [path.with_name(f"nodes{ending}") for ending in TABLES]
        return Pair(next((one for one in nodes if one.is_file()), None), path)
    beside_it = [path.with_name(f"{name}{ending}") for name in LINKS for ending in TABLES]
    links_file = next((one for one in beside_it if one.is_file()), None)
    if links_file is None:
        raise StudioError(
            f"{path.name} holds nodes, but no file with their links lies beside it.",
            "Put edges.csv (columns source and target) beside it, drop both files at once, or name the file "
            "with links.",
        )
    return Pair(path, links_file)


def read_graph_tables(path: Path, options: GraphOptions, label_column: str | None) -> FoundGraph:
    """Read a pair of tables.

    Parameters
    ----------
    path : Path
        The table of the nodes, that of the links, or the folder both lie in.
    options : GraphOptions
    label_column : str, optional
        Of the nodes.

    Raises
    ------
    StudioError
        When it is not clear which file holds what, or an id is missing or stands for two nodes.
    """
    pair = _pair_of(path, options)
    cells, met = read_cells(pair.links)
    one, other = _columns_of_ends(cells, pair.links.name)
    named = [[called(value) for value in cells[name]] for name in (one, other)]
    rest = {str(name).strip().lower(): name for name in cells.columns}
    kinds = (
        cells[rest["type"]].dropna().astype("str").str.lower() if "type" in rest else pd.Series(dtype="str")
    )
    directed = True if (kinds == "directed").any() else None
    weighted = any(weight in rest for weight in WEIGHTS)
    if pair.nodes is None:
        ids = tuple(dict.fromkeys(name for pairs in zip(*named, strict=True) for name in pairs if name))
        found = FoundGraph(pair.links.name, np.empty((len(ids), 0), np.float32), _no_links(), ids=ids)
    else:
        found = _nodes(pair.nodes, options, label_column)
        ids = found.ids or tuple(str(row) for row in range(found.n))
    place = pd.Index(ids)
    ends = np.stack([place.get_indexer(pd.Index(names, dtype="str")) for names in named], axis=1)
    lost = [names[row] for row, names in zip(*_missing(ends, named), strict=True)]
    return replace(
        found, name=pair.links.name, ends=ends.astype(np.int64), directed=directed, weighted=weighted,
        lost=tuple(lost), findings=(*found.findings, *met),
    )  # fmt: skip


def _nodes(path: Path, options: GraphOptions, label_column: str | None) -> FoundGraph:
    cells, met = read_cells(path)
    by_name = {str(name).strip().lower(): str(name) for name in cells.columns}
    check_column(cells, options.id_column, path.name)
    own = options.id_column or next((by_name[name] for name in IDS if name in by_name), None)
    ids = None if own is None else names_of_nodes(cells[own].tolist(), path.name)
    table, odd = typed_table(cells if own is None else cells.drop(columns=own))
    found = FoundGraph(
        path.name, np.empty((len(cells), 0), np.float32), _no_links(), ids=ids, findings=(*met, *odd)
    )
    return with_attributes(found, table, label_column)


def _missing(ends: NDArray[Any], named: list[list[str]]) -> tuple[list[int], list[list[str]]]:
    rows, sides = np.nonzero(ends < 0)
    return rows.tolist(), [named[side] for side in sides.tolist()]


def _no_links() -> NDArray[np.int64]:
    return np.empty((0, 2), np.int64)


def _columns_of_ends(cells: pd.DataFrame, source: str) -> tuple[str, str]:
    found = _ends_named([str(name) for name in cells.columns])
    if found is not None:
        return found
    if len(cells.columns) < 2:
        raise StudioError(
            f"{source} has one column; links have two ends.", "Write two columns: source and target."
        )
    return tuple(cells.columns[:2])  # type: ignore[return-value]


def _ends_named(header: list[str]) -> tuple[str, str] | None:
    by_name = {name.strip().lower(): name for name in header}
    pair = next((pair for pair in ENDS if set(pair) <= set(by_name)), None)
    return None if pair is None else (by_name[pair[0]], by_name[pair[1]])


def _header(path: Path) -> list[str]:
    """Return the names of a text table's columns, read from its first line; of other files none."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        return []
    with path.open(encoding="utf-8", errors="replace") as stream:
        line = stream.readline(10_000).strip().lstrip("\ufeff")
    for separator in (",", ";", "\t", "|"):
        if separator in line:
            return [name.strip().strip('"') for name in line.split(separator)]
    return [line]
