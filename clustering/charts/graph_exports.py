"""A graph with its groups to take along: GraphML for programs that draw graphs, links as a table."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def links_table(table: pd.DataFrame, edges: ArrayLike) -> pd.DataFrame:
    """Return one row a link: the ids of its two ends, their groups, and whether these are one.

    Parameters
    ----------
    table : DataFrame (n rows)
        What `clustering.charts.exports.labels_table` returns.
    edges : int array-like (e, 2)
    """
    one, other = np.asarray(edges, dtype=np.int64).reshape(-1, 2).T
    ids, groups = table["id"].to_numpy(), table["group"].to_numpy()
    same = (table["label"].to_numpy()[one] == table["label"].to_numpy()[other]) & (
        table["label"].to_numpy()[one] >= 0
    )
    return pd.DataFrame(
        {
            "source": ids[one],
            "target": ids[other],
            "source_group": groups[one],
            "target_group": groups[other],
            "same_group": same,
        }
    )


def graphml(table: pd.DataFrame, edges: ArrayLike) -> bytes:
    """Return the graph as GraphML; every column of the table is an attribute of the nodes.

    Parameters
    ----------
    table : DataFrame (n rows)
        What `clustering.charts.exports.labels_table` returns. Missing values are left out.
    edges : int array-like (e, 2)
    """
    import networkx

    graph = networkx.Graph()
    ids = table["id"].tolist()
    columns = [str(name) for name in table.columns if name != "id"]
    values = zip(*(table[name].tolist() for name in columns), strict=True)
    for node, row in zip(ids, values, strict=True):
        known = {name: _plain(value) for name, value in zip(columns, row, strict=True) if not pd.isna(value)}
        graph.add_node(node, **known)
    graph.add_edges_from((ids[one], ids[other]) for one, other in np.asarray(edges).reshape(-1, 2).tolist())
    stream = io.BytesIO()
    networkx.write_graphml_xml(graph, stream, infer_numeric_types=True)
    return stream.getvalue()


def _plain(value: Any) -> bool | int | float | str:
    """Return a value as one of the four types GraphML has."""
    return value if isinstance(value, bool | int | float | str) else str(value)
