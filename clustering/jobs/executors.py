"""Where jobs run, behind one small interface: in this process, or in a worker process beside it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from clustering.errors import Stopped, StudioError
from clustering.jobs.context import Cancelled, Interrupted, JobContext, Lost
from clustering.jobs.heart import Heart
from clustering.jobs.log import logging_to
from clustering.jobs.queue import mark, register, take, unregister
from clustering.jobs.tasks import TASKS
from clustering.progress import Progress, silent
from clustering.workspace import JobKind, JobRecord, Workspace
from clustering.workspace.jobs import INTERRUPTED, RESUME

log = logging.getLogger(__name__)


class Executor(Protocol):
    """Takes a job and sees that it is done."""

    def submit(
        self, kind: JobKind, parameters: Mapping[str, Any], after: str | None = None, *, title: str = ""
    ) -> JobRecord:
        """Hand in a job and return its record as it then is."""


class LocalProcess:
    """Puts jobs in the queue and makes sure that a worker process is there to take them."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def submit(
        self, kind: JobKind, parameters: Mapping[str, Any], after: str | None = None, *, title: str = ""
    ) -> JobRecord:
        """Queue the job; it is ``queued`` when this returns."""
        from clustering.jobs.supervisor import ensure_worker

        record = self.workspace.submit(kind, parameters, after, title=title)
        ensure_worker(self.workspace)
        return record


class Inline:
    """Does jobs in this process, at once; other processes can watch, pause and cancel them all the same.

    Use as a context manager: while it is open this process counts as a worker.
    """

    def __init__(self, workspace: Workspace, listener: Progress = silent) -> None:
        self.workspace = workspace
        self.listener = listener

    def __enter__(self) -> Inline:
        self.worker = register(self.workspace)
        self.heart = Heart(self.workspace, self.worker.id)
        self.heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.heart.stop()
        unregister(self.workspace, self.worker.id)

    def submit(
        self, kind: JobKind, parameters: Mapping[str, Any], after: str | None = None, *, title: str = ""
    ) -> JobRecord:
        """Do the job now; it is over when this returns."""
        made = self.workspace.job(after).result if after is not None else {}
        job = self.workspace.submit(
            kind, {**made, **parameters}, after, title=title, worker_id=self.worker.id
        )
        run_job(self.workspace, job, self.heart, self.listener)
        return self.workspace.job(job.id)

    def resume(self, job_id: str) -> JobRecord:
        """Go on with an interrupted or failed job in this process.

        Raises
        ------
        StudioError
            When another worker has it.
        """
        job = self.workspace.request(job_id, "resume")
        if job.state != "queued" or not take(self.workspace, job.id, self.worker.id, job.parameters):
            raise StudioError(f"“{job.title}” is in the hands of a worker.", "Leave it to that worker.")
        run_job(self.workspace, self.workspace.job(job.id), self.heart, self.listener)
        return self.workspace.job(job.id)


def run_job(workspace: Workspace, job: JobRecord, heart: Heart, listener: Progress = silent) -> None:
    """Do a job this worker holds and write down how it ended; only errors of the queue itself come out."""

    def on_pause(paused: bool) -> None:
        mark(workspace, job.id, heart.worker_id, "paused" if paused else "running")

    context = JobContext(job.id, job.folder, listener=listener, on_pause=on_pause)
    ending: dict[str, Any] = {}
    heart.attend(context)
    try:
        with logging_to(job.folder / "log.txt"), _endings(ending):
            ending["result"] = TASKS[job.kind](workspace, job.parameters, context)
            ending["state"] = "finished"
    finally:
        heart.attend(None)
    _close(context)
    if ending["state"] == "lost":
        return
    if mark(workspace, job.id, heart.worker_id, **ending) and ending["state"] in ("finished", "cancelled"):
        workspace.discard_work(job.id, snapshots=ending["state"] == "cancelled")


@contextmanager
def _endings(ending: dict[str, Any]) -> Iterator[None]:
    """Note what an exception means for the job."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        ending |= {"state": "interrupted", "problem": INTERRUPTED, "mend": RESUME}
    except Stopped:
        ending |= {"state": "cancelled", "problem": "Stopped before there was anything to keep."}
    except Cancelled:
        ending |= {"state": "cancelled"}
    except Lost:
        ending |= {"state": "lost"}
    except StudioError as error:
        ending |= {"state": "failed", "problem": error.problem, "mend": error.mend}
    except MemoryError:
        ending |= {
            "state": "failed",
            "problem": "The memory of this machine is used up.",
            "mend": "Close other programs, choose a smaller batch, or an encoder with fewer dimensions.",
        }
    except OSError as error:
        log.exception("The job failed")
        ending |= {"state": "failed", **_operating_system(error)}
    except Exception as error:
        log.exception("The job failed")
        ending |= {
            "state": "failed",
            "problem": f"Something happened that was not foreseen: {type(error).__name__}: {error}",
            "mend": "The job's log.txt holds the full report; please send it in.",
        }


def _operating_system(error: OSError) -> dict[str, str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return {"problem": "The disk is full.", "mend": "Free some space, then resume the job."}
    return {
        "problem": f"The operating system refused: {error.strerror or error}"
        + (f" ({error.filename})." if error.filename else "."),
        "mend": "Mend that, then resume the job.",
    }


def _close(context: JobContext) -> None:
    """Write the last status; where even that cannot be written, the database still says how it ended."""
    try:
        context.close()
    except (StudioError, OSError) as error:
        log.warning("The last status of %s could not be written: %s", context.job_id, error)
