"""The status file of a job: written at most twice a second, whole each time, and always the last word."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clustering.files import write_json
from clustering.workspace import JobStatus

__all__ = ["SECONDS_BETWEEN", "JobStatus", "StatusFile"]

SECONDS_BETWEEN = 0.5


class StatusFile:
    """Remembers the newest status and writes it when enough time has passed.

    Parameters
    ----------
    path : Path
        ``jobs/<id>/status.json``.
    clock : callable
        Seconds; another one in tests.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.clock = clock
        self.content: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._written_at = -SECONDS_BETWEEN
        self._pending = False

    def update(self, **changes: Any) -> None:
        """Change what the status says; the file follows now or within half a second (see `flush`)."""
        with self._lock:
            self.content |= changes
            self._pending = True
            self._write_if_due()

    def flush(self, *, now: bool = False) -> None:
        """Write what is pending if it is due, or at once."""
        with self._lock:
            if now:
                self._written_at = self.clock() - SECONDS_BETWEEN
            self._write_if_due()

    def _write_if_due(self) -> None:
        if self._pending and self.clock() - self._written_at >= SECONDS_BETWEEN:
            write_json(self.path, self.content)
            self._written_at = self.clock()
            self._pending = False
