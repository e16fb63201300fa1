"""The result of a run as a table to take away: CSV for spreadsheets, Parquet for programs."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clustering.charts.palette import group_name, group_number
from clustering.charts.style import whole_numbers
from clustering.errors import StudioError
from clustering.words import several

# A spreadsheet runs a cell that begins with one of these (CWE-1236).
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LINE_END = "\r\n"  # RFC 4180; with it a lone carriage return in a text is quoted and cannot break a row
HIDDEN = ("path", "aspect")  # columns that are ours, not the collection's


def labels_table(
    items: pd.DataFrame,
    labels: ArrayLike,
    soft_assignments: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    points: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return one row an item: id, label, group, confidence, its place on the map, q of every group, metadata.

    Parameters
    ----------
    items : DataFrame (n rows)
        With the column ``id``; its other columns are the metadata.
    labels : int array (n,)
        As the run counts them, from 0; -1 is unassigned. ``group`` is the name a person sees (from 1).
    soft_assignments : float array (n, K), optional
        Becomes ``confidence`` and ``q_1 … q_K``, numbered as the groups are.
    names : sequence of str, optional
        One a group.
    points : float array (n, 2), optional
        The map; becomes ``map_x`` and ``map_y``.

    Raises
    ------
    StudioError
        When the arrays do not belong together.
    """
    found = np.asarray(labels, dtype=np.int64).ravel()
    assignments = None if soft_assignments is None else np.asarray(soft_assignments, dtype=np.float32)
    places = None if points is None else np.asarray(points, dtype=np.float32)
    for what, rows in {"items": items, "rows of q": assignments, "points": places}.items():
        if rows is not None and len(rows) != len(found):
            raise StudioError(
                f"There are {len(found)} labels but {len(rows)} {what}.", "Give one row an item."
            )
    columns: dict[str, object] = {
        "id": items["id"].astype(str).to_numpy(),
        "label": found,
        "group": [group_name(label, names) for label in found.tolist()],
    }
    if assignments is not None:
        columns["confidence"] = assignments.max(axis=1) if assignments.shape[1] else np.nan
    if places is not None:
        columns |= {"map_x": places[:, 0], "map_y": places[:, 1]}
    columns |= _assignment_columns(assignments)
    for name in items.columns:
        if name != "id" and name not in HIDDEN:
            columns[_free_name(str(name), columns)] = whole_numbers(items[name]).array
    return pd.DataFrame(columns)


def labels_csv(table: pd.DataFrame, *, for_spreadsheets: bool = True) -> tuple[bytes, tuple[str, ...]]:
    """Return a table as CSV, and sentences about what was changed in it.

    A title such as ``=HYPERLINK(…)`` would run as a formula in a spreadsheet, and a collection's metadata may
    come from anywhere. So a text that begins with a sign spreadsheets obey gets an apostrophe before it.
    Texts that are plain numbers (``-3``, ``+4.5``) are harmless and stay. Parquet holds every text unchanged.

    Parameters
    ----------
    table : DataFrame
    for_spreadsheets : bool
        False leaves every text as it is, for programs that read CSV.

    Returns
    -------
    content : bytes
        UTF-8 with a byte order mark when ``for_spreadsheets`` (Excel reads accents only with it).
    notes : tuple of str
        Empty when nothing was changed.
    """
    if not for_spreadsheets:
        return table.to_csv(index=False, lineterminator=LINE_END).encode("utf-8"), ()
    safe = table.copy()
    n_changed = 0
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]) and not pd.api.types.is_datetime64_any_dtype(
            safe[name]
        ):
            texts = safe[name].map(_harmless)
            n_changed += sum(
                isinstance(old, str) and old != new for old, new in zip(safe[name], texts, strict=True)
            )
            safe[name] = texts
    headings = [str(_harmless(str(name))) for name in safe.columns]
    n_changed += sum(old != new for old, new in zip(safe.columns, headings, strict=True))
    safe.columns = pd.Index(headings)
    note = (
        f"{several(n_changed, 'cell')} began with a sign that a spreadsheet would run "
        "as a formula; an apostrophe was put before it. The Parquet file holds the text unchanged.",
    )
    return safe.to_csv(index=False, lineterminator=LINE_END).encode("utf-8-sig"), note if n_changed else ()


def labels_parquet(table: pd.DataFrame) -> bytes:
    """Return a table as Parquet; columns of mixed types are written as text."""
    written = table.copy()
    for name in written.columns:
        kinds = {type(value) for value in written[name].dropna()} if written[name].dtype == object else set()
        if len(kinds) > 1:
            written[name] = written[name].map(lambda value: None if pd.isna(value) else str(value))
    file = io.BytesIO()
    written.to_parquet(file, index=False)
    return file.getvalue()


def _assignment_columns(assignments: NDArray[np.float32] | None) -> dict[str, object]:
    if assignments is None:
        return {}
    return {f"q_{group_number(label)}": assignments[:, label] for label in range(assignments.shape[1])}


def _free_name(name: str, taken: dict[str, object]) -> str:
    """Return a metadata column's name, told apart from ours: ``label`` becomes ``label (metadata)``."""
    free = name
    while free in taken:
        free += " (metadata)"
    return free


def _harmless(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip(" ").startswith(FORMULA_SIGNS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
