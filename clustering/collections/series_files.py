"""Find the recordings in an array or a long table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.arrays import read_arrays
from clustering.collections.columns import check_column, listed, named_label, typed_table
from clustering.collections.delimited import read_delimited
from clustering.collections.recordings import Recording, Recordings
from clustering.collections.series_options import SeriesOptions
from clustering.collections.ts_files import read_ts
from clustering.errors import StudioError
from clustering.words import several

TIMES = ("time", "timestamp", "t", "seconds", "datetime", "date", "zeit")
RECORDINGS = (
    "recording",
    "recording_id",
    "series",
    "series_id",
    "trial",
    "session",
    "subject",
    "person",
    "user",
)


def recordings_in(path: Path, member: str, options: SeriesOptions, label_column: str | None) -> Recordings:
    """Return what a file holds.

    Parameters
    ----------
    path : Path
        ``.ts``, ``.npy``, ``.npz``, ``.csv`` or ``.tsv``.
    member : str
        The array's name in an ``.npz``.
    options : SeriesOptions
    label_column : str, optional
        Of a table; it is no channel.

    Raises
    ------
    StudioError
        When it cannot be read, or holds no numbers.
    """
    ending = path.suffix.lower()
    if ending == ".ts":
        return read_ts(path)
    if ending in (".csv", ".tsv"):
        return _of_table(path, options, label_column)
    if ending in (".npy", ".npz"):
        return _of_array(path, member, options)
    raise StudioError(
        f"{path.name} is no file that series are read from ({ending or 'no ending'}).",
        "Choose a .npy, .npz, .ts, .csv or .tsv file.",
    )


def _of_array(path: Path, member: str, options: SeriesOptions) -> Recordings:
    """Windows × time × channels, or windows × time; where a window is given, also one recording."""
    found = read_arrays(path, member)
    data = found.data
    if data.dtype.kind not in "fiub":
        raise StudioError(
            f"{path.name} holds {data.dtype}, not numbers.", "Save real numbers, such as float32."
        )
    if data.ndim == 1 and options.window:
        data = data[:, None]
    if data.ndim == 2:
        data = data[None] if options.window else data[:, :, None]
    if data.ndim != 3 or 0 in data.shape:
        raise StudioError(
            f"{path.name} has the shape {data.shape}.",
            "Series are windows × time × channels; choose a window to cut one long recording, "
            "time × channels, into pieces.",
        )
    metadata = pd.DataFrame(index=pd.RangeIndex(len(data)))
    if found.labels is not None and len(found.labels) == len(data):
        metadata["label"] = found.labels
    for name, values in found.beside.items():
        metadata[name] = values
    parts = [Recording(f"series {at + 1}", window) for at, window in enumerate(data)]
    names = [f"channel {at + 1}" for at in range(data.shape[2])]
    return Recordings(parts, names, metadata, path.name)


def _of_table(path: Path, options: SeriesOptions, label_column: str | None) -> Recordings:
    """One row a step: a time column, columns of numbers, what else is known, one recording or several."""
    raw, findings = read_delimited(path)
    table, odd = typed_table(raw)
    for wanted in (options.time_column, options.recording_column, label_column):
        check_column(table, wanted, path.name)
    if options.window is None:
        raise StudioError(
            f"{path.name} is one long table of {several(len(table), 'step')}; nobody said how to cut it.",
            "Choose a window: the number of rows that make one item.",
        )
    time = options.time_column or _named(table, TIMES)
    recording = options.recording_column or _named(table, RECORDINGS)
    label = label_column or named_label(table)
    apart = {time, recording, label}
    channels = [
        str(name)
        for name in table
        if name not in apart
        and pd.api.types.is_numeric_dtype(table[name])
        and not pd.api.types.is_bool_dtype(table[name])
    ]
    if not channels:
        raise StudioError(
            f"{path.name} has no column of numbers to be a channel ({listed(list(table.columns))}).",
            "Store one column of numbers a channel, one row a step.",
        )
    times = None if time is None else _seconds(table[time], path.name)
    values = table[channels].to_numpy(np.float64, na_value=np.nan)
    facts = table.drop(columns=[name for name in (*channels, time, recording) if name is not None])
    parts, names = [], []
    for name, rows in _stretches(table, recording):
        own = None if times is None else times[rows]
        parts.append(Recording(name, values[rows], own, facts.iloc[rows].reset_index(drop=True)))
        names.append(name)
    metadata = (
        pd.DataFrame({recording: names}) if recording is not None else pd.DataFrame(index=range(len(parts)))
    )
    return Recordings(parts, channels, metadata, path.name, [*findings, *odd])


def _stretches(table: pd.DataFrame, recording: str | None) -> list[tuple[str, NDArray[np.int64]]]:
    """Return the rows of each recording, in the order in which they begin."""
    if recording is None:
        return [("the recording", np.arange(len(table)))]
    groups = table.groupby(recording, sort=False, dropna=False).indices
    return [(str(name), np.sort(rows)) for name, rows in groups.items()]


def _named(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    by_name = {str(name).strip().lower().replace(" ", "_"): str(name) for name in table.columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _seconds(column: pd.Series[Any], source: str) -> NDArray[np.float64]:
    if pd.api.types.is_datetime64_any_dtype(column):
        seconds = (column - column.iloc[0]).dt.total_seconds().to_numpy(np.float64)
    elif pd.api.types.is_numeric_dtype(column):
        seconds = column.to_numpy(np.float64, na_value=np.nan)
    else:
        raise StudioError(
            f"The time column “{column.name}” of {source} holds no times (first: “{column.iloc[0]}”).",
            "Write seconds as numbers, or moments as 2026-05-01 12:30:00.5; or choose another time_column.",
        )
    if not np.isfinite(seconds).all():
        row = int(np.flatnonzero(~np.isfinite(seconds))[0]) + 1
        raise StudioError(
            f"The time column “{column.name}” of {source} has a gap in row {row}.",
            "Give every row its time, or remove the column and say the rate.",
        )
    return seconds
