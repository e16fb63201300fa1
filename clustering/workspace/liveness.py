"""Whether a worker still lives: by its process on this machine, by its heartbeat on another."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from clustering.workspace.records import WorkerRecord

SILENCE = 30.0  # seconds without a heartbeat after which a worker elsewhere counts as dead


def host_id() -> str:
    """Return a name for the place where a process id means something: the machine, or the container on it."""
    try:
        return f"{platform.node()}/{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115  # not a path but a name
    except OSError:
        return platform.node()


def is_alive(worker: WorkerRecord, moment: float | None = None) -> bool:
    """Return True while the worker's process runs, as far as one can tell from here.

    On this machine the process itself is asked, so that a laptop waking from sleep interrupts nothing;
    elsewhere the heartbeat decides.
    """
    if worker.host != host_id():
        return (time.time() if moment is None else moment) - worker.heartbeat < SILENCE
    import psutil

    try:
        process = psutil.Process(worker.pid)
        same = abs(process.create_time() - worker.process_started) < 2.0  # process ids are used again
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return Path(f"/proc/{worker.pid}").exists()
