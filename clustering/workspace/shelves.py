"""Collections and their feature sets: rows in the database, folders on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clustering.errors import StudioError
from clustering.files import read_array, removal, write_array, write_json
from clustering.workspace.database import now
from clustering.workspace.records import CollectionRecord, FeatureRecord
from clustering.workspace.store import Store, found, refuse_while_used
from clustering.workspace.tables import (
    ClusterNameRow,
    CollectionRow,
    FeatureRow,
    HintRow,
    LabelRow,
    NoteRow,
    ProjectionRow,
    RunRow,
    SelectionRow,
)

if TYPE_CHECKING:
    from clustering.collections import Collection


class Shelves(Store):
    """What is clustered, and the numbers made of it."""

    def collections(self) -> list[CollectionRecord]:
        """Return all collections, newest first."""
        with self.database.transaction() as session:
            rows = session.scalars(select(CollectionRow).order_by(CollectionRow.created.desc()))
            return [self._collection_record(row) for row in rows]

    def collection(self, collection_id: str) -> CollectionRecord:
        """Return one collection's record."""
        with self.database.transaction() as session:
            return self._collection_record(found(session, CollectionRow, collection_id, "collection"))

    def new_collection_folder(self, name: str) -> Path:
        """Return a folder, not yet there, for a collection called ``name``; its last part becomes the id."""
        with self.database.transaction() as session:
            return self.root / "collections" / self._fresh_id(session, CollectionRow, "collections", name)

    def add_collection(self, collection: Collection) -> CollectionRecord:
        """Register a collection that was loaded into ``collections/<id>``; doing it twice changes nothing.

        Raises
        ------
        StudioError
            When its folder is somewhere else.
        """
        id = collection.folder.name
        if collection.folder.resolve() != self._folder("collections", id).resolve():
            raise StudioError(
                f"The collection lies in {collection.folder}, outside the workspace.",
                f"Load it into {self.root / 'collections'}.",
            )
        with self.database.transaction() as session:
            row = session.merge(
                CollectionRow(
                    id=id,
                    name=collection.name,
                    kind=collection.kind,
                    n_items=collection.n_items,
                    source=str(collection.source),
                    created=collection.created or now(),
                    content_hash=collection.content_hash,
                    label_columns=list(collection.label_columns),
                )
            )
            return self._collection_record(row)

    def open_collection(self, collection_id: str) -> Collection:
        """Open the collection itself: items, pictures, data."""
        from clustering.collections import Collection

        return Collection.open(self.collection(collection_id).folder)

    def rename_collection(self, collection_id: str, name: str) -> CollectionRecord:
        """Give a collection another name; its id stays."""
        if not name.strip():
            raise StudioError("A collection needs a name.", "Write at least one letter.")
        with self.database.transaction() as session:
            row = found(session, CollectionRow, collection_id, "collection")
            row.name = name.strip()
            return self._collection_record(row)

    def remove_collection(self, collection_id: str) -> None:
        """Remove a collection with its features, runs, maps, selections and notes. Originals elsewhere stay.

        Raises
        ------
        StudioError
            When there is none, or a job is using it.
        """
        with removal() as put_aside, self.database.transaction() as session:
            row = found(session, CollectionRow, collection_id, "collection")
            owned = _owned(session, collection_id)
            everything = [collection_id, *(id for ids in owned.values() for id in ids)]
            refuse_while_used(session, everything, f"The collection “{row.name}”")
            _forget_notes(session, "collection", [collection_id])
            _forget_notes(session, "run", owned["runs"])
            session.execute(delete(ClusterNameRow).where(ClusterNameRow.run_id.in_(owned["runs"])))
            for table in (HintRow, LabelRow, SelectionRow, ProjectionRow, RunRow, FeatureRow):
                session.execute(delete(table).where(table.collection_id == collection_id))
            session.delete(row)
            session.flush()
            for shelf, ids in {**owned, "collections": [collection_id]}.items():
                for id in ids:
                    put_aside(self._folder(shelf, id))

    def feature_sets(self, collection_id: str | None = None) -> list[FeatureRecord]:
        """Return the feature sets of a collection (or all), newest first."""
        query = select(FeatureRow).order_by(FeatureRow.created.desc())
        if collection_id is not None:
            query = query.where(FeatureRow.collection_id == collection_id)
        with self.database.transaction() as session:
            return [self._feature_record(row) for row in session.scalars(query)]

    def feature_set(self, feature_id: str) -> FeatureRecord:
        """Return one feature set's record."""
        with self.database.transaction() as session:
            return self._feature_record(found(session, FeatureRow, feature_id, "feature set"))

    def feature_set_with_key(self, collection_id: str, key: str) -> FeatureRecord | None:
        """Return the feature set of this collection that was made under ``key``, if there is one."""
        query = select(FeatureRow).where(FeatureRow.collection_id == collection_id, FeatureRow.key == key)
        with self.database.transaction() as session:
            row = session.scalars(query).first()
            return self._feature_record(row) if row else None

    def add_features(
        self,
        collection_id: str,
        features: NDArray[np.float32],
        *,
        encoder: str,
        title: str,
        origin: str,
        description: str = "",
        parameters: dict[str, Any],
        key: str,
        seconds: float = 0.0,
        device: str = "cpu",
    ) -> FeatureRecord:
        """Keep a feature array of shape (n, d); the same key returns what is already there.

        Raises
        ------
        StudioError
            When the shape does not fit the collection, a value is not finite, or the disk is full.
        """
        already = self.feature_set_with_key(collection_id, key)
        if already:
            return already
        collection = self.collection(collection_id)
        _check_features(features, collection)
        with self.database.transaction() as session:
            id = self._fresh_id(session, FeatureRow, "features", encoder)
        row = FeatureRow(
            id=id,
            collection_id=collection_id,
            encoder=encoder,
            title=title,
            origin=origin,
            description=description,
            parameters=parameters,
            key=key,
            n_items=features.shape[0],
            dimensions=features.shape[1],
            seconds=seconds,
            device=device,
            created=now(),
        )
        record = self._feature_record(row)
        with self._kept(row, record.folder, needed=4 * features.size) as part:
            write_array(part / "features.npy", np.asarray(features, dtype=np.float32))
            write_json(part / "feature_set.json", {**_told(record), "content_hash": collection.content_hash})
        return record

    def features(self, feature_id: str) -> NDArray[np.float32]:
        """Return the feature array (n, d), memory-mapped and read-only."""
        return read_array(self.feature_set(feature_id).folder / "features.npy")

    def remove_features(self, feature_id: str) -> None:
        """Remove a feature set that no run stands on.

        Raises
        ------
        StudioError
            When a run, a map or a job needs it.
        """
        with removal() as put_aside, self.database.transaction() as session:
            row = found(session, FeatureRow, feature_id, "feature set")
            refuse_while_used(session, [feature_id], f"The feature set “{row.title}”")
            for table, what in ((RunRow, "runs"), (ProjectionRow, "maps")):
                if session.scalars(select(table.id).where(table.feature_id == feature_id)).first():
                    raise StudioError(
                        f"The feature set “{row.title}” carries {what}.", f"Remove the {what} first."
                    )
            session.delete(row)
            session.flush()
            put_aside(self._folder("features", feature_id))

    def _collection_record(self, row: CollectionRow) -> CollectionRecord:
        return CollectionRecord(
            id=row.id,
            name=row.name,
            kind=row.kind,
            n_items=row.n_items,
            source=row.source,
            created=row.created,
            content_hash=row.content_hash,
            label_columns=tuple(row.label_columns),
            folder=self._folder("collections", row.id),
        )

    def _feature_record(self, row: FeatureRow) -> FeatureRecord:
        return FeatureRecord(
            id=row.id,
            collection_id=row.collection_id,
            encoder=row.encoder,
            title=row.title,
            origin=row.origin,
            description=row.description,
            parameters=row.parameters,
            key=row.key,
            n_items=row.n_items,
            dimensions=row.dimensions,
            seconds=row.seconds,
            device=row.device,
            created=row.created,
            folder=self._folder("features", row.id),
        )


def _owned(session: Session, collection_id: str) -> dict[str, list[str]]:
    shelves: dict[str, Any] = {"projections": ProjectionRow, "runs": RunRow, "features": FeatureRow}
    return {
        shelf: list(session.scalars(select(table.id).where(table.collection_id == collection_id)))
        for shelf, table in shelves.items()
    }


def _forget_notes(session: Session, what: str, ids: list[str]) -> None:
    for id in ids:
        about = f"{what}/{id}"
        session.execute(
            delete(NoteRow).where((NoteRow.subject == about) | NoteRow.subject.startswith(f"{about}/"))
        )


def _check_features(features: NDArray[np.float32], collection: CollectionRecord) -> None:
    if features.ndim != 2 or features.shape[0] != collection.n_items or features.shape[1] == 0:
        raise StudioError(
            f"The features have shape {features.shape}; the collection holds {collection.n_items} items.",
            "Compute one row of features an item.",
        )
    # a sum in float64 is finite only if every float32 in it is; no (n, d) mask in memory
    bad = np.flatnonzero(~np.isfinite(features.sum(axis=1, dtype=np.float64)))
    if bad.size:
        raise StudioError(
            f"{bad.size} of {collection.n_items} feature rows hold values that are not finite "
            f"(first: row {bad[0]}).",
            "Choose another encoder, or mend those items.",
        )


def _told(record: FeatureRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name != "folder"}
