"""Whether a worker still lives: by its process on this machine, by its heartbeat on another."""

from __future__ import annotations

import time
from collections.abc import Callable

from clustering.processes import host_id, is_over, is_running
from clustering.workspace.job_records import WorkerRecord

SILENCE = 30.0  # seconds without a heartbeat after which a worker elsewhere counts as dead


class Watch:
    """Looks after workers without ever comparing two clocks.

    On this machine the process itself is asked, so that a laptop waking from sleep interrupts nothing.
    Elsewhere a worker is dead once its heartbeat has stood still for `SILENCE` seconds while we looked on:
    what the clocks there and here say does not matter, nor that one of them is put right meanwhile.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[float, float]] = {}  # worker → its last heartbeat, and when that was new

    def is_alive(self, worker: WorkerRecord) -> bool:
        """Return True while the worker's process runs, as far as one can tell from here."""
        if worker.host == host_id():
            return is_running(worker.pid, worker.process_started)
        if is_over(worker.host):
            return False
        heartbeat, since = self._seen.get(worker.id, (None, 0.0))
        if heartbeat != worker.heartbeat:
            self._seen[worker.id] = (worker.heartbeat, self._clock())
            return True
        return self._clock() - since < SILENCE
