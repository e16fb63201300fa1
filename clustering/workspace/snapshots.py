"""Snapshots of a fit as files: all of the newest, fewer of the older, enough for an epoch scrubber."""

from __future__ import annotations

import re
from pathlib import Path

from clustering.files import write_arrays
from clustering.training.events import Snapshot
from clustering.workspace.ids import slug
from clustering.workspace.records import SnapshotFile

KEPT = 60
NEWEST = 20  # of them, the last ones, kept without gaps
_NAME = re.compile(r"(\d{6})-(.+)-(\d{6})\.npz")


def snapshots_in(folder: Path) -> list[SnapshotFile]:
    """Return the snapshots of a folder in order of time; empty when there is no such folder."""
    matches = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("*.npz"))
    return sorted(
        (SnapshotFile(int(match[1]), match[2], int(match[3]), path) for path, match in matches if match),
        key=lambda snapshot: snapshot.number,
    )


def keep_snapshot(folder: Path, snapshot: Snapshot) -> SnapshotFile:
    """Write a snapshot, then remove what is superfluous.

    A resumed fit passes through epochs again; what an interrupted attempt saw from there on gives way.
    """
    before = snapshots_in(folder)
    phase = slug(snapshot.phase)
    number = before[-1].number + 1 if before else 0
    path = folder / f"{number:06d}-{phase}-{snapshot.epoch:06d}.npz"
    arrays = {
        name: getattr(snapshot, name) for name in ("rows", "latents", "labels", "confidences", "centers")
    }
    write_arrays(path, arrays)
    repeated = [old.number for old in before if old.phase == phase and old.epoch >= snapshot.epoch]
    for old in before:
        if repeated and old.number >= min(repeated):
            old.path.unlink(missing_ok=True)
    kept = snapshots_in(folder)
    for old in superfluous(kept):
        old.path.unlink(missing_ok=True)
    return SnapshotFile(number, phase, snapshot.epoch, path)


def superfluous(snapshots: list[SnapshotFile]) -> list[SnapshotFile]:
    """Return what to remove so that at most `KEPT` remain: the first, the newest and each phase's last stay.

    Of the rest the one goes whose neighbours in time are closest together, again and again, so that the
    history thins evenly.
    """
    kept, removed = list(snapshots), []
    while len(kept) > KEPT:
        inner = range(1, len(kept) - NEWEST)
        thin = [i for i in inner if kept[i].phase == kept[i + 1].phase] or list(inner)
        least = min(thin, key=lambda i: kept[i + 1].number - kept[i - 1].number)
        removed.append(kept.pop(least))
    return removed
