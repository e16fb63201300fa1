"""Turn nodes and links into a collection: features written, every link once, the check's sentences."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.bonds import bonds
from clustering.collections.check import column_findings, duplicate_findings, few_findings
from clustering.collections.collection import EDGES, VECTORS, Finding
from clustering.collections.columns import label_columns, of_items
from clustering.collections.found_graph import FoundGraph
from clustering.collections.graph_files import found_in
from clustering.collections.graph_options import GraphOptions
from clustering.collections.links import cleaned_links, degrees
from clustering.collections.loaded import Loaded, Source
from clustering.collections.tables import first_equal
from clustering.collections.vectors import write_rows
from clustering.errors import StudioError
from clustering.files import write_array
from clustering.progress import Progress, tell
from clustering.words import several


def read_graph(
    source: Source, part: Path, options: GraphOptions, *, label_column: str | None, progress: Progress
) -> Loaded:
    """Read the features of nodes, float32 (n, d), and the links between them, int64 (e, 2).

    Parameters
    ----------
    source : Source
        Files, see `clustering.collections.graph_files`, or a graph that was held in memory.
    part : Path
        Folder of the collection being built.
    options : GraphOptions
    label_column : str, optional
    progress : Progress

    Raises
    ------
    StudioError
        When the source cannot be read; when links name nodes that do not exist and nobody said to do without
        them; when features hold what is no finite number.
    """
    tell(progress, 0, 2, "reading the graph")
    found = source.held
    if found is None:
        assert source.path is not None
        found = found_in(source.path, source.member, options, label_column)
    if found.n < 2:
        raise StudioError(f"{found.name} holds {several(found.n, 'node')}.", "A graph needs two or more.")
    ids = found.ids or tuple(str(row) for row in range(found.n))
    edges, findings = cleaned_links(found, ids, options.dangling)
    tell(progress, 1, 2, "writing the graph")
    hashed, repeats, flat = _write_features(found, part, progress)
    write_array(part / EDGES, edges)
    content_hash = hashlib.blake2b(f"{hashed} ".encode() + edges.astype("<i8").tobytes(), digest_size=16)
    metadata = found.metadata if found.metadata is not None else pd.DataFrame(index=pd.RangeIndex(found.n))
    labels = label_columns(metadata, label_column or found.label)
    items = of_items(
        {
            "id": pd.Series(ids, dtype="str"),
            "duplicate_of": pd.Series([ids[row] if row >= 0 else None for row in repeats], dtype="str"),
            "links": degrees(found.n, edges),
        },
        metadata.reset_index(drop=True),
    )
    findings = [
        findings[0], *found.findings, *findings[1:], *flat, *few_findings(found.n),
        *duplicate_findings(ids, repeats, "node"),
        *column_findings(metadata, labels, constant="kept as metadata", missing="kept as missing"),
    ]  # fmt: skip
    about = {
        "columns": list(found.columns),
        "features": int(found.features.shape[1]),
        "links": len(edges),
        "components": int(bonds(edges, found.n).max()) + 1,
    }
    return Loaded(items, labels, content_hash.hexdigest(), tuple(findings), about=about)


def _write_features(
    found: FoundGraph, part: Path, progress: Progress
) -> tuple[str, NDArray[np.int64], list[Finding]]:
    """Write the features; return their hash, which row each repeats, and what is constant or not there."""
    if not found.features.shape[1]:
        write_array(part / VECTORS, np.empty((found.n, 0), np.float32))
        sentence = (
            "Nodes come without features: only links tell them apart. The encoder “Positions in the graph” "
            "makes features of them."
        )
        return f"{found.n} 0", np.full(found.n, -1), [Finding("no features", found.n, sentence)]
    digests, hashed, flat = write_rows(found.features, part / VECTORS, found.name, progress)
    findings = []
    if flat:
        sentence = f"{several(flat, 'feature')} with one value in every node; kept, distances stay the same."
        findings.append(Finding("constant", flat, sentence))
    return hashed, first_equal(digests), findings
