"""Windows of series from small files, made to fit a collection's length and channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.newcomers.rows import refuse_many

if TYPE_CHECKING:
    from clustering.collections import Collection


def window_rows(collection: Collection, files: Sequence[Path]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return windows (m, steps, channels) as long as the collection's, and their names.

    Longer series are cut into windows that do not overlap.

    Raises
    ------
    StudioError
        When a file holds no series, or one with other channels, gaps or fewer steps.
    """
    from clustering.collections.series import windows_in
    from clustering.collections.series_options import SeriesOptions

    steps, channels = int(collection.about["steps"]), collection.about["channels"]
    parts, names = [], []
    for file in files:
        found = windows_in(file, SeriesOptions(window=steps))
        if found.shape[2] != len(channels):
            raise StudioError(
                f"The series in “{file.name}” have {found.shape[2]} channels; those of “{collection.name}” "
                f"have {len(channels)} ({', '.join(map(str, channels[:6]))}).",
                "Give windows × steps × channels, with the same channels in the same order.",
            )
        refuse_many(len(found), f"windows are in “{file.name}”")
        parts.append(found)
        alone = len(found) == 1
        names += [file.name if alone else f"{file.stem}, window {at + 1}" for at in range(len(found))]
    refuse_many(len(names), "windows were dropped")
    return np.concatenate(parts), tuple(names)
