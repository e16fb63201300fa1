"""Series as files hold them: one recording after the other, each steps × channels, before windows are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.collection import Finding
from clustering.collections.columns import listed
from clustering.errors import StudioError
from clustering.words import several

EVEN = 0.1  # of the usual time between two steps: what a clock may be off


@dataclass(frozen=True)
class Recording:
    """One stretch of measurements.

    Parameters
    ----------
    name : str
    values : float array (steps, channels)
        NaN where a value is missing.
    times : float64 array (steps,), optional
        Seconds; by default steps are evenly apart.
    facts : DataFrame, optional
        What else is known, one row a step.
    """

    name: str
    values: NDArray[Any]
    times: NDArray[np.float64] | None = None
    facts: pd.DataFrame | None = None


@dataclass(frozen=True)
class Recordings:
    """All that a file holds.

    Parameters
    ----------
    parts : sequence of Recording
    channels : sequence of str
    metadata : DataFrame
        One row a recording.
    name : str
        Of the file.
    findings : sequence of Finding
    """

    parts: Sequence[Recording]
    channels: Sequence[str]
    metadata: pd.DataFrame
    name: str
    findings: list[Finding] = field(default_factory=list)


def evened(found: Recordings, resample: bool) -> tuple[Recordings, float | None]:
    """Return recordings whose steps are evenly apart, and how many there are in a second.

    Parameters
    ----------
    found : Recordings
    resample : bool
        Take values from straight lines between the measurements where times are uneven.

    Raises
    ------
    StudioError
        When times go backwards, or are uneven and nobody said to resample.
    """
    timed = [(part, np.diff(part.times)) for part in found.parts if part.times is not None]
    apart = np.concatenate([times for _, times in timed]) if timed else np.empty(0)
    if not len(apart):
        return found, None
    usual = float(np.median(apart))
    for part, times in timed:
        if (times <= 0).any():
            row = int(np.flatnonzero(times <= 0)[0]) + 2
            raise StudioError(
                f"The times of {found.name} do not grow: in {part.name}, row {row} is not later than the one "
                "before.",
                "Sort the rows by time, or name the column that tells recordings apart (recording_column).",
            )
    uneven = int(np.count_nonzero(_uneven(apart, usual)))
    if not uneven:
        return found, 1 / usual
    if not resample:
        first, times = next(one for one in timed if _uneven(one[1], usual).any())
        row = int(np.flatnonzero(_uneven(times, usual))[0]) + 2
        raise StudioError(
            f"{found.name} is sampled unevenly: usually {usual:.4g} s lie between two rows, in "
            f"{several(uneven, 'place')} not (first: {first.name}, row {row}).",
            "Choose irregular “resample” to take values at even times, or name the column that tells "
            "recordings apart (recording_column).",
        )
    parts = [part if part.times is None else _resampled(part, usual) for part in found.parts]
    sentence = (
        f"Times were uneven in {several(uneven, 'place')}; values were taken from straight lines every "
        f"{usual:.4g} s."
    )
    findings = [*found.findings, Finding("resampled", uneven, sentence)]
    return Recordings(parts, found.channels, found.metadata, found.name, findings), 1 / usual


def filled(found: Recordings) -> Recordings:
    """Return recordings whose gaps are filled by straight lines, at the ends by the nearest value.

    Raises
    ------
    StudioError
        When a channel of a recording holds no value at all.
    """
    parts, total = [], 0
    for part in found.parts:
        missing = ~np.isfinite(part.values)
        if not missing.any():
            parts.append(part)
            continue
        values, steps = np.array(part.values, dtype=np.float64), np.arange(len(part.values))
        for channel in np.flatnonzero(missing.any(axis=0)).tolist():
            gap = missing[:, channel]
            if gap.all():
                raise StudioError(
                    f"Channel “{found.channels[channel]}” of {part.name} in {found.name} holds no value.",
                    "Leave the channel or the recording out of the file.",
                )
            values[gap, channel] = np.interp(steps[gap], steps[~gap], values[~gap, channel])
        total += int(missing.sum())
        parts.append(Recording(part.name, values, part.times, part.facts))
    if not total:
        return found
    sentence = f"{several(total, 'missing value')} filled with straight lines between the neighbours."
    findings = [*found.findings, Finding("missing", total, sentence)]
    return Recordings(parts, found.channels, found.metadata, found.name, findings)


def of_one_length(found: Recordings, shortest: bool) -> Recordings:
    """Return recordings that are windows of one length.

    Raises
    ------
    StudioError
        When their lengths differ and nobody said to cut them.
    """
    lengths = [len(part.values) for part in found.parts]
    least, most = min(lengths), max(lengths)
    if least == most:
        return found
    if not shortest:
        raise StudioError(
            f"The {len(lengths):,} series of {found.name} have unequal lengths, {least:,} to {most:,} steps.",
            "Choose lengths “shortest” to cut all to the shortest, or a window to cut windows from each.",
        )
    parts = [Recording(part.name, part.values[:least], part.times, part.facts) for part in found.parts]
    longer = sum(length > least for length in lengths)
    sentence = f"{several(longer, 'series', 'series')} of up to {most:,} steps cut to the first {least:,}."
    findings = [*found.findings, Finding("lengths", longer, sentence)]
    return Recordings(parts, found.channels, found.metadata, found.name, findings)


def refuse_odd(found: Recordings) -> None:
    """Refuse what is no real number, or differs in its channels.

    Raises
    ------
    StudioError
    """
    wanted = len(found.channels)
    for part in found.parts:
        if part.values.dtype.kind not in "fiub":
            raise StudioError(
                f"{found.name} holds {part.values.dtype}, not numbers.", "Save real numbers, such as float32."
            )
        if part.values.ndim != 2 or part.values.shape[1] != wanted:
            raise StudioError(
                f"{part.name} of {found.name} has {part.values.shape[-1]} channels, others have {wanted} "
                f"({listed(found.channels)}).",
                "Give every series the same channels in the same order.",
            )


def _uneven(apart: NDArray[np.float64], usual: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(apart - usual) > EVEN * usual)


def _resampled(part: Recording, usual: float) -> Recording:
    assert part.times is not None
    even = np.arange(part.times[0], part.times[-1] + usual / 2, usual)
    values = np.column_stack([np.interp(even, part.times, column) for column in part.values.T])
    nearest = np.searchsorted((part.times[1:] + part.times[:-1]) / 2, even)
    facts = None if part.facts is None else part.facts.iloc[nearest].reset_index(drop=True)
    return Recording(part.name, values, even, facts)
