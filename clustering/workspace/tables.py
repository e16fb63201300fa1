"""The tables of a workspace: one class a kind of thing that is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Root of all tables; a ``dict`` or ``list`` column is kept as JSON."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, list[int]: JSON, str: String}  # noqa: RUF012  # SQLAlchemy's form


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


class HintRow(Base):
    """What a person said of a few items: that they belong together, or are to be kept apart."""

    __tablename__ = "hints"
    id: Mapped[str] = mapped_column(primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), index=True)
    together: Mapped[bool]
    items: Mapped[list[int]]
    created: Mapped[str]


class LabelRow(Base):
    """What a person calls an item."""

    __tablename__ = "labels"
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
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
