"""A little room kept aside on the workspace's disk, so that a full one can still be told to the database."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from clustering.errors import StudioError
from clustering.files import write_bytes
from clustering.workspace import Workspace

SIZE = 2**20  # bytes; a state takes a few database pages
LEAST_FREE = 4 * SIZE  # nobody is robbed of the last room


def hold(workspace: Workspace) -> None:
    """See that the room is kept, where there is enough."""
    place = _place(workspace)
    if not place.exists() and shutil.disk_usage(workspace.root).free > LEAST_FREE:
        with suppress(StudioError):  # it has become full just now
            write_bytes(place, os.urandom(SIZE))  # what does not compress takes its room on any file system


def give(workspace: Workspace) -> bool:
    """Give the room up; False when there was none."""
    try:
        _place(workspace).unlink()
    except OSError:
        return False
    return True


def _place(workspace: Workspace) -> Path:
    return workspace.cache / "reserve"
