"""Links between nodes: every one once, and what the check says of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.bonds import bonds
from clustering.collections.check import EXAMPLES
from clustering.collections.collection import Finding
from clustering.collections.columns import listed
from clustering.collections.found_graph import FoundGraph
from clustering.errors import StudioError
from clustering.words import several

SHOWN = 3  # examples in a sentence


def cleaned_links(
    found: FoundGraph, ids: Sequence[str], dangling: str
) -> tuple[NDArray[np.int64], list[Finding]]:
    """Return every link once, the smaller row number first, int64 (e, 2), ascending, and what was met.

    Parameters
    ----------
    found : FoundGraph
    ids : sequence of str
        Of all nodes.
    dangling : {"refuse", "leave out"}

    Raises
    ------
    StudioError
        When links name nodes that do not exist and nobody said to do without them; when none is left.
    """
    n = found.n
    ends, findings = _without_dangling(found, ids, dangling)
    loops = ends[:, 0] == ends[:, 1]
    pairs = ends[~loops]
    one_way = np.unique(pairs[:, 0] * n + pairs[:, 1])
    low, high = np.sort(pairs, axis=1).T
    numbers = np.unique(low * n + high)
    if not len(numbers):
        raise StudioError(
            f"{found.name} holds no link between two different nodes.",
            "Add links, or load the features alone as vectors or as a table.",
        )
    edges = np.stack([numbers // n, numbers % n], axis=1)
    findings += _directions(found, len(numbers), len(one_way))
    repeated = len(pairs) - len(one_way)
    if repeated:
        sentence = f"{several(repeated, 'link')} written more than once; each counts once."
        findings.append(Finding("doubled", repeated, sentence))
    if found.weighted:
        sentence = "Links come with weights; they were dropped: every link counts alike."
        findings.append(Finding("weights", len(numbers), sentence))
    findings += _loops(ends[loops, 0], ids)
    return edges, [_size(n, edges), *findings, *_isolated(edges, ids), *_components(n, edges)]


def degrees(n: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many neighbours every node has, int64 (n,)."""
    return np.bincount(edges.ravel(), minlength=n).astype(np.int64)


def neighbours(edges: NDArray[np.int64], node: int) -> NDArray[np.int64]:
    """Return the nodes linked to one, ascending."""
    touching = edges[(edges == node).any(axis=1)]
    return np.sort(touching[touching != node])


def _without_dangling(
    found: FoundGraph, ids: Sequence[str], dangling: str
) -> tuple[NDArray[np.int64], list[Finding]]:
    lost = (found.ends < 0).any(axis=1)
    if not lost.any():
        return found.ends, []
    rows = np.flatnonzero(lost)
    named = list(dict.fromkeys(found.lost))
    if lost.all():
        raise StudioError(
            f"No link of {found.name} names two nodes that exist: links say {_quoted(named)}, the nodes are "
            f"called {_quoted(ids)}.",
            "Write the ids alike in both files, or name the column with the nodes’ ids with id_column.",
        )
    if dangling == "refuse":
        raise StudioError(
            f"Of the {len(found.ends):,} links of {found.name}, {len(rows):,} "
            f"{'names a node that does' if len(rows) == 1 else 'name nodes that do'} not exist "
            f"(first: link {rows[0] + 1}, {_quoted(named)}).",
            "Correct the ids or add these nodes; or choose dangling “leave out” to do without these links.",
        )
    sentence = f"{several(len(rows), 'link')} to nodes that do not exist left out ({listed(named, SHOWN)})."
    return found.ends[~lost], [Finding("dangling", len(rows), sentence, tuple(named[:EXAMPLES]))]


def _directions(found: FoundGraph, undirected: int, one_way: int) -> list[Finding]:
    both = one_way - undirected
    if both == undirected:
        sentence = "Every link was written in both directions; it counts once."
        return [Finding("both directions", undirected, sentence)]
    if not found.directed and not both:
        return []
    sentence = (
        f"Links have a direction ({both:,} of {undirected:,} go both ways); it was dropped: every link "
        "counts both ways."
    )
    return [Finding("directed", undirected - both, sentence)]


def _loops(nodes: NDArray[np.int64], ids: Sequence[str]) -> list[Finding]:
    if not len(nodes):
        return []
    names = [ids[node] for node in nodes.tolist()]
    sentence = (
        f"{several(len(nodes), 'link')} of a node with itself left out ({listed(names, SHOWN)}): methods let "
        "every node see itself."
    )
    return [Finding("loops", len(nodes), sentence, tuple(names[:EXAMPLES]))]


def _size(n: int, edges: NDArray[np.int64]) -> Finding:
    most = int(degrees(n, edges).max())
    sentence = (
        f"{several(len(edges), 'link')} between {n:,} nodes: {2 * len(edges) / n:.1f} neighbours a node on "
        f"average, {most:,} at most."
    )
    return Finding("links", len(edges), sentence)


def _isolated(edges: NDArray[np.int64], ids: Sequence[str]) -> list[Finding]:
    alone = np.flatnonzero(degrees(len(ids), edges) == 0)
    if not len(alone):
        return []
    names = [ids[node] for node in alone.tolist()]
    verb = "has" if len(alone) == 1 else "have"
    sentence = (
        f"{several(len(alone), 'node')} {verb} no link ({listed(names, SHOWN)}); kept: only the features say "
        "where they belong."
    )
    return [Finding("isolated", len(alone), sentence, tuple(names[:EXAMPLES]))]


def _components(n: int, edges: NDArray[np.int64]) -> list[Finding]:
    sizes = pd.Series(bonds(edges, n)).value_counts()
    if len(sizes) == 1:
        return [Finding("components", 1, "All nodes hang together: from each a path of links leads to all.")]
    largest = sizes.iloc[0]
    sentence = (
        f"The graph falls into {len(sizes):,} parts without a link between them; the largest holds "
        f"{largest / n:.0%} of the nodes."
    )
    return [Finding("components", len(sizes), sentence)]


def _quoted(names: Sequence[str]) -> str:
    shown = [f"“{name}”" if name else "nothing" for name in names[:SHOWN]]
    return ", ".join(shown) + (" …" if len(names) > SHOWN else "")
