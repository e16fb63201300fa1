"""Loading for a notebook: straight into the workspace, and once only."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustering.errors import StudioError
from clustering.progress import Progress, silent
from clustering.workspace.records import CollectionRecord
from clustering.workspace.workspace import Workspace

if TYPE_CHECKING:
    from clustering.collections import Collection, Kind


def load(
    source: str | Path,
    *,
    kind: Kind | None = None,
    name: str | None = None,
    copy: bool = False,
    label_column: str | None = None,
    workspace: Workspace | Path | str | None = None,
    progress: Progress = silent,
) -> Collection:
    """Load a folder, file, array or hub id into the workspace, where the studio shows it too.

    The same source, unchanged, is not loaded twice: the collection made of it the first time is opened.

    Parameters
    ----------
    source, kind, name, copy, label_column
        As in `clustering.collections.load`.
    workspace : Workspace or path, optional
        Where it is kept; the default workspace if left out.
    progress : callable
        Hears of every step.

    Returns
    -------
    Collection

    Raises
    ------
    StudioError
        When the source cannot be used.

    Examples
    --------
    >>> import clustering as dc
    >>> paintings = dc.load("paintings/")            # doctest: +SKIP
    """
    from clustering.collections import load as read

    house = workspace if isinstance(workspace, Workspace) else Workspace.open(workspace)
    chosen: dict[str, Any] = {"kind": kind, "copy": copy, "label_column": label_column, "progress": progress}
    for record in house.collections():
        if _is_of(record, source):
            try:
                return read(source, record.folder, **chosen)  # opens it if it was asked for in this very way
            except StudioError:
                continue  # asked for in another way: not the same collection
    destination = house.new_collection_folder(name or Path(str(source)).stem)
    collection = read(source, destination, name=name, **chosen)
    house.add_collection(collection)
    return collection


def _is_of(record: CollectionRecord, source: str | Path) -> bool:
    """Return whether a collection was made of this source, and a folder has not changed since."""
    path = Path(source).expanduser()
    if not path.exists():
        return record.source == str(source)
    if record.source != str(path.absolute()):
        return False
    made = datetime.fromisoformat(record.created).timestamp()
    return not path.is_dir() or all(
        Path(folder).stat().st_mtime <= made + 1 for folder, _, _ in os.walk(path)
    )
