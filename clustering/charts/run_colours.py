"""The colours of a run's groups: everywhere those of their like in the collection's first run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from clustering.charts.palette import ThemeName, cluster_colors

MOST_MATCHED = 20  # groups; of more the colour follows the place on the map


class _Run(Protocol):
    @property
    def family(self) -> str: ...
    @property
    def created(self) -> str: ...


Run = TypeVar("Run", bound=_Run)


def first_run(runs: Sequence[Run]) -> Run:
    """Return the run whose colours all others of a collection take: the oldest deep one, if there is one."""
    return min(runs, key=lambda run: (run.family != "deep", run.created))


def colour_numbers(first: NDArray[np.int64], labels: NDArray[np.int64], count: int) -> tuple[int, ...]:
    """Return which of the first run's colours each of ``count`` groups takes, by the items they share.

    Groups without a partner, and empty ones, take the colours that are left. Of more than `MOST_MATCHED`
    groups none is matched: empty.
    """
    if count > MOST_MATCHED:
        return ()
    from clustering.metrics import matched_labels

    renamed = matched_labels(first, labels)
    held, at = np.unique(labels, return_index=True)
    found = {int(label): int(renamed[place]) for label, place in zip(held, at, strict=True) if label >= 0}
    left = (number for number in range(2 * count + len(first)) if number not in found.values())
    return tuple(found[label] if label in found else next(left) for label in range(count))


def numbered_colours(numbers: Sequence[int], theme: ThemeName = "light", known: int = 0) -> list[str]:
    """Return the colours of these numbers, of a palette with room for all, or for ``known`` of them."""
    colours = cluster_colors(known or max(numbers, default=-1) + 1, theme)
    return [colours[number % len(colours)] for number in numbers] if colours else []
