"""What was uploaded through a page: kept below the workspace until no job will read it any more."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from clustering.errors import StudioError
from clustering.workspace import Workspace

PICTURES = ("jpg", "jpeg", "png", "webp", "gif", "tif", "tiff", "bmp")
MOST_FILES = 20_000


def ending(name: str) -> str:
    """Return a file name's ending without its dot, in lower case."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def folder_of(workspace: Workspace) -> Path:
    """Return the folder of what was uploaded, each upload in a folder of its own."""
    return workspace.root / "uploads"


def keep(workspace: Workspace, files: Sequence[tuple[str, Any]]) -> Path:
    """Write uploaded files below the workspace and return what a load job reads: the file, or their folder.

    Parameters
    ----------
    files : sequence of (str, file-like)
        Name, as the browser gave it, and content.

    Raises
    ------
    StudioError
        When there are too many, or the disk is full (nothing is left behind).
    """
    if len(files) > MOST_FILES:
        raise StudioError(
            f"{len(files):,} files were dropped; {MOST_FILES:,} is the most in one upload.",
            "Put them into a folder on this computer and load that folder.",
        )
    folder = folder_of(workspace) / secrets.token_hex(4)
    folder.mkdir(parents=True)
    kept = []
    try:
        for name, content in files:
            target = folder / safe_name(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                shutil.copyfileobj(content, stream)
            kept.append(target)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StudioError(
            f"The upload could not be written to {workspace.root} ({error.strerror or error}).",
            "Free some space there and drop the files again.",
        ) from error
    lone = len(kept) == 1 and ending(kept[0].name) not in (*PICTURES, "txt")
    return kept[0] if lone else folder


def safe_name(name: str) -> PurePosixPath:
    """Return an uploaded file's name without anything that could lead out of its folder."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    clean = [
        "".join(letter for letter in part if letter.isprintable() and letter not in ':"') for part in parts
    ]
    return PurePosixPath(*[part for part in clean if part] or ["file"])


def sweep(workspace: Workspace) -> None:
    """Remove uploads that no job will read any more."""
    folder = folder_of(workspace)
    needed = {
        part
        for record in workspace.jobs()
        if record.state not in ("finished", "cancelled")
        for part in Path(str(record.parameters.get("source", ""))).parts
    }
    for upload in folder.iterdir() if folder.is_dir() else ():
        if upload.name not in needed:
            shutil.rmtree(upload, ignore_errors=True)
