"""What a fit of several seeds leaves behind: what each seed found, and pictures of the one that is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.workspace import SeedRecord
from clustering.workspace.snapshots import snapshots_in

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer


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


def pictures_of(folder: Path, seed: int, several: bool) -> list[Path]:
    """Return the snapshots in a folder that show one seed.

    Those that an older version left, before it was interrupted, name no seed: of several, nobody knows whose
    they are.
    """
    whose = (seed,) if several else (seed, None)
    return [snapshot.path for snapshot in snapshots_in(folder) if snapshot.seed in whose]
