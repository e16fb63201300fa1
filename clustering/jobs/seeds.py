"""What a fit of several seeds leaves behind: what each seed found, and pictures of the one that is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.training.events import Emit, Event, Snapshot
from clustering.workspace import SeedRecord
from clustering.workspace.snapshots import snapshots_in

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer


class OneSeed:
    """Passes on the events of a fit, but the snapshots of one seed only.

    A fit of several seeds tells of its first until that ends, then of another that still trains, and its
    events do not name their seed. Each seed shows its rows in one array of its own, which tells them apart.

    Parameters
    ----------
    emit : Emit
        Hears what is passed on.
    folder : Path
        Where snapshots are kept. What an interrupted attempt of several seeds left there goes: the first seed
        may have ended in it, and nobody could say whose pictures follow.
    n_init : int
    """

    def __init__(self, emit: Emit, folder: Path, n_init: int) -> None:
        self._emit, self._folder, self._several = emit, folder, n_init > 1
        self._rows: NDArray[np.integer] | None = None
        before = snapshots_in(folder) if self._several else []
        self._is_first = not before
        for snapshot in before:
            snapshot.path.unlink(missing_ok=True)

    def __call__(self, event: Event) -> bool | None:
        """Hear an event."""
        if self._several and isinstance(event, Snapshot):
            self._rows = event.rows if self._rows is None else self._rows
            if event.rows is not self._rows:
                return None
        return self._emit(event)

    def snapshots(self, seeds: list[SeedRecord]) -> list[Path]:
        """Return the snapshots that show how the kept result came about, or none if they show another."""
        if self._several and not (self._is_first and seeds and seeds[0].kept):
            return []
        return [snapshot.path for snapshot in snapshots_in(self._folder)]


def seeds_of(model: Clusterer) -> tuple[list[SeedRecord], NDArray[np.int64] | None]:
    """Return the seeds a fitted model tried and what each found, (n_init, n); nothing where it had one."""
    labels = getattr(model, "init_labels_", None)
    if labels is None or len(labels) < 2:
        return [], None
    losses = [float(loss) for loss in model.init_losses_]  # type: ignore[attr-defined]
    kept = losses.index(min(losses))
    return [
        SeedRecord(int(seed), loss if math.isfinite(loss) else None, at == kept)
        for at, (seed, loss) in enumerate(zip(model.init_seeds_, losses, strict=True))  # type: ignore[attr-defined]
    ], labels
