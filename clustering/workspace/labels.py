"""What people call items by hand: one label an item, shared by all runs of the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select

from clustering.errors import StudioError
from clustering.labelling.tables import checked_label
from clustering.workspace.database import later_than
from clustering.workspace.shelves import Shelves
from clustering.workspace.store import found
from clustering.workspace.tables import CollectionRow, LabelRow

AT_ONCE = 500  # items named in one statement


class LabelsStamp(NamedTuple):
    """What changes whenever a label of a collection does."""

    n_labels: int
    latest: str  # moment of the last one; empty without any


class Labels(Shelves):
    """Labels of a collection, in the order they were given."""

    def labels(self, collection_id: str) -> dict[int, str]:
        """Return the labels of a collection by item, oldest first."""
        query = select(LabelRow.item, LabelRow.label).where(LabelRow.collection_id == collection_id)
        with self.database.transaction() as session:
            rows = session.execute(query.order_by(LabelRow.created, LabelRow.item))
            return {item: label for item, label in rows}  # noqa: C416  # rows are no pairs to a type checker

    def labels_stamp(self, collection_id: str) -> LabelsStamp:
        """Return how many labels there are, and the moment of the last one.

        A label that is put back gets a new moment, so that both are never the same for other labels.
        """
        query = select(func.count(), func.max(LabelRow.created))
        with self.database.transaction() as session:
            n, last = session.execute(query.where(LabelRow.collection_id == collection_id)).one()
        return LabelsStamp(n, last or "")

    def set_labels(self, collection_id: str, labels: Mapping[int, str | None]) -> dict[int, str | None]:
        """Give items labels, or with None take theirs; all of them or none.

        Returns
        -------
        dict of int to str or None
            What these items had before. Setting that undoes the step.

        Raises
        ------
        StudioError
            When an item is not in the collection, or a label is empty or too long.
        """
        items = sorted(int(item) for item in labels)
        wanted = {int(item): None if text is None else checked_label(text) for item, text in labels.items()}
        with self.database.transaction() as session:
            n_items = found(session, CollectionRow, collection_id, "collection").n_items
            if items and not (items[0] >= 0 and items[-1] < n_items):
                raise StudioError(
                    f"Item {items[0] if items[0] < 0 else items[-1]} is not in the collection, which holds "
                    f"{n_items}.",
                    f"Choose items from 0 to {n_items - 1}.",
                )
            before: dict[int, str | None] = dict.fromkeys(wanted)
            moment = later_than(session.scalar(select(func.max(LabelRow.created))))
            for start in range(0, len(items), AT_ONCE):
                here = (LabelRow.collection_id == collection_id) & LabelRow.item.in_(
                    items[start : start + AT_ONCE]
                )
                for item, label in session.execute(select(LabelRow.item, LabelRow.label).where(here)):
                    before[item] = label
                session.execute(delete(LabelRow).where(here))
            rows = [
                {"collection_id": collection_id, "item": item, "label": text, "created": moment}
                for item, text in wanted.items()
                if text is not None
            ]
            if rows:
                session.execute(insert(LabelRow), rows)
        return before
