"""What people say of a few items by hand: that they belong together, or are to be kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from clustering.bonds import bonds
from clustering.errors import StudioError
from clustering.workspace.database import later_than
from clustering.workspace.records import Hint
from clustering.workspace.shelves import Shelves
from clustering.workspace.store import found
from clustering.workspace.tables import HintRow

MOST_TOGETHER, MOST_APART = 200, 12  # items of one hint; of the latter every two make a pair


class Hints(Shelves):
    """Hints of a collection, in the order they were given."""

    def add_hint(self, collection_id: str, items: Iterable[int], *, together: bool) -> Hint:
        """Keep that some items belong together, or that every two of them are to be kept apart.

        Raises
        ------
        StudioError
            When there are too few or too many, one is not in the collection, or other hints say the opposite.
        """
        chosen = sorted({int(one) for one in items})
        most = MOST_TOGETHER if together else MOST_APART
        if not 2 <= len(chosen) <= most:
            raise StudioError(
                f"{len(chosen)} items were chosen; that they {'belong together' if together else 'are apart'}"
                f" is said of 2 to {most}.",
                "Select fewer, the clearest ones; hints add up." if len(chosen) > most else "Select another.",
            )
        before = self.hints(collection_id)
        n_items = self.collection(collection_id).n_items
        if chosen[0] < 0 or chosen[-1] >= n_items:
            raise StudioError(
                f"Item {chosen[0] if chosen[0] < 0 else chosen[-1]} is not in the collection, which holds "
                f"{n_items}.",
                f"Choose items from 0 to {n_items - 1}.",
            )
        moment = later_than(before[-1].created if before else None)
        hint = Hint(token_hex(4), collection_id, together, tuple(chosen), moment)
        return self._kept_hint(hint, before, n_items)

    def restore_hint(self, hint: Hint) -> Hint:
        """Keep a hint again that was taken back, as it was.

        Raises
        ------
        StudioError
            When others say the opposite by now, or its collection is gone.
        """
        n_items = self.collection(hint.collection_id).n_items
        return self._kept_hint(hint, self.hints(hint.collection_id), n_items)

    def hints(self, collection_id: str) -> list[Hint]:
        """Return the hints of a collection, oldest first."""
        query = select(HintRow).where(HintRow.collection_id == collection_id).order_by(HintRow.created)
        with self.database.transaction() as session:
            return [
                Hint(row.id, row.collection_id, row.together, tuple(row.items), row.created)
                for row in session.scalars(query)
            ]

    def remove_hint(self, hint_id: str) -> Hint:
        """Take a hint back and return it."""
        with self.database.transaction() as session:
            row = found(session, HintRow, hint_id, "hint")
            hint = Hint(row.id, row.collection_id, row.together, tuple(row.items), row.created)
            session.delete(row)
            return hint

    def _kept_hint(self, hint: Hint, before: Sequence[Hint], n_items: int) -> Hint:
        self._refuse_contradiction([*before, hint], n_items)
        row = HintRow(**{**vars(hint), "items": list(hint.items)})
        with self.database.transaction() as session:
            session.merge(row)
        return hint

    def _refuse_contradiction(self, hints: Sequence[Hint], n_items: int) -> None:
        together, apart = pairs_of(hints)
        groups = bonds(together, n_items)
        wrong = apart[groups[apart[:, 0]] == groups[apart[:, 1]]]
        if len(wrong):
            ids = self.open_collection(hints[-1].collection_id).items["id"]
            one, other = (str(ids.iloc[row]) for row in wrong[0].tolist())
            raise StudioError(
                f"“{one}” and “{other}” cannot both belong together and be kept apart: other pairs say so.",
                "Take back one of the pairs that join them, or the one that keeps them apart.",
            )


def pairs_of(hints: Iterable[Hint]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of hints: int64 (p, 2) that belong together, int64 (q, 2) to keep apart.

    Items that belong together are joined in a chain: what follows from it, a method works out.
    """
    kinds: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for hint in hints:
        kinds[0 if hint.together else 1].extend((pairwise if hint.together else _every_two)(hint.items))
    together, apart = (np.array(pairs, dtype=np.int64).reshape(-1, 2) for pairs in kinds)
    return together, apart


def _every_two(items: Sequence[int]) -> Iterable[tuple[int, int]]:
    return combinations(items, 2)
