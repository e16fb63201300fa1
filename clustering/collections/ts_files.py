"""Read `.ts` files of the UCR and UEA archives.

The libraries that read them (aeon, sktime) bring dozens of estimators and their dependencies along; the
format is a header and one line a series, so it is read here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.recordings import Recording, Recordings
from clustering.errors import StudioError

MISSING = frozenset({"?", "nan", "NaN", ""})


def read_ts(path: Path) -> Recordings:
    """Return the series of a ``.ts`` file, one recording each, with their class.

    ``@data`` is followed by one line a series: its channels with colons between them, each channel's values
    with commas, and the class at the end where ``@classLabel true`` says so.

    Raises
    ------
    StudioError
        When it has no data, time stamps of its own, or a line that cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path.name} cannot be read ({error}).", "Save it again as text.") from error
    header, start = _header(path, lines)
    if header.get("timestamps", "false").split()[:1] == ["true"]:
        raise StudioError(
            f"{path.name} gives every value its own time stamp, which is not read.",
            "Save the series at even times (@timeStamps false), or as a CSV with a time column.",
        )
    told = header.get("classlabel", "false").split()
    labelled = told[:1] == ["true"] or header.get("targetlabel", "false").split()[:1] == ["true"]
    parts: list[Recording] = []
    labels: list[str] = []
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip() or line.lstrip().startswith(("#", "%")):
            continue
        channels = line.strip().split(":")
        if labelled:
            labels.append(channels.pop().strip())
        parts.append(Recording(f"series {len(parts) + 1}", _values(path, number, channels)))
    if not parts:
        raise StudioError(f"{path.name} holds no series below @data.", "Choose another file.")
    names = [f"dimension {at + 1}" for at in range(parts[0].values.shape[1])]
    metadata = pd.DataFrame({"label": labels}) if labelled else pd.DataFrame(index=range(len(parts)))
    return Recordings(parts, names, metadata, path.name)


def _header(path: Path, lines: list[str]) -> tuple[dict[str, str], int]:
    """Return what the header says, names in lower case, and the line the data begin at."""
    header: dict[str, str] = {}
    for number, line in enumerate(lines):
        name, _, value = line.strip().partition(" ")
        if name.lower() == "@data":
            return header, number + 1
        if name.startswith("@"):
            header[name[1:].lower()] = value.strip()
    raise StudioError(
        f"{path.name} has no line “@data”.", "A .ts file has a header, a line “@data” and one line a series."
    )


def _values(path: Path, number: int, channels: list[str]) -> NDArray[np.float64]:
    """Return the values (steps, channels) of one line."""
    try:
        columns = [
            [np.nan if text.strip() in MISSING else float(text) for text in channel.split(",")]
            for channel in channels
        ]
    except ValueError as error:
        raise StudioError(
            f"Line {number} of {path.name} cannot be read ({error}).",
            "Write numbers with commas between them, channels with colons, the class at the end.",
        ) from error
    lengths = {len(column) for column in columns}
    if not columns or len(lengths) > 1:
        raise StudioError(
            f"The channels in line {number} of {path.name} have the lengths "
            f"{', '.join(str(len(column)) for column in columns) or 'none'}.",
            "Give all channels of a series the same number of steps.",
        )
    return np.array(columns).T
