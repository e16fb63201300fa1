"""Put a workspace in order after kills: what is whole is entered, what is not whole goes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clustering.errors import StudioError
from clustering.files import aside_in, read_array, read_json, remove_folder, sweep_parts
from clustering.workspace.results import RUN_ARRAYS
from clustering.workspace.tables import Base, CollectionRow, FeatureRow, JobRow, ProjectionRow, RunRow

if TYPE_CHECKING:
    from clustering.workspace.workspace import Workspace

# shelf → its table, the file that says all its row says, the arrays without which it is not whole
SHELVES: dict[str, tuple[type[Base], str, tuple[str, ...]]] = {
    "features": (FeatureRow, "feature_set.json", ("features",)),
    "runs": (RunRow, "run.json", RUN_ARRAYS),
    "projections": (ProjectionRow, "projection.json", ("map",)),
}
OWNERS: dict[str, type[Base]] = {"collection_id": CollectionRow, "feature_id": FeatureRow, "run_id": RunRow}


def tidy(workspace: Workspace) -> list[str]:
    """Enter whole folders that have no row, remove the rest of what kills have left; return the ids entered.

    Safe beside living processes: entering a row twice is entering it once, and what a living process is
    writing or removing bears its number and is left alone.
    """
    sweep_parts(workspace.root)
    _finish_removals(workspace)
    entered = [id for id in _collections(workspace) if id]
    for shelf, (table, description, arrays) in SHELVES.items():
        for folder in _unlisted(workspace, shelf, table):
            row = _row(workspace, folder, table, description, arrays)
            if row is None:
                remove_folder(folder)
            else:
                workspace._enter(row)
                entered.append(folder.name)
    for folder in _unlisted(workspace, "jobs", JobRow):
        remove_folder(folder)
    return entered


def _finish_removals(workspace: Workspace) -> None:
    """End the removals that a kill cut: without their row they are done, with it they never began."""
    tables: dict[str, type[Base]] = {"collections": CollectionRow}
    tables |= {shelf: table for shelf, (table, *_) in SHELVES.items()}
    for shelf, table in tables.items():
        for aside, folder in aside_in(workspace.root / shelf):
            with workspace.database.transaction() as session:
                listed = session.get(table, folder.name) is not None
            if listed and not folder.exists():
                aside.replace(folder)
            else:
                shutil.rmtree(aside, ignore_errors=True)


def _collections(workspace: Workspace) -> Iterator[str]:
    from clustering.collections import Collection

    for folder in _unlisted(workspace, "collections", CollectionRow):
        try:
            yield workspace.add_collection(Collection.open(folder)).id
        except StudioError:  # no collection, or not yet: it may be somebody's own folder
            continue


def _unlisted(workspace: Workspace, shelf: str, table: Any) -> Iterator[Path]:
    folders = [path for path in sorted((workspace.root / shelf).glob("[!.]*")) if path.is_dir()]
    with workspace.database.transaction() as session:
        listed = set(session.scalars(select(table.id)))
    yield from (folder for folder in folders if folder.name not in listed)


def _row(
    workspace: Workspace, folder: Path, table: Any, description: str, arrays: tuple[str, ...]
) -> Base | None:
    """Return the row of a whole folder; None where something is missing, also what it stands on."""
    try:
        told = read_json(folder / description)
        for name in arrays:
            read_array(folder / f"{name}.npy")
        columns = {column.name: told.get(column.name, {}) for column in table.__table__.columns}
    except (StudioError, OSError, AttributeError):
        return None
    with workspace.database.transaction() as session:
        owners = [session.get(owner, columns[name]) for name, owner in OWNERS.items() if columns.get(name)]
        job = session.get(JobRow, columns.get("job_id") or "")
        unwanted = job is not None and job.state == "cancelled"
    whole = all(owners) and not unwanted and columns["id"] == folder.name
    return table(**columns) if whole else None
