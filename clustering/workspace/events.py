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
    """Return event rows without what an interrupted attempt saw and the resumed one saw again."""
    kept: list[dict[str, Any]] = []
    for row in rows:
        if row.get("kind") == "epoch":
            again = (row["phase"], row["epoch"])
            places = (i for i, old in enumerate(kept) if (old.get("phase"), old.get("epoch")) == again)
            kept = kept[: next(places, len(kept))]
        kept.append(row)
    return kept
