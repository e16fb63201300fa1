"""Load a collection from a notebook in one call; it lies in the workspace, where the studio shows it too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustering.progress import Progress, silent
from clustering.workspace.ids import slug
from clustering.workspace.workspace import Workspace

if TYPE_CHECKING:
    from clustering.collections import Collection, Kind


def load(
    source: Any,
    *,
    kind: Kind | None = None,
    name: str | None = None,
    copy: bool = False,
    label_column: str | None = None,
    options: Mapping[str, Any] | None = None,
    workspace: Workspace | Path | str | None = None,
    progress: Progress = silent,
) -> Collection:
    """Load a folder, zip, table or array into the workspace; the same call opens what is already there.

    A source that has changed since is loaded as another collection; what was there stays.

    Parameters
    ----------
    source, kind, name, copy, label_column, options
        See `clustering.collections.load`.
    workspace : Workspace or path, optional
        By default the one `Workspace.open` opens.
    progress : Progress
        Hears of every step; may ask to stop.

    Returns
    -------
    Collection

    Raises
    ------
    StudioError
        When the source cannot be used.
    Stopped
        When the listener asks for it; the same call goes on later.
    """
    from clustering.collections import load as read

    home = workspace if isinstance(workspace, Workspace) else Workspace.open(workspace)
    path, located = _place(source, label_column)
    # the id follows from the source, so that a load that was killed goes on where it was
    asked = f"|{sorted(options.items())}" if options else ""
    told = f"{located}|{_changed(path)}|{kind}|{copy}|{label_column}{asked}"
    mark = hashlib.sha256(told.encode()).hexdigest()
    collection = read(
        source,
        home.root / "collections" / f"{slug(name or Path(located.partition(', ')[0]).stem)}-{mark[:8]}",
        kind=kind,
        name=name,
        copy=copy,
        label_column=label_column,
        options=options,
        progress=progress,
    )
    home.add_collection(collection)
    return collection


def _place(source: Any, label_column: str | None) -> tuple[Path | None, str]:
    """Return the file or folder, if it is one, and what names the source."""
    if not isinstance(source, str | Path):
        from clustering.collections.graph_objects import graph_in

        found = graph_in(source, label_column)
        return None, f"{found.name}, {found.digest()}"
    path = Path(str(source).partition("::")[0]).expanduser()
    there = path.exists()
    return (path if there else None), str(Path(source).expanduser().absolute()) if there else str(source)


def _changed(path: Path | None) -> int:
    """Return when a file, or any folder in a folder, last changed; 0 for what is not on this machine."""
    if path is None:
        return 0
    folders = (Path(folder) for folder, _, _ in os.walk(path)) if path.is_dir() else ()
    return max(entry.stat().st_mtime_ns for entry in (path, *folders))
