"""Where jobs run, behind one small interface: in this process, or in a worker process beside it."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Protocol

from clustering.errors import DiskFullError, StudioError
from clustering.jobs import reserve
from clustering.jobs.context import JobContext
from clustering.jobs.endings import ending
from clustering.jobs.heart import Heart
from clustering.jobs.log import logging_to
from clustering.jobs.queue import mark, new_worker_id, register, take, unregister
from clustering.jobs.tasks import TASKS
from clustering.progress import Progress, silent
from clustering.workspace import LIVE, JobKind, JobRecord, State, Workspace
from clustering.workspace.tidying import tidy

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
        tidy(self.workspace)
        self.heart = Heart(self.workspace, new_worker_id())
        register(self.workspace, self.heart.worker_id)
        self.heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.heart.stop()
        unregister(self.workspace, self.heart.worker_id)

    def submit(
        self, kind: JobKind, parameters: Mapping[str, Any], after: str | None = None, *, title: str = ""
    ) -> JobRecord:
        """Do the job now; it is over when this returns."""
        made = self.workspace.job(after).result if after is not None else {}
        job = self.workspace.submit(
            kind, {**made, **parameters}, after, title=title, worker_id=self.heart.worker_id
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
        if self.workspace.job(job_id).state in LIVE:
            self.workspace.settle()
        job = self.workspace.request(job_id, "resume")
        if job.state != "queued" or not take(self.workspace, job.id, self.heart.worker_id, job.parameters):
            raise StudioError(f"“{job.title}” is in the hands of a worker.", "Leave it to that worker.")
        run_job(self.workspace, self.workspace.job(job.id), self.heart, self.listener)
        return self.workspace.job(job.id)


def run_job(workspace: Workspace, job: JobRecord, heart: Heart, listener: Progress = silent) -> None:
    """Do a job this worker holds and write down how it ended, whatever happens on the way."""

    def tell(state: State, **more: Any) -> bool:
        return _insisted(lambda: mark(workspace, job.id, heart.worker_id, state, **more), workspace, heart)

    context = JobContext(
        job.id,
        job.folder,
        listener=listener,
        on_pause=lambda paused: tell("paused" if paused else "running"),
    )
    reserve.hold(workspace)
    heart.attend(context)
    try:
        with logging_to(job.folder / "log.txt"):
            try:
                how: dict[str, Any] = {
                    "state": "finished",
                    "result": TASKS[job.kind](workspace, job.parameters, context),
                }
            except BaseException as error:
                how = ending(error, job)
    finally:
        heart.attend(None)
    _close(context)
    _let_go_of_memory()
    if how["state"] == "lost":
        return
    if tell(**how) and how["state"] in ("finished", "cancelled"):
        try:
            workspace.discard_work(job.id, snapshots=how["state"] == "cancelled")
        except StudioError as error:  # what is left takes room, and nothing else
            log.warning("%s", error)


def _insisted(write: Callable[[], bool], workspace: Workspace, heart: Heart) -> bool:
    """Write to the database until it takes it: it may be busy for minutes, or without room.

    A process that has to go tries three times; its job is then found without an owner, and can be resumed.
    """
    for attempt in count(1):
        try:
            return write()
        except StudioError as error:
            log.warning("%s", error)
            if heart.leaving and attempt >= 3:
                return False
            if not (isinstance(error, DiskFullError) and reserve.give(workspace, last=True)):
                time.sleep(1.0)
    raise AssertionError("unreachable")


def _close(context: JobContext) -> None:
    """Write the last status; where even that cannot be written, the database still says how it ended."""
    try:
        context.close()
    except (StudioError, OSError) as error:
        log.warning("The last status of %s could not be written: %s", context.job_id, error)


def _let_go_of_memory() -> None:
    """Give the accelerator's memory back, so that the next job finds it whole."""
    torch = sys.modules.get("torch")  # asked only where it is loaded anyway
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()
