"""Read the events of a job while it writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return the complete JSON lines of a growing file from a byte offset on, and the next offset."""
    if not path.exists():
        return [], 0
    with path.open("rb") as stream:
        stream.seek(offset)
        fresh = stream.read()
    whole = fresh[: fresh.rfind(b"\n") + 1]  # the last line may still be under the pen
    return [json.loads(line) for line in whole.splitlines() if line.strip()], offset + len(whole)


def without_repeats(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return event rows without what an interrupted attempt saw and the resumed one saw again, seed by seed.

    Rows of older versions name no seed: they are taken for those of any.
    """
    kept: list[dict[str, Any]] = []
    told: set[tuple[Any, ...]] = set()  # which epochs, so that only a repeated one costs a look back
    for row in rows:
        if row.get("kind") == "epoch":
            if told & {_place(row), (None, *_place(row)[1:])}:
                kept = _before(kept, row)
                told = {_place(old) for old in kept if old.get("kind") == "epoch"}
            told.add(_place(row))
        kept.append(row)
    return kept


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return row.get("seed"), row.get("phase"), row.get("epoch")


def _before(rows: list[dict[str, Any]], again: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows without those of the seed of ``again`` from the first of its phase and epoch on."""
    own = [row.get("seed") in (again.get("seed"), None) for row in rows]
    same = (i for i, row in enumerate(rows) if own[i] and _place(row)[1:] == _place(again)[1:])
    first = next(same, len(rows))
    return [row for i, row in enumerate(rows) if i < first or not own[i]]
