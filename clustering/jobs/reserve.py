"""A little room kept aside on the workspace's disk, so that a full one can still be told to the database."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from clustering.errors import StudioError
from clustering.files import write_bytes
from clustering.workspace import Workspace

PIECES = 3
SIZE = 2**19  # bytes of a piece; a state takes a few database pages
LEAST_FREE = 8 * SIZE  # nobody is robbed of the last room


def hold(workspace: Workspace) -> None:
    """See that the room is kept, where there is enough."""
    for number in range(PIECES):
        place = workspace.cache / f"reserve-{number}"
        if not place.exists() and shutil.disk_usage(workspace.root).free > LEAST_FREE:
            with suppress(StudioError):  # it has become full just now
                write_bytes(place, os.urandom(SIZE))  # what does not compress takes its room everywhere


def held(workspace: Workspace) -> list[Path]:
    """Return the pieces that are kept."""
    return sorted(workspace.cache.glob("reserve-?"))


def give(workspace: Workspace, *, last: bool = False) -> bool:
    """Give a piece up, the last one only to say how a job ended; False when there was none to give."""
    pieces = held(workspace)
    if len(pieces) <= (0 if last else 1):
        return False
    pieces[-1].unlink(missing_ok=True)
    return True
