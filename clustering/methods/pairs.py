"""Pairs a person made: which items belong together, which must be kept apart, and what follows."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.bonds import bonds
from clustering.errors import StudioError
from clustering.methods.edges import checked_edges

MOST_IMPLIED = 2_000_000
NAMED = 5  # contradictions named


class Pairs(NamedTuple):
    """Pairs of rows, each once, the smaller number first.

    Parameters
    ----------
    together : int64 array (p, 2)
        What belongs together.
    apart : int64 array (q, 2)
        What must be kept apart.
    """

    together: NDArray[np.int64]
    apart: NDArray[np.int64]


def checked_pairs(must_link: ArrayLike | Any, cannot_link: ArrayLike | Any, n_items: int) -> Pairs:
    """Return the pairs given and all that follow: what belongs to the same belongs together.

    Two items joined by a chain of pairs belong together; when two of them must be kept apart, so must all
    that belong to the one and all that belong to the other.

    Parameters
    ----------
    must_link, cannot_link : int array-like (p, 2) or None
        Pairs of row numbers counted from 0.
    n_items : int

    Raises
    ------
    StudioError
        When they are no pairs of existing rows, contradict one another, or imply more than two million.
    """
    together = _given(must_link, n_items, "pairs that belong together")
    apart = _given(cannot_link, n_items, "pairs to keep apart")
    numbers = np.concatenate([together, apart]).ravel()
    if not numbers.size:
        return Pairs(together, apart)
    groups = bonds(together, n_items)
    _refuse_contradictions(apart, groups)
    members: dict[int, NDArray[np.int64]] = {
        int(group): np.flatnonzero(groups == group) for group in np.unique(groups[numbers])
    }
    of_groups = np.unique(np.sort(groups[apart], axis=1), axis=0)
    _refuse_many(members, of_groups)
    within = [np.array(list(combinations(rows, 2))) for rows in members.values() if len(rows) > 1]
    between = [
        np.stack(np.meshgrid(members[int(one)], members[int(other)]), axis=-1).reshape(-1, 2)
        for one, other in of_groups
    ]
    return Pairs(_whole(within, n_items), _whole(between, n_items))


def _given(pairs: ArrayLike | Any, n_items: int, what: str) -> NDArray[np.int64]:
    if pairs is None:
        return np.empty((0, 2), dtype=np.int64)
    found = checked_edges(pairs, n_items, what)
    if what.endswith("apart") and (own := _with_itself(pairs)) is not None:
        raise StudioError(
            f"Item {own} is to be kept apart from itself.", "Name two different items in every pair."
        )
    return found


def _with_itself(pairs: Any) -> int | None:
    rows = np.asarray(pairs)
    own = rows[rows[:, 0] == rows[:, 1]] if rows.ndim == 2 else rows[:0]
    return int(own[0, 0]) if len(own) else None


def _refuse_contradictions(apart: NDArray[np.int64], groups: NDArray[np.int64]) -> None:
    wrong = apart[groups[apart[:, 0]] == groups[apart[:, 1]]]
    if len(wrong):
        named = ", ".join(f"{one}–{other}" for one, other in wrong[:NAMED].tolist())
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        raise StudioError(
            f"The pairs contradict one another: {named}{more} must be kept apart, but other pairs say that "
            "they belong together.",
            "Take back one of the pairs that join them, or that they must be apart.",
        )


def _refuse_many(members: dict[int, NDArray[np.int64]], of_groups: NDArray[np.int64]) -> None:
    sizes = {group: len(rows) for group, rows in members.items()}
    implied = sum(size * (size - 1) // 2 for size in sizes.values())
    implied += sum(sizes[int(one)] * sizes[int(other)] for one, other in of_groups)
    if implied > MOST_IMPLIED:
        raise StudioError(
            f"From the pairs given {implied:,} follow; {MOST_IMPLIED:,} is the most.", "Give fewer pairs."
        )


def _whole(parts: list[NDArray[np.int64]], n_items: int) -> NDArray[np.int64]:
    if not parts:
        return np.empty((0, 2), dtype=np.int64)
    return checked_edges(np.concatenate(parts).astype(np.int64), n_items)
