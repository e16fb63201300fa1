"""Snapshots of a fit as files, seed by seed: all of the newest, fewer of the older, enough for a scrubber."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from clustering.files import write_arrays
from clustering.training.events import Snapshot
from clustering.workspace.ids import slug
from clustering.workspace.records import SnapshotFile

KEPT = 60
FEWEST = 20  # of each seed, however many there are
_NAME = re.compile(r"(\d{6})-(?:seed-(\d+)-)?(.+)-(\d{6})\.npz")  # older versions named no seed


def snapshots_in(folder: Path) -> list[SnapshotFile]:
    """Return the snapshots of a folder in order of time; empty when there is no such folder."""
    matches = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("*.npz"))
    return sorted(
        (_file(path, match) for path, match in matches if match),
        key=lambda snapshot: snapshot.number,
    )


def keep_snapshot(folder: Path, snapshot: Snapshot) -> SnapshotFile:
    """Write a snapshot, then remove what is superfluous.

    A resumed fit passes through epochs again; what an interrupted attempt saw from there on gives way.
    """
    before = snapshots_in(folder)
    phase = slug(snapshot.phase)
    number = before[-1].number + 1 if before else 0
    whose = "" if snapshot.seed is None else f"seed-{snapshot.seed}-"
    path = folder / f"{number:06d}-{whose}{phase}-{snapshot.epoch:06d}.npz"
    arrays = {
        name: getattr(snapshot, name) for name in ("rows", "latents", "labels", "confidences", "centers")
    }
    if snapshot.generated is not None:
        arrays["nearest"] = snapshot.generated.nearest
        arrays["generated"] = snapshot.generated.items.astype(np.float16)  # fine enough to be looked at
    write_arrays(path, arrays)
    own = [old for old in before if old.seed in (snapshot.seed, None)]
    repeated = [old.number for old in own if old.phase == phase and old.epoch >= snapshot.epoch]
    for old in own:
        if repeated and old.number >= min(repeated):
            old.path.unlink(missing_ok=True)
    kept = snapshots_in(folder)
    most = max(FEWEST, KEPT // len({one.seed for one in kept}))
    for old in superfluous([one for one in kept if one.seed == snapshot.seed], most):
        old.path.unlink(missing_ok=True)
    return SnapshotFile(number, phase, snapshot.epoch, path, snapshot.seed)


def superfluous(snapshots: list[SnapshotFile], most: int = KEPT) -> list[SnapshotFile]:
    """Return what to remove so that ``most`` remain: the first, each phase's last and the newest third stay.

    Of the rest the one goes whose neighbours in time are closest together, again and again, so that the
    history thins evenly.
    """
    kept, removed = list(snapshots), []
    while len(kept) > most:
        inner = range(1, len(kept) - most // 3)
        thin = [i for i in inner if kept[i].phase == kept[i + 1].phase] or list(inner)
        least = min(thin, key=lambda i: kept[i + 1].number - kept[i - 1].number)
        removed.append(kept.pop(least))
    return removed


def _file(path: Path, match: re.Match[str]) -> SnapshotFile:
    seed = None if match[2] is None else int(match[2])
    return SnapshotFile(int(match[1]), match[3], int(match[4]), path, seed)
