"""The tables of a workspace, and short transactions on them; SQLite by default, any SQLAlchemy URL else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    Engine,
    ForeignKey,
    LargeBinary,
    String,
    create_engine,
    event,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError, ProgrammingError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from clustering.errors import StudioError
from clustering.files import disk_full

SCHEMA = "2"
STEPS = {  # what leads from a format to the next; a new column has a default, so that older processes go on
    "1": (
        "ALTER TABLE workers ADD COLUMN version VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN deaths INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE jobs ADD COLUMN reached VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN offer JSON DEFAULT '{}' NOT NULL",
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


class Base(DeclarativeBase):
    """Root of all tables; a ``dict`` or ``list`` column is kept as JSON."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, str: String}  # noqa: RUF012  # SQLAlchemy's form


class Meta(Base):
    """What the database says of itself."""

    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class CollectionRow(Base):
    """A collection."""

    __tablename__ = "collections"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    n_items: Mapped[int]
    source: Mapped[str]
    created: Mapped[str]
    content_hash: Mapped[str]
    label_columns: Mapped[list[str]]


class FeatureRow(Base):
    """A feature set."""

    __tablename__ = "feature_sets"
    id: Mapped[str] = mapped_column(primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), index=True)
    encoder: Mapped[str]
    title: Mapped[str]
    origin: Mapped[str]
    description: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    key: Mapped[str] = mapped_column(index=True)
    n_items: Mapped[int]
    dimensions: Mapped[int]
    seconds: Mapped[float]
    device: Mapped[str]
    created: Mapped[str]


class RunRow(Base):
    """A run."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), index=True)
    feature_id: Mapped[str] = mapped_column(ForeignKey("feature_sets.id"), index=True)
    method: Mapped[str]
    title: Mapped[str]
    name: Mapped[str]
    family: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    profile: Mapped[str]
    seed: Mapped[int]
    n_items: Mapped[int]
    n_clusters: Mapped[int]
    latent_dim: Mapped[int]
    reason: Mapped[str]
    seconds: Mapped[float]
    device: Mapped[str]
    created: Mapped[str]
    job_id: Mapped[str | None] = mapped_column(index=True)
    summary: Mapped[dict[str, Any]]


class ProjectionRow(Base):
    """A map."""

    __tablename__ = "projections"
    id: Mapped[str] = mapped_column(primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), index=True)
    feature_id: Mapped[str] = mapped_column(ForeignKey("feature_sets.id"), index=True)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), index=True)
    space: Mapped[str]
    projection: Mapped[str]
    title: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    seed: Mapped[int]
    engine: Mapped[str]
    notes: Mapped[list[str]]
    n_items: Mapped[int]
    seconds: Mapped[float]
    created: Mapped[str]
    job_id: Mapped[str | None] = mapped_column(index=True)


class SelectionRow(Base):
    """A named set of items; ``items`` holds sorted little-endian int32 positions."""

    __tablename__ = "selections"
    id: Mapped[str] = mapped_column(primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), index=True)
    name: Mapped[str]
    n_items: Mapped[int]
    items: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[str]


class NoteRow(Base):
    """A remark."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    created: Mapped[str]


class ClusterNameRow(Base):
    """What the user calls a cluster of a run."""

    __tablename__ = "cluster_names"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    cluster: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class JobRow(Base):
    """A job."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    after: Mapped[str | None]
    request: Mapped[str] = mapped_column(default="")
    worker_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created: Mapped[str] = mapped_column(index=True)
    started: Mapped[float | None]
    finished: Mapped[float | None]
    result: Mapped[dict[str, Any]]
    problem: Mapped[str] = mapped_column(default="")
    mend: Mapped[str] = mapped_column(default="")
    deaths: Mapped[int] = mapped_column(default=0, server_default="0")
    reached: Mapped[str] = mapped_column(default="", server_default="")
    offer: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class WorkerRow(Base):
    """A worker process."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    process_started: Mapped[float]
    started: Mapped[float]
    heartbeat: Mapped[float]
    version: Mapped[str] = mapped_column(default="", server_default="")


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
