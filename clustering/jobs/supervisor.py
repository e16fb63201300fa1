"""See that a worker process is there; start one, detached, when none is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import clustering
from clustering.errors import StudioError
from clustering.files import disk_errors
from clustering.processes import host_id
from clustering.workspace import WorkerRecord, Workspace

IDLE_SECONDS = 1800.0  # an unused worker goes home after half an hour; the next job starts another
PATIENCE = 60.0  # a start that takes longer has gone wrong


def ensure_worker(workspace: Workspace, *, wait: float = 0.0) -> WorkerRecord | None:
    """Start a worker unless one lives; cheap when one does.

    Parameters
    ----------
    wait : float
        Seconds to wait until the started worker has entered itself.

    Returns
    -------
    WorkerRecord or None
        The worker; None while a started one has not entered itself yet.

    Raises
    ------
    StudioError
        When the process cannot be started.
    """
    workers = [worker for worker in workspace.workers() if worker.version == clustering.__version__]
    if workers:
        return workers[0]
    if _take_turn(workspace):
        _start(workspace)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        if workers := workspace.workers():
            return workers[0]
        time.sleep(0.1)
    return None


def stop_workers(workspace: Workspace) -> int:
    """Ask the workers on this machine to finish their step and go; return how many were asked."""
    return _asked_to_go(workspace.workers())


def renew_workers(workspace: Workspace) -> int:
    """Ask workers of another version on this machine to go; what they held can be resumed by one of ours.

    Returns
    -------
    int
        How many were asked.
    """
    return _asked_to_go(
        [worker for worker in workspace.workers() if worker.version != clustering.__version__]
    )


def _asked_to_go(workers: Iterable[WorkerRecord]) -> int:
    import signal

    here = [worker for worker in workers if worker.host == host_id() and worker.pid != os.getpid()]
    for worker in here:
        os.kill(worker.pid, signal.SIGTERM)
    return len(here)


def _start(workspace: Workspace) -> None:
    house = Path(clustering.__file__).parent.parent
    command = [
        sys.executable,
        "-m",
        "clustering.jobs.worker",
        "--workspace",
        str(workspace.root),
        "--idle-seconds",
        str(IDLE_SECONDS),
    ]
    path = os.pathsep.join(part for part in (str(house), os.environ.get("PYTHONPATH", "")) if part)
    try:
        with (workspace.root / "worker.log").open("ab") as output:
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # outlives the app, and Ctrl-C in its terminal
            )
    except OSError as error:
        raise StudioError(
            f"The worker process could not be started ({error}).",
            "Start it by hand: deepclust worker.",
        ) from error


def _take_turn(workspace: Workspace) -> bool:
    """Return True for one caller at a time, so that two open pages start one worker."""
    turn = workspace.cache / "worker-starting"
    with disk_errors(turn):
        turn.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if abs(time.time() - turn.stat().st_mtime) > PATIENCE:  # also when the clock was set back since
                turn.unlink(missing_ok=True)
        try:
            turn.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def end_turn(workspace: Workspace) -> None:
    """Say that the started worker has entered itself."""
    (workspace.cache / "worker-starting").unlink(missing_ok=True)
