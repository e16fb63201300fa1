"""Rows of a table and vectors from small files, made to fit a collection's columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError

if TYPE_CHECKING:
    import pandas as pd

    from clustering.collections import Collection

TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
VECTORS = (".npy", ".npz", ".parquet", ".csv", ".tsv")
MOST_AT_ONCE = 20


def refuse_many(count: int, what: str) -> None:
    """Refuse more items than are placed at once.

    Raises
    ------
    StudioError
        With ``count`` and ``what`` in its sentence.
    """
    if count > MOST_AT_ONCE:
        raise StudioError(
            f"{count:,} {what}; at most {MOST_AT_ONCE} are placed at once.",
            "Choose the few you are curious about, or load all of them as a collection.",
        )


def table_rows(
    collection: Collection, files: Sequence[Path]
) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Return rows with the collection's feature columns, their names, and what was left out in sentences.

    Raises
    ------
    StudioError
        When a column is missing or a cell is of another type.
    """
    import pandas as pd

    wanted = collection.data()
    assert isinstance(wanted, pd.DataFrame)
    parts, names, notes = [], [], []
    for file in files:
        raw = _rows_of(file, TABLES)
        refuse_many(len(raw), f"rows are in “{file.name}”")
        rows, left_out = _fitted(raw, wanted, collection, file.name)
        parts.append(rows)
        names += _row_names(raw, file)
        notes += left_out
    refuse_many(len(names), "rows were dropped")
    return pd.concat(parts, ignore_index=True), tuple(names), tuple(notes)


def _rows_of(file: Path, endings: tuple[str, ...]) -> pd.DataFrame:
    from clustering.collections.tables import read_cells

    if file.suffix.lower() not in endings:
        raise StudioError(
            f"“{file.name}” is not a table.",
            f"Drop a file that ends in {', '.join(endings[:-1])} or {endings[-1]}.",
        )
    raw, _ = read_cells(file)
    if not len(raw):
        raise StudioError(f"“{file.name}” has a header but no row.", "Add a row for each item.")
    return raw.set_axis([str(name).strip() for name in raw.columns], axis=1)


def _fitted(
    raw: pd.DataFrame, wanted: pd.DataFrame, collection: Collection, source: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return the collection's feature columns of some rows, each of its type, and what was left out."""
    import pandas as pd

    twice = sorted({name for name in raw.columns if list(raw.columns).count(name) > 1})
    if twice:
        raise StudioError(
            f"“{source}” has the column {_named(twice)} more than once.", "Keep one of each name."
        )
    places = {name.lower(): name for name in raw.columns}
    missing = [str(name) for name in wanted.columns if str(name).lower() not in places]
    if missing:
        raise StudioError(
            f"“{source}” lacks {'a column' if len(missing) == 1 else f'{len(missing)} columns'} "
            f"of the collection: {_named(missing)}.",
            "Add them; a cell may be empty where a value is not known.",
        )
    columns = {
        str(name): _typed(raw[places[str(name).lower()]], wanted[name], str(name), source)
        for name in wanted.columns
    }
    known = {str(name).lower() for name in (*wanted.columns, *collection.items.columns)}
    extra = [name for name in raw.columns if name.lower() not in known]
    notes = []
    if extra:
        notes.append(
            f"“{source}” has {'a column' if len(extra) == 1 else 'columns'} the collection does not have: "
            f"{_named(extra)}. Left out; rename a column if it was meant to count."
        )
    return pd.DataFrame(columns), notes


def _typed(column: pd.Series, like: pd.Series, name: str, source: str) -> pd.Series:
    import pandas as pd

    text = column.map(lambda value: value.strip() if isinstance(value, str) else value)
    text = text.where(text.notna() & (text != ""))
    if pd.api.types.is_bool_dtype(like):
        truth = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
        found = text.map(lambda value: truth.get(str(value).lower(), np.nan))
        kind = "true or false"
    elif pd.api.types.is_numeric_dtype(like):
        found = pd.to_numeric(text, errors="coerce").replace([np.inf, -np.inf], np.nan)
        kind = "a number"
    elif pd.api.types.is_datetime64_any_dtype(like):
        found = pd.to_datetime(text, errors="coerce")
        kind = "a date"
    else:
        return text.map(lambda value: re.sub(r"\.0$", "", str(value)), na_action="ignore").astype("object")
    odd = np.flatnonzero((found.isna() & text.notna()).to_numpy())
    if len(odd):
        raise StudioError(
            f"Column “{name}” of “{source}” holds “{text.iloc[odd[0]]}” in row {odd[0] + 1}; "
            f"{kind} is expected.",
            "Correct it, or leave the cell empty.",
        )
    return found


def _row_names(raw: pd.DataFrame, file: Path) -> list[str]:
    by_name = {str(name).lower(): name for name in raw.columns}
    own = next((by_name[name] for name in ("title", "name", "id") if name in by_name), None)
    numbered = [f"{file.name}, row {number}" for number in range(1, len(raw) + 1)]
    if own is None:
        return numbered
    return [
        str(value) if known else number
        for number, value, known in zip(numbered, raw[own], raw[own].notna(), strict=True)
    ]


def number_columns(
    file: Path, columns: Sequence[str], collection: str
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return some columns of a table as float32 (m, d), and what its rows are called.

    Raises
    ------
    StudioError
        When a column is missing, or a cell is empty or no number.
    """
    import pandas as pd

    raw = _rows_of(file, TABLES)
    missing = [name for name in columns if name not in raw.columns]
    if missing:
        raise StudioError(
            f"“{file.name}” lacks {'a column' if len(missing) == 1 else f'{len(missing)} columns'} of "
            f"“{collection}”: {_named(missing)}.",
            "Add them, with a number in every row.",
        )
    refuse_many(len(raw), f"rows are in “{file.name}”")
    numbers = raw[list(columns)].apply(pd.to_numeric, errors="coerce").astype(np.float64)
    odd = np.argwhere(~np.isfinite(numbers.to_numpy()))
    if len(odd):
        row, column = odd[0].tolist()
        raise StudioError(
            f"Column “{columns[column]}” of “{file.name}” holds no number in row {row + 1}.",
            "Write one, or leave this row out.",
        )
    return numbers.to_numpy(np.float32), tuple(_row_names(raw, file))


def vector_rows(collection: Collection, files: Sequence[Path]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return vectors as long as the collection's, float32 (m, d), and their names.

    Raises
    ------
    StudioError
        When they have another length or hold what is no finite number.
    """
    wanted = np.asarray(collection.data()).shape[1]
    parts, names = [], []
    for file in files:
        rows = _numbers_of(file)
        rows = rows[None] if rows.ndim == 1 else rows.reshape(len(rows), -1)
        if rows.shape[1] != wanted:
            raise StudioError(
                f"The vectors in “{file.name}” have {rows.shape[1]} numbers; "
                f"those of “{collection.name}” have {wanted}.",
                "Make them with the model that made the collection's.",
            )
        refuse_many(len(rows), f"vectors are in “{file.name}”")
        if not np.isfinite(rows).all():
            bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise StudioError(
                f"Vector {bad + 1} of “{file.name}” holds a value that is not a finite number.",
                "Fill it in, or leave this vector out.",
            )
        parts.append(rows)
        names += [f"{file.name}, row {number}" for number in range(1, len(rows) + 1)]
    refuse_many(len(names), "vectors were dropped")
    return np.concatenate(parts).astype(np.float32), tuple(names)


def _numbers_of(file: Path) -> NDArray[Any]:
    from clustering.collections.arrays import read_arrays
    from clustering.collections.vectors import vectors_of_parquet

    ending = file.suffix.lower()
    if ending not in VECTORS:
        raise StudioError(
            f"“{file.name}” holds no vectors.", "Drop a file that ends in .npy, .npz, .parquet or .csv."
        )
    if ending == ".parquet":
        found = vectors_of_parquet(file, None)[0]
    elif ending in (".npy", ".npz"):
        found = read_arrays(file, "").data
    else:
        import pandas as pd

        cells = _rows_of(file, VECTORS)
        numbers = cells.apply(pd.to_numeric, errors="coerce")
        odd = np.argwhere((numbers.isna() & cells.notna()).to_numpy())
        if len(odd):
            row, column = odd[0].tolist()
            found_there = str(cells.iat[row, column])
            raise StudioError(
                f"“{file.name}” holds “{found_there}” in row {row + 1}, column {column + 1}; "
                "a number is expected.",
                "Keep only columns of numbers.",
            )
        found = numbers.to_numpy(np.float64)
    if found.dtype.kind not in "fiub" or found.ndim == 0 or not found.size:
        raise StudioError(
            f"“{file.name}” holds no numbers (type {found.dtype}, shape {found.shape}).",
            "Save a table of numbers: one row an item.",
        )
    return np.asarray(found, dtype=np.float64)


def _named(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
