"""What a job writes down as it goes: events as JSON lines, snapshots as arrays, warnings as text."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from clustering.files import disk_errors, plain
from clustering.training.events import Event, Snapshot, as_row
from clustering.workspace.snapshots import keep_snapshot

SECONDS_BETWEEN_FLUSHES = 0.2

log = logging.getLogger(__name__)


class EventLog:
    """Appends events to ``events.jsonl`` and keeps snapshots beside it.

    A line that a killed process left half-written is cut off before the first new one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stream: BinaryIO | None = None
        self._flushed_at = 0.0

    def write(self, event: Event) -> None:
        """Append an event; a snapshot's arrays go to their own file first.

        Raises
        ------
        StudioError
            When the disk is full.
        """
        row = as_row(event)
        if isinstance(event, Snapshot):
            row["number"] = keep_snapshot(self.folder / "snapshots", event).number
        with disk_errors(self.folder / "events.jsonl"):
            stream = self._opened()
            stream.write(json.dumps(plain(row), ensure_ascii=False).encode() + b"\n")
            if time.monotonic() - self._flushed_at >= SECONDS_BETWEEN_FLUSHES:
                stream.flush()
                self._flushed_at = time.monotonic()

    def flush(self) -> None:
        """Put on disk what was written.

        Raises
        ------
        StudioError
            When the disk is full.
        """
        if self._stream:
            with disk_errors(self.folder / "events.jsonl"):
                self._stream.flush()

    def close(self) -> None:
        """End the log; what finds no room on the disk any more is left out."""
        stream, self._stream = self._stream, None
        if stream:
            try:
                stream.close()
            except OSError as error:
                log.warning("The last events could not be written: %s", error)

    def _opened(self) -> BinaryIO:
        if self._stream is None:
            path = self.folder / "events.jsonl"
            self.folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                _cut_unfinished_line(path)
            self._stream = path.open("ab")
        return self._stream


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Send log records and warnings of the block to a text file; where there is no room for one, to none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error)
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        with suppress(OSError):  # its last lines found no room on the disk
            handler.close()


def _cut_unfinished_line(path: Path) -> None:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as stream:
            stream.truncate(whole)
