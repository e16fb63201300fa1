"""Short transactions on a workspace's tables, and their format; SQLite, or any SQLAlchemy URL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Engine,
    create_engine,
    event,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from clustering.errors import StudioError
from clustering.files import disk_full
from clustering.workspace.tables import Base, Meta

SCHEMA = "4"
STEPS = {  # what leads from a format to the next; a new column has a default, so that older processes go on
    "1": (
        "ALTER TABLE workers ADD COLUMN version VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN deaths INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE jobs ADD COLUMN reached VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN offer JSON DEFAULT '{}' NOT NULL",
    ),
    "2": (
        "CREATE TABLE hints (id VARCHAR NOT NULL PRIMARY KEY, collection_id VARCHAR NOT NULL REFERENCES "
        "collections (id), together BOOLEAN NOT NULL, items JSON NOT NULL, created VARCHAR NOT NULL)",
        "CREATE INDEX ix_hints_collection_id ON hints (collection_id)",
    ),
    "3": (
        "CREATE TABLE labels (collection_id VARCHAR NOT NULL REFERENCES collections (id), item INTEGER NOT "
        "NULL, label VARCHAR NOT NULL, created VARCHAR NOT NULL, PRIMARY KEY (collection_id, item))",
    ),
}
PATIENCE_MS = 15_000  # how long a locked SQLite file is waited for


def now() -> str:
    """Return the moment as ISO text in UTC; it sorts in the order of time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def later_than(moment: str | None) -> str:
    """Return now, or the instant after ``moment`` where the clock was set back: order outlives the clock."""
    if moment is None or now() > moment:
        return now()
    after = datetime.fromisoformat(moment) + timedelta(microseconds=1)
    return after.isoformat(timespec="microseconds")


class BusyError(StudioError):
    """Another process held the database for longer than anyone waits; the same may succeed later."""


class OtherFormatError(StudioError):
    """The database was written by a version this one does not understand."""


class Database:
    """Short transactions; what a database says when it cannot becomes a sentence.

    Parameters
    ----------
    url : str
        A SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self.engine = _engine(url)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise StudioError(
                f"“{url.split('@')[-1]}” cannot be used as a database ({error}).",
                "Give a SQLAlchemy URL in STUDIO_DATABASE and install its driver, or leave it out.",
            ) from error
        with self._sentences():
            self._prepare()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session that commits at the end of the block and rolls back on any error.

        Raises
        ------
        StudioError
            When the database stays locked, is full, or cannot be reached.
        """
        with self._sentences(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def check_format(self) -> None:
        """See that the database still has the format this version reads and writes.

        Raises
        ------
        OtherFormatError
            When another version has changed it since it was opened.
        """
        with self.transaction() as session:
            found = session.scalar(select(Meta.value).where(Meta.key == "schema"))
        if found != SCHEMA:
            raise _other_format(found)

    def _prepare(self) -> None:
        try:
            with self.engine.connect() as connection:
                found = connection.execute(select(Meta.value).where(Meta.key == "schema")).scalar()
        except (OperationalError, ProgrammingError) as error:  # the table is not there yet
            if not _is_missing_table(error):
                raise
            found = None
        if found is None:
            self._create()
            return
        while found in STEPS:
            found = self._step(found)
        if found != SCHEMA:
            raise _other_format(found)

    def _step(self, before: str) -> str:
        """Bring the database to the next format, all at once; somebody else may be quicker."""
        after = str(int(before) + 1)
        mine = update(Meta).where(Meta.key == "schema", Meta.value == before).values(value=after)
        with self.engine.begin() as connection:
            if connection.execute(mine).rowcount:  # from here on the others wait
                for statement in STEPS[before]:
                    connection.execute(text(statement))
        return after

    def _create(self) -> None:
        for attempt in (1, 2, 3):  # another process may be creating the same tables
            try:
                Base.metadata.create_all(self.engine)
                with Session(self.engine) as session, session.begin():
                    session.merge(Meta(key="schema", value=SCHEMA))
                return
            except DatabaseError:
                if attempt == 3:
                    raise

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise _as_sentence(error, self.engine.url) from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": PATIENCE_MS / 1000})

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")  # readers never wait for the writer
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    return engine


def database_url(root: Path) -> str:
    """Return ``STUDIO_DATABASE`` or the SQLite file in the workspace."""
    return os.environ.get("STUDIO_DATABASE") or f"sqlite:///{root / 'studio.db'}"


def _other_format(found: str | None) -> OtherFormatError:
    return OtherFormatError(
        f"The workspace's database has format {found}; this version reads format {SCHEMA}.",
        "Update Deep Clustering Studio, or choose another workspace.",
    )


def _is_missing_table(error: DatabaseError) -> bool:
    said = str(error.orig).lower()
    return "no such table" in said or "does not exist" in said


def _as_sentence(error: OperationalError, url: URL) -> StudioError:
    said, place = str(error.orig), url.render_as_string(hide_password=True)
    if "locked" in said or "busy" in said:
        return BusyError(
            f"The workspace's database was busy for more than {PATIENCE_MS / 1000:.0f} seconds.",
            "Close other programs that hold it open, then try again.",
        )
    file = Path(url.database or "") if url.drivername.startswith("sqlite") else None
    no_room = file is not None and shutil.disk_usage(file.parent).free < 2**20
    if "full" in said or (no_room and ("I/O" in said or "unable to open" in said)):
        return disk_full(file or Path("database"))
    if "readonly" in said or "unable to open" in said:
        return StudioError(
            f"The workspace's database at {place} cannot be opened for writing ({said}).",
            "Give yourself the right to write there, or choose another workspace.",
        )
    return StudioError(
        f"The workspace's database at {place} does not answer ({said}).",
        "Check that it runs and is reachable.",
    )
