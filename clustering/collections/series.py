"""Turn series into a collection of windows: make them even and whole, cut, check, draw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.check import EXAMPLES, column_findings, duplicate_findings, few_findings
from clustering.collections.collection import THUMBNAILS, WINDOWS, Finding
from clustering.collections.columns import check_column, label_columns, listed, of_items
from clustering.collections.loaded import Loaded
from clustering.collections.recordings import Recordings, evened, filled, of_one_length, refuse_odd
from clustering.collections.series_files import recordings_in
from clustering.collections.series_options import SeriesOptions
from clustering.collections.tables import first_equal
from clustering.collections.thumbnails import build_atlas
from clustering.collections.vectors import write_rows
from clustering.collections.waveforms import ASPECT, SMALL, drawn_window
from clustering.errors import StudioError
from clustering.progress import Progress, tell
from clustering.words import several

OUTER = (0.5, 99.5)  # percentiles of a channel between which waveforms are drawn
SAMPLE = 2_000_000  # values of a channel that say so


@dataclass(frozen=True)
class Cut:
    """Windows and where they were cut.

    Attributes
    ----------
    windows : float32 array (n, steps, channels)
    recording : int64 array (n,)
        The recording each is from.
    start : int64 array (n,)
        The step of the recording each begins at.
    """

    windows: NDArray[np.float32]
    recording: NDArray[np.int64]
    start: NDArray[np.int64]


def read_series(
    path: Path, member: str, part: Path, options: SeriesOptions, *, label_column: str | None,
    progress: Progress,
) -> Loaded:  # fmt: skip
    """Read windows, or cut them from recordings, into float32 (n, steps, channels).

    Parameters
    ----------
    path : Path
        ``.ts``, ``.npy``, ``.npz``, ``.csv`` or ``.tsv``.
    member : str
        The array's name in an ``.npz``.
    part : Path
        Folder of the collection being built.
    options : SeriesOptions
    label_column : str, optional
    progress : Progress

    Raises
    ------
    StudioError
        When the file cannot be read; when a window is longer than every series; when series differ in
        length or channels, have gaps or uneven times and nobody said what to do about it.
    """
    tell(progress, 0, 1, "reading the series")
    found = recordings_in(path, member, options, label_column)
    refuse_odd(found)
    if options.gaps == "fill":
        found = filled(found)
    found, told_rate = evened(found, options.irregular == "resample")
    rate = options.rate or told_rate
    if options.window is None:
        found = of_one_length(found, options.lengths == "shortest")
    cut, findings = _whole(_cut(found, options), found, options.gaps == "leave out")
    n, steps, channels = cut.windows.shape
    if n < 2:
        raise StudioError(
            f"{path.name} gives {several(n, 'window')}.",
            "A collection needs two or more: choose a shorter window or a smaller step.",
        )
    digests, hashed, _ = write_rows(cut.windows.reshape(n, -1), part / WINDOWS, path.name, progress)
    content_hash = hashlib.blake2b(f"{hashed} {channels}".encode(), digest_size=16).hexdigest()
    metadata, mixed = _metadata(found, cut, steps)
    check_column(metadata, label_column, path.name)
    repeats = first_equal(digests)
    items = _items(metadata, cut, repeats, rate, cut_up=options.window is not None)
    labels = label_columns(metadata, label_column)
    about = {"channels": list(found.channels), "steps": steps, "rate": rate, **_ranges(cut.windows)}
    findings = [
        _told(found, cut, options, rate), *found.findings, *findings,
        *_flat(cut.windows, found, items), *mixed, *few_findings(n),
        *duplicate_findings(items["id"].to_list(), repeats, "window"),
        *column_findings(metadata, labels, constant="kept as metadata", missing="kept as missing"),
    ]  # fmt: skip
    drawn = (drawn_window(window, about, SMALL) for window in cut.windows)
    build_atlas(drawn, n, part / THUMBNAILS, content_hash, progress)
    return Loaded(items, labels, content_hash, tuple(findings), about=about)


def windows_in(path: Path, options: SeriesOptions) -> NDArray[np.float32]:
    """Return the windows of a file, float32 (n, steps, channels), without making a collection of them.

    Raises
    ------
    StudioError
        As `read_series` does.
    """
    found, _ = evened(recordings_in(path, "", options, None), resample=False)
    refuse_odd(found)
    return _whole(_cut(found, options), found, leave_out=False)[0].windows


def _cut(found: Recordings, options: SeriesOptions) -> Cut:
    """Cut every recording into windows that lie wholly within it."""
    lengths = np.array([len(part.values) for part in found.parts])
    length = options.window or int(lengths[0])
    if length > lengths.max():
        raise StudioError(
            f"A window of {length:,} steps is longer than every series of {found.name} "
            f"(the longest has {lengths.max():,}).",
            f"Choose a window of at most {lengths.max():,} steps.",
        )
    step = options.step or length
    starts = [np.arange(0, total - length + 1, step) for total in lengths]
    recording = np.repeat(np.arange(len(lengths)), [len(some) for some in starts])
    start = np.concatenate(starts).astype(np.int64)
    windows = np.empty((len(start), length, len(found.channels)), np.float32)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite: refused or left out
        for at, (one, first) in enumerate(zip(recording.tolist(), start.tolist(), strict=True)):
            windows[at] = found.parts[one].values[first : first + length]
    return Cut(windows, recording, start)


def _whole(cut: Cut, found: Recordings, leave_out: bool) -> tuple[Cut, list[Finding]]:
    """Leave windows with gaps out, or refuse them.

    Raises
    ------
    StudioError
        Naming the first few.
    """
    broken = ~np.isfinite(cut.windows).all(axis=(1, 2))
    if not broken.any():
        return cut, []
    rows = np.flatnonzero(broken)
    if not leave_out:
        step, channel = np.argwhere(~np.isfinite(cut.windows[rows[0]]))[0]
        first = found.parts[cut.recording[rows[0]]].name
        verb = "has" if len(rows) == 1 else "have"
        raise StudioError(
            f"{several(len(rows), 'window')} of {found.name} {verb} missing or infinite values "
            f"(first: {first}, step {cut.start[rows[0]] + step + 1}, “{found.channels[channel]}”).",
            "Choose gaps “fill” to draw straight lines across them, or “leave out” to do without these "
            "windows.",
        )
    keep = ~broken
    if not keep.any():
        raise StudioError(
            f"Every window of {found.name} has missing values.", "Choose gaps “fill”, or a shorter window."
        )
    sentence = f"{several(len(rows), 'window')} with missing values left out."
    finding = Finding("missing", len(rows), sentence, tuple(str(row) for row in rows[:EXAMPLES]))
    return Cut(cut.windows[keep], cut.recording[keep], cut.start[keep]), [finding]


def _metadata(found: Recordings, cut: Cut, steps: int) -> tuple[pd.DataFrame, list[Finding]]:
    """Return what is known of each window: of its recording, and what most of its steps say."""
    table = found.metadata.iloc[cut.recording].reset_index(drop=True)
    facts = [part.facts for part in found.parts]
    if facts[0] is None or not len(facts[0].columns):
        return table, []
    mixed = np.zeros(len(table), bool)
    for name in facts[0].columns:
        codes, values = pd.factorize(pd.concat([known[name] for known in facts if known is not None]))
        ends = np.cumsum([0, *(len(known) for known in facts if known is not None)])
        chosen = np.full(len(table), -1)
        for at, (one, start) in enumerate(zip(cut.recording, cut.start, strict=True)):
            here = codes[ends[one] + start : ends[one] + start + steps]
            here = here[here >= 0]
            if len(here):
                counts = np.bincount(here)
                chosen[at] = counts.argmax()
                mixed[at] |= counts.max() < steps
        table[str(name)] = pd.Series(values).reindex(chosen).reset_index(drop=True)
    rows = np.flatnonzero(mixed)
    if not len(rows):
        return table, []
    which = several(len(rows), "window spans", "windows span")
    sentence = f"{which} more than one label or value; the most frequent is taken."
    return table, [Finding("mixed", len(rows), sentence, tuple(str(row) for row in rows[:EXAMPLES]))]


def _items(
    metadata: pd.DataFrame, cut: Cut, repeats: NDArray[np.int64], rate: float | None, *, cut_up: bool
) -> pd.DataFrame:
    ids = pd.Series(np.arange(len(metadata))).astype("str")
    columns: dict[str, Any] = {
        "id": ids,
        "aspect": np.full(len(ids), ASPECT, np.float32),
        "duplicate_of": pd.Series([ids[row] if row >= 0 else None for row in repeats], dtype="str"),
    }
    if cut_up:
        name = "start" if rate is None else "start (s)"
        columns[name] = cut.start if rate is None else cut.start / rate
    return of_items(columns, metadata)


def _told(found: Recordings, cut: Cut, options: SeriesOptions, rate: float | None) -> Finding:
    """Say what the windows are."""
    n, steps, channels = cut.windows.shape
    lasts = f" at {rate:.4g} samples a second ({steps / rate:.3g} s)" if rate else ""
    sentence = f"{n:,} windows of {steps:,} steps × {several(channels, 'channel')}{lasts}."
    if options.window is not None:
        sentence += f" Cut from {several(len(found.parts), 'recording')}."
        if options.step is not None and options.step < options.window:
            share = 1 - options.step / options.window
            sentence += f" Neighbours share {share:.0%} of their steps: they are not independent."
        short = sum(len(part.values) < options.window for part in found.parts)
        if short:
            sentence += f" {several(short, 'recording')} shorter than a window left out."
    return Finding("windows", n, sentence)


def _flat(windows: NDArray[np.float32], found: Recordings, items: pd.DataFrame) -> list[Finding]:
    """Say which channels never change, and in which windows nothing does."""
    low, high = windows.min(axis=1), windows.max(axis=1)
    findings = []
    names = [found.channels[at] for at in np.flatnonzero(low.min(axis=0) == high.max(axis=0)).tolist()]
    if names:
        verb = "has" if len(names) == 1 else "have"
        sentence = f"{several(len(names), 'channel')} {verb} one value throughout ({listed(names)}); kept."
        findings.append(Finding("constant", len(names), sentence, tuple(names[:EXAMPLES])))
    rows = np.flatnonzero((low == high).all(axis=1))
    if len(rows):
        examples = tuple(items["id"].iloc[rows[:EXAMPLES]])
        sentence = f"{several(len(rows), 'window')} in which nothing changes; kept."
        findings.append(Finding("blank", len(rows), sentence, examples))
    return findings


def _ranges(windows: NDArray[np.float32]) -> dict[str, list[float]]:
    """Return between which values each channel is drawn."""
    rows = windows.reshape(-1, windows.shape[2])
    low, high = np.percentile(rows[:: max(1, len(rows) // SAMPLE)], OUTER, axis=0)
    return {"low": low.tolist(), "high": high.tolist()}
