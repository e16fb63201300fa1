"""What every part of the workspace stands on: the root folder, the database, and ids that exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clustering.errors import StudioError
from clustering.files import new_folder, remove_folder
from clustering.workspace.database import BusyError, Database
from clustering.workspace.ids import checked_id, new_id
from clustering.workspace.job_records import OPEN
from clustering.workspace.liveness import Watch
from clustering.workspace.tables import Base, JobRow

PATIENT_ATTEMPTS = 4  # each waits as long as the database's own patience

Row = TypeVar("Row", bound=Base)


class Store:
    """A root folder and its database."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self.database = database
        self.watch = Watch()

    @property
    def cache(self) -> Path:
        """Folder for what can be computed again at any time."""
        return self.root / "cache"

    def close(self) -> None:
        """Give the database connections back."""
        self.database.close()

    @contextmanager
    def _kept(self, row: Base, folder: Path, needed: int = 0) -> Iterator[Path]:
        """Give a folder to fill; when it is whole it moves to its place, and then its row is entered.

        A kill between the two leaves a whole folder without a row, which `tidy` enters later.

        Raises
        ------
        StudioError
            When the disk is full or the database stays busy; nothing is left then.
        """
        with new_folder(folder, needed) as part:
            yield part
        try:
            self._enter(row)
        except BaseException:
            remove_folder(folder)
            raise

    def _enter(self, row: Base) -> None:
        """Enter a row, or the same again; hours of work may hang on it, so a busy database is waited for."""
        for attempt in range(1, PATIENT_ATTEMPTS + 1):
            try:
                with self.database.transaction() as session:
                    session.merge(row)
                return
            except BusyError:
                if attempt == PATIENT_ATTEMPTS:
                    raise

    def _folder(self, shelf: str, id: str) -> Path:
        return self.root / shelf / checked_id(id)

    def _fresh_id(self, session: Session, table: type[Base], shelf: str, text: str) -> str:
        def taken(candidate: str) -> bool:
            return session.get(table, candidate) is not None or (self.root / shelf / candidate).exists()

        return new_id(text, taken)


def found(session: Session, table: type[Row], id: str, what: str) -> Row:
    """Return the row called ``id``.

    Raises
    ------
    StudioError
        When there is none.
    """
    row = session.get(table, id)
    if row is None:
        raise StudioError(
            f"There is no {what} called “{id}” in this workspace.",
            "It may have been removed; choose another one from the list.",
        )
    return row


def refuse_while_used(session: Session, ids: Sequence[str], what: str) -> None:
    """Raise when a job that is queued, running or paused names one of ``ids`` in its parameters.

    Raises
    ------
    StudioError
        Naming the job.
    """
    wanted = set(ids)
    for job in session.scalars(select(JobRow).where(or_(*(JobRow.state == state for state in OPEN)))):
        if wanted & _mentioned(job.parameters):
            raise StudioError(
                f"{what} is in use by the job “{job.title}”, which is {job.state}.",
                "Wait until it is finished, or cancel it first.",
            )


def _mentioned(parameters: dict[str, Any]) -> set[str]:
    return {value for value in parameters.values() if isinstance(value, str)}
