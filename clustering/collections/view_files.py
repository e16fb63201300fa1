"""Find the views of the same items in an archive of arrays, or in a folder of tables and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.arrays import (
    CLASS_NAMES,
    LABELS,
    NAMES,
    beside,
    labels_beside,
    opened_arrays,
    read_arrays,
    shapes_in,
)
from clustering.collections.collection import Finding
from clustering.collections.columns import listed, named_label, typed_table
from clustering.collections.metadata import NAMES as METADATA
from clustering.collections.tables import ID_NAMES, read_cells
from clustering.errors import StudioError
from clustering.words import several

TABLES = (".csv", ".tsv", ".parquet", ".xlsx")
IDS = ("ids", "id", "names_of_items")
NAMING = ("id", "ids", "item", "item_id", "key", "uuid", "guid", "name", "file", "filename")
LENGTHS = (
    "Give every view the same items in the same order; or tables with a column “id”, by which items are "
    "matched and may lack a view."
)


@dataclass(frozen=True)
class View:
    """One view of the items.

    Attributes
    ----------
    name : str
    values : float32 array (n, d)
        A row of NaN where an item lacks the view.
    columns : tuple of str
        What its numbers are called, where anything says so.
    shape : (height, width, channels), optional
        Where they are pictures: an array of items × height × width, or × channels as well.
    """

    name: str
    values: NDArray[np.float32]
    columns: tuple[str, ...] = ()
    shape: tuple[int, int, int] | None = None

    @property
    def lacking(self) -> NDArray[np.bool_]:
        """Which items lack it, (n,)."""
        return np.asarray(np.isnan(self.values).all(axis=1))


@dataclass(frozen=True)
class FoundViews:
    """What a file or folder holds.

    Attributes
    ----------
    views : list of View
    ids : list of str or None
        None where rows are only numbered.
    metadata : pandas.DataFrame
        One row an item.
    findings : list of Finding
    """

    views: list[View]
    ids: list[str] | None
    metadata: pd.DataFrame
    findings: list[Finding] = field(default_factory=list)


def holds_views(path: Path, member: str = "") -> bool:
    """Say whether a source is several views by its looks.

    An ``.npz`` with two tables of numbers or more of which none is called x, data, …; a folder with two or
    more tables or arrays and nothing else but labels.
    """
    if path.is_dir():
        files = [file for file in _files(path) if file.name not in METADATA]
        return len(files) > 1
    if member or path.suffix.lower() != ".npz":
        return False
    shapes = shapes_in(path)
    wide = _wide(shapes)
    return len(wide) > 1 and not any(name in NAMES for name in wide)


def views_in(path: Path, id_column: str | None) -> FoundViews:
    """Read the views.

    Raises
    ------
    StudioError
        When there are fewer than two, or their rows cannot be matched.
    """
    if path.is_dir():
        return _of_folder(path, id_column)
    if path.suffix.lower() == ".npz":
        return _of_archive(path)
    raise StudioError(
        f"{path.name} holds one table, and several views are several.",
        "Choose a folder with one table or array a view, an .npz with one array a view, or a folder of "
        "pictures with a metadata.csv.",
    )


def _of_archive(path: Path) -> FoundViews:
    shapes = shapes_in(path)
    wide = _wide(shapes)
    if len(wide) < 2:
        raise StudioError(
            f"{path.name} holds {several(len(wide), 'table of numbers', 'tables of numbers')}; several views "
            "are two or more.",
            "Save one array a view: numpy.savez(file, one=…, other=…); or load it as vectors.",
        )
    _refuse_lengths({name: shapes[name][0][0] for name in wide})
    with opened_arrays(path) as opened:
        views = [View(name, _numbers(opened[name], name), shape=_shape_of(shapes[name][0])) for name in wide]
        n = len(views[0].values)
        metadata = pd.DataFrame(index=pd.RangeIndex(n))
        labels = labels_beside(opened, n)
        if labels is not None:
            metadata["label"] = labels
        for name, values in beside(opened, shapes, n).items():
            if name not in IDS:
                metadata[name] = values
        named = next((opened[name] for name in IDS if name in shapes and shapes[name][0] == (n,)), None)
    ids = None if named is None else _unique([str(one) for one in named.tolist()], path.name)
    return FoundViews(views, ids, metadata)


def _wide(shapes: Any) -> list[str]:
    apart = {*LABELS, *CLASS_NAMES, *IDS}
    return [
        name
        for name, (shape, dtype) in shapes.items()
        if len(shape) >= 2 and dtype.kind in "fiub" and name not in apart and 0 not in shape
    ]


def _of_folder(folder: Path, id_column: str | None) -> FoundViews:
    """Join tables by their ids, arrays by their rows."""
    files = _files(folder)
    if len(files) < 2:
        raise StudioError(
            f"{folder} holds {several(len(files), 'table or array', 'tables or arrays')}; several views are "
            "two or more.",
            "Put one file a view into the folder: .csv, .tsv, .parquet, .xlsx or .npy.",
        )
    parts = [_part(file, id_column) for file in files]
    views_there = [part for part in parts if part.values.shape[1]]
    if len(views_there) < 2:
        raise StudioError(
            f"Of the files in {folder}, {listed([part.name for part in views_there]) or 'none'} "
            "has numbers besides ids and labels.",
            "Give every view columns of numbers.",
        )
    ids, rows = _matched(parts, folder)
    views, findings = [], [finding for part in parts for finding in part.findings]
    metadata = pd.DataFrame(index=pd.RangeIndex(len(rows[0])))
    for part, places in zip(parts, rows, strict=True):
        if part.values.shape[1]:
            values = part.values[np.maximum(places, 0)]
            values[places < 0] = np.nan
            views.append(View(part.name, values, part.columns, part.shape))
        metadata = _beside(metadata, part, places)
    return FoundViews(views, ids, metadata, findings)


@dataclass(frozen=True)
class _Part:
    """One file of a folder: numbers, what else it says, and what names its rows."""

    name: str
    values: NDArray[np.float32]
    columns: tuple[str, ...]
    rest: pd.DataFrame
    ids: list[str] | None
    findings: tuple[Finding, ...] = ()
    shape: tuple[int, int, int] | None = None

    def __len__(self) -> int:
        return len(self.values)


def _files(folder: Path) -> list[Path]:
    """Return the tables and arrays of a folder by name; empty where it holds anything else."""
    there = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    fits = [file for file in there if file.is_file() and file.suffix.lower() in (*TABLES, ".npy")]
    return fits if len(fits) == len(there) else []


def _part(file: Path, id_column: str | None) -> _Part:
    if file.suffix.lower() == ".npy":
        array = read_arrays(file, "").data
        values, shape = _numbers(array, file.name), _shape_of(array.shape)
        nothing = pd.DataFrame(index=pd.RangeIndex(len(values)))
        return _Part(file.stem, values, (), nothing, None, shape=shape)
    raw, findings = read_cells(file)
    table, odd = typed_table(raw.reset_index(drop=True))
    naming = id_column if id_column in table else _naming(table)
    if id_column is not None and naming != id_column:
        raise StudioError(
            f"{file.name} has no column “{id_column}” to name its items.",
            f"Choose a column that every table has; this one has: {listed(list(table.columns), 20)}.",
        )
    ids = None
    if naming is not None:
        ids = _unique([_id(value) for value in table[naming]], file.name)
        table = table.drop(columns=naming)
    label = named_label(table)
    numbers = [
        str(name)
        for name in table
        if name != label
        and str(name).lower() not in ID_NAMES
        and (pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_bool_dtype(table[name]))
    ]
    values = table[numbers].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return _Part(
        file.stem, _numbers(values, file.name), tuple(numbers), table.drop(columns=numbers), ids,
        (*findings, *odd),
    )  # fmt: skip


def _naming(table: pd.DataFrame) -> str | None:
    """Return the column that names the rows: called so, complete, another value in every row."""
    by_name = {str(name).strip().lower().replace(" ", "_"): str(name) for name in table.columns}
    called = (by_name[name] for name in NAMING if name in by_name)
    return next((name for name in called if table[name].notna().all()), None)


def _id(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _unique(ids: list[str], source: str) -> list[str]:
    seen: set[str] = set()
    twice = list(dict.fromkeys(one for one in ids if one in seen or seen.add(one)))  # type: ignore[func-returns-value]
    if twice:
        raise StudioError(
            f"{source} names {several(len(twice), 'item')} more than once (first: “{twice[0]}”).",
            "Keep one row an item in every view.",
        )
    return ids


def _matched(parts: Sequence[_Part], folder: Path) -> tuple[list[str] | None, list[NDArray[np.int64]]]:
    """Return the items' ids, and where each item's row lies in every part (-1: it lacks it)."""
    named = [part for part in parts if part.ids is not None]
    if not named:
        _refuse_lengths({part.name: len(part) for part in parts})
        return None, [np.arange(len(part)) for part in parts]
    ids = list(dict.fromkeys(one for part in named for one in part.ids or ()))
    _refuse_strangers(named, ids)
    rows = []
    for part in parts:
        if part.ids is not None:
            place = {one: row for row, one in enumerate(part.ids)}
            rows.append(np.array([place.get(one, -1) for one in ids]))
        elif len(part) == len(ids) and all(other.ids == ids for other in named):
            rows.append(np.arange(len(ids)))
        else:
            raise StudioError(
                f"“{part.name}” in {folder} names no items, and others do: its {several(len(part), 'row')} "
                f"cannot be matched to their {several(len(ids), 'item')}.",
                "Give it a column “id” too, as a table; or the same items in the same order everywhere.",
            )
    return ids, rows


def _refuse_strangers(named: Sequence[_Part], ids: list[str]) -> None:
    """Refuse a view that shares no item with any other: their ids are written differently."""
    for part in named:
        others = {one for other in named if other is not part for one in other.ids or ()}
        if len(named) > 1 and not others & set(part.ids or ()):
            theirs = next(one for other in named if other is not part for one in other.ids or ())
            raise StudioError(
                f"No id of “{part.name}” is in another view (it has “{(part.ids or ['?'])[0]}”, they have "
                f"“{theirs}”).",
                "Write the ids of an item the same way in every view, zeros in front and endings too; or "
                "leave the column out where rows stand in the same order.",
            )
    assert ids


def _refuse_lengths(lengths: dict[str, int]) -> None:
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise StudioError(f"The views differ in the number of their items: {told}.", LENGTHS)


def _shape_of(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return height, width and channels of the pictures in an array of such a shape, None if it has none."""
    if len(shape) == 3:
        return shape[1], shape[2], 1
    return (shape[1], shape[2], shape[3]) if len(shape) == 4 else None


def _numbers(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    if values.dtype.kind not in "fiub" or values.ndim == 0:
        raise StudioError(
            f"“{name}” holds {values.dtype}, not numbers.", "Save real numbers, such as float32."
        )
    flat = values.reshape(len(values), -1) if values.ndim != 1 else values[:, None]
    with np.errstate(over="ignore"):
        found = np.array(flat, dtype=np.float32)
    rows = np.flatnonzero(np.isinf(found).any(axis=1))
    if len(rows):
        raise StudioError(
            f"“{name}” holds {several(len(rows), 'row')} with infinite values (counted from 0: "
            f"{listed(rows.tolist())}).",
            "Correct them, or leave them empty (NaN): an empty row says that the item lacks this view.",
        )
    return found


def _beside(metadata: pd.DataFrame, part: _Part, places: NDArray[np.int64]) -> pd.DataFrame:
    """Add what a file says besides numbers; two that say the same of every item say it once."""
    for name in part.rest:
        column = part.rest[name].reindex(np.where(places < 0, -1, places)).reset_index(drop=True)
        free = str(name)
        if free in metadata:
            both = metadata[free].notna() & column.notna()
            if bool((metadata.loc[both, free] == column[both]).all()):
                metadata[free] = metadata[free].combine_first(column)
                continue
            free = f"{name} ({part.name})"
        metadata[free] = column
    return metadata
