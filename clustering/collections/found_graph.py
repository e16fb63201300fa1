"""A graph as a file or an object holds it: features of nodes, links as written, what is known besides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.check import EXAMPLES
from clustering.collections.collection import Finding
from clustering.collections.columns import check_column, is_categorical, listed, named_label
from clustering.collections.tables import roles_of
from clustering.errors import StudioError
from clustering.words import several


@dataclass(frozen=True)
class FoundGraph:
    """Nodes and links before they are checked.

    Parameters
    ----------
    name : str
        What the source is called in sentences.
    features : array (n, d)
        d may be 0: a graph of links alone.
    ends : int64 array (e, 2)
        Row numbers of the two ends of every link, as written: with doubles, loops and both directions. A node
        that does not exist is -1.
    columns : tuple of str
        Names of the features; empty where they have none.
    ids : tuple of str, optional
        What nodes are called; by default their row numbers counted from 0.
    metadata : DataFrame (n rows), optional
    label : str, optional
        The column of the metadata that comes first among the reference labels.
    directed : bool, optional
        None where nobody says.
    weighted : bool
        Whether links come with weights.
    lost : tuple of str
        For every link with a -1, in their order, what it names.
    findings : tuple of Finding
    """

    name: str
    features: NDArray[Any]
    ends: NDArray[np.int64]
    columns: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None
    metadata: pd.DataFrame | None = None
    label: str | None = None
    directed: bool | None = None
    weighted: bool = False
    lost: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def n(self) -> int:
        """How many nodes there are."""
        return len(self.features)

    def digest(self) -> str:
        """Return what tells this graph from others."""
        whole = hashlib.blake2b(digest_size=16)
        for part in (self.features, self.ends):
            whole.update(str(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        whole.update(repr((self.ids, self.columns, self.directed)).encode())
        if self.metadata is not None:
            whole.update(pd.util.hash_pandas_object(self.metadata.astype("str")).to_numpy().tobytes())
        return whole.hexdigest()


def with_attributes(
    found: FoundGraph, table: pd.DataFrame, label_column: str | None, apart: frozenset[str] = frozenset()
) -> FoundGraph:
    """Return a graph whose nodes have the columns of a table besides: some as features, the rest as metadata.

    Numbers and truth values are features as they are, missing ones take the column's median. Ids, words,
    dates, what is constant and the label are metadata: in files of graphs words are mostly what nodes are to
    be judged by.

    Parameters
    ----------
    found : FoundGraph
        Its own features come first.
    table : DataFrame (n rows)
        Typed, see `clustering.collections.columns.typed_table`.
    label_column : str, optional
    apart : set of str
        Columns that are no features whatever they hold.
    """
    check_column(table, label_column, found.name)
    named = named_label(table)
    label = label_column or (named if named is not None and is_categorical(table[named]) else None)
    roles = roles_of(table, label)
    chosen = [
        name
        for name, role in roles.items()
        if role == "feature" and name not in {named, *apart} and pd.api.types.is_numeric_dtype(table[name])
    ]
    if not chosen:
        return replace(found, metadata=table, label=label)
    parts = {name: table[name].astype("Float64").to_numpy(np.float64, na_value=np.nan) for name in chosen}
    filled = {
        name: int(np.count_nonzero(np.isnan(values)))
        for name, values in parts.items()
        if np.isnan(values).any()
    }
    for name in filled:
        parts[name] = np.where(np.isnan(parts[name]), np.nanmedian(parts[name]), parts[name])
    findings = [_told(chosen, roles, label)]
    if filled:
        shown = [f"{name} ({gaps:,})" for name, gaps in filled.items()]
        findings.append(
            Finding(
                "filled",
                len(filled),
                f"{several(len(filled), 'feature')} with missing values ({listed(shown)}); they take the "
                "median of the others.",
                tuple(filled)[:EXAMPLES],
            )
        )
    own = np.column_stack(list(parts.values())).astype(np.float32)
    return replace(
        found,
        features=np.hstack([found.features, own]) if found.features.shape[1] else own,
        columns=(*found.columns, *parts),
        metadata=table.drop(columns=chosen),
        label=label,
        findings=(*found.findings, *findings),
    )


def names_of_nodes(values: Sequence[Any], source: str) -> tuple[str, ...]:
    """Return ids as text.

    Raises
    ------
    StudioError
        When one is missing, or stands for two nodes.
    """
    ids = tuple(called(value) for value in values)
    lacking = ids.count("")
    if lacking:
        raise StudioError(
            f"{several(lacking, f'node of {source} has', f'nodes of {source} have')} no id "
            f"(first: row {ids.index('') + 1}).",
            "Give every node an id of its own.",
        )
    twice = pd.Series(ids)[pd.Series(ids).duplicated()].unique().tolist()
    if twice:
        raise StudioError(
            f"{several(len(twice), f'id of {source} stands', f'ids of {source} stand')} for several nodes "
            f"({listed(twice, 3)}).",
            "Give every node an id of its own, or name the right column with id_column.",
        )
    return ids


def called(value: Any) -> str:
    """Return an id as people write it: ``7`` and ``7.0`` and ``" 7"`` are one."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _told(chosen: list[str], roles: dict[str, str], label: str | None) -> Finding:
    rest = [name for name, role in roles.items() if name not in chosen and name != label]
    sentence = f"{several(len(chosen), 'column')} used as features ({listed(chosen)})."
    if rest:
        sentence += f" Metadata only: {listed(rest)} (write words as columns of 0 and 1 to use them)."
    if label is not None:
        sentence += f" “{label}” is taken as the label and left out of the features."
    return Finding("features", len(chosen), sentence, tuple(chosen[:EXAMPLES]))
