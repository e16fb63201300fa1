"""What people add: named selections of items, names of clusters, notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clustering.errors import StudioError
from clustering.workspace.database import now
from clustering.workspace.ids import new_id
from clustering.workspace.records import Note, Selection
from clustering.workspace.store import Store, found
from clustering.workspace.tables import ClusterNameRow, CollectionRow, NoteRow, RunRow, SelectionRow

Mode = Literal["replace", "add", "subtract"]


class Marks(Store):
    """Selections, cluster names and notes."""

    def save_selection(
        self, collection_id: str, name: str, indices: Iterable[int], mode: Mode = "replace"
    ) -> Selection:
        """Keep a set of items under a name; an old one of that name is replaced, added to or reduced.

        Raises
        ------
        StudioError
            When the name is empty or an index is not in the collection.
        """
        if not name.strip():
            raise StudioError("A selection needs a name.", "Write at least one letter.")
        chosen = np.unique(np.fromiter(indices, dtype=np.int64))
        with self.database.transaction() as session:
            n_items = found(session, CollectionRow, collection_id, "collection").n_items
            if chosen.size and not (chosen[0] >= 0 and chosen[-1] < n_items):
                raise StudioError(
                    f"Item {chosen[0] if chosen[0] < 0 else chosen[-1]} is not in the collection, "
                    f"which holds {n_items}.",
                    f"Choose items from 0 to {n_items - 1}.",
                )
            row = self._selection_called(session, collection_id, name.strip())
            before = _unpacked(row.items) if row else np.empty(0, dtype=np.int64)
            after = {"replace": lambda: chosen, "add": lambda: np.union1d(before, chosen)}.get(
                mode, lambda: np.setdiff1d(before, chosen)
            )()
            if row is None:
                id = new_id(name, lambda candidate: session.get(SelectionRow, candidate) is not None)
                row = SelectionRow(id=id, collection_id=collection_id, name=name.strip(), created=now())
                session.add(row)
            row.items, row.n_items = after.astype("<i4").tobytes(), int(after.size)
            return _selection(row)

    def selections(self, collection_id: str) -> list[Selection]:
        """Return the selections of a collection, by name."""
        query = select(SelectionRow).where(SelectionRow.collection_id == collection_id)
        with self.database.transaction() as session:
            return [_selection(row) for row in session.scalars(query.order_by(SelectionRow.name))]

    def selection_items(self, selection_id: str) -> NDArray[np.int64]:
        """Return the positions of the selected items, ascending."""
        with self.database.transaction() as session:
            return _unpacked(found(session, SelectionRow, selection_id, "selection").items)

    def remove_selection(self, selection_id: str) -> None:
        """Remove a selection; its items stay."""
        with self.database.transaction() as session:
            session.delete(found(session, SelectionRow, selection_id, "selection"))

    def name_cluster(self, run_id: str, cluster: int, name: str) -> None:
        """Call a cluster of a run something; an empty name takes it back."""
        with self.database.transaction() as session:
            found(session, RunRow, run_id, "run")
            if name.strip():
                session.merge(ClusterNameRow(run_id=run_id, cluster=int(cluster), name=name.strip()))
            else:
                session.execute(
                    delete(ClusterNameRow).where(
                        ClusterNameRow.run_id == run_id, ClusterNameRow.cluster == int(cluster)
                    )
                )

    def cluster_names(self, run_id: str) -> dict[int, str]:
        """Return the names given to clusters of a run; clusters without one are left out."""
        query = select(ClusterNameRow).where(ClusterNameRow.run_id == run_id)
        with self.database.transaction() as session:
            return {row.cluster: row.name for row in session.scalars(query)}

    def add_note(self, subject: str, text: str) -> Note:
        """Keep a remark on ``subject``, a path of ids such as ``"run/dec-3f2a"``."""
        if not text.strip():
            raise StudioError("The note is empty.", "Write at least one letter.")
        with self.database.transaction() as session:
            row = NoteRow(subject=subject, text=text.strip(), created=now())
            session.add(row)
            session.flush()
            return _note(row)

    def notes(self, subject: str) -> list[Note]:
        """Return the remarks on ``subject`` and on what lies under it, oldest first."""
        under = NoteRow.subject.startswith(f"{subject}/", autoescape=True)
        query = select(NoteRow).where((NoteRow.subject == subject) | under).order_by(NoteRow.id)
        with self.database.transaction() as session:
            return [_note(row) for row in session.scalars(query)]

    def remove_note(self, note_id: int) -> None:
        """Remove a remark; one that is not there is no error."""
        with self.database.transaction() as session:
            session.execute(delete(NoteRow).where(NoteRow.id == note_id))

    @staticmethod
    def _selection_called(session: Session, collection_id: str, name: str) -> SelectionRow | None:
        query = select(SelectionRow).where(
            SelectionRow.collection_id == collection_id, SelectionRow.name == name
        )
        return session.scalars(query).first()


def _selection(row: SelectionRow) -> Selection:
    return Selection(row.id, row.collection_id, row.name, row.n_items, row.created)


def _note(row: NoteRow) -> Note:
    return Note(row.id, row.subject, row.text, row.created)


def _unpacked(items: bytes) -> NDArray[np.int64]:
    return np.frombuffer(items, dtype="<i4").astype(np.int64)
