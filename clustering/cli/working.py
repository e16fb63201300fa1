"""How a command does its jobs: here and now with a bar, or in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from clustering.cli.speaking import bar, say
from clustering.errors import StudioError
from clustering.jobs.executors import Inline, LocalProcess
from clustering.jobs.supervisor import ensure_worker
from clustering.jobs.worker import signals_to
from clustering.workspace import JobKind, JobRecord, Workspace

WHAT = {"collection": "collection", "features": "feature set", "run": "run", "projection": "map"}


def workspace_at(root: Path | None) -> Workspace:
    """Open the workspace a command names."""
    return Workspace.open(root)


class Work:
    """Does jobs in this process, or queues them; a block."""

    def __init__(self, workspace: Workspace, queue: bool) -> None:
        self.workspace = workspace
        self.queue = queue
        self._stack = ExitStack()

    def __enter__(self) -> Work:
        if self.queue:
            self.executor: Inline | LocalProcess = LocalProcess(self.workspace)
        else:
            self.executor = self._stack.enter_context(Inline(self.workspace))
            # Ctrl-C ends the step and leaves a job that can be resumed
            self._stack.enter_context(signals_to(self.executor.heart))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def do(
        self, kind: JobKind, parameters: dict[str, Any], after: str | None = None, *, title: str = ""
    ) -> JobRecord:
        """Do a job, or queue it.

        Raises
        ------
        StudioError
            When it failed or was ended.
        """
        if isinstance(self.executor, LocalProcess):
            return self.executor.submit(kind, parameters, after, title=title)
        with bar() as listener:
            self.executor.listener = listener
            return _well(self.executor.submit(kind, parameters, after, title=title))

    def resume(self, job_id: str) -> JobRecord:
        """Go on with a job, here or in the worker."""
        if isinstance(self.executor, LocalProcess):
            record = self.workspace.request(job_id, "resume")
            ensure_worker(self.workspace)
            return record
        with bar() as listener:
            self.executor.listener = listener
            return _well(self.executor.resume(job_id))

    def made(self, record: JobRecord, what: str) -> str:
        """Return the id of what a job made; while it is only queued, the id of the job."""
        if not self.queue:
            return str(record.result[what])
        say(f"“{record.title}” is in the queue.")
        return record.id

    def identified(self, id: str, kinds: Sequence[str]) -> str:
        """Return what ``id`` names, one of ``kinds``.

        Raises
        ------
        StudioError
            When it names none of them.
        """
        look = {
            "collection": self.workspace.collection,
            "features": self.workspace.feature_set,
            "run": self.workspace.run,
            "projection": self.workspace.projection,
        }
        for kind in kinds:
            try:
                look[kind](id)
                return kind
            except StudioError:
                continue
        names = " or ".join(WHAT[kind] for kind in kinds)
        raise StudioError(f"There is no {names} called “{id}”.", "See what there is: deepclust list.")


def _well(record: JobRecord) -> JobRecord:
    if record.state == "finished":
        return record
    if record.state == "interrupted":
        raise StudioError(f"{record.title} was interrupted.", f"Go on with: deepclust resume {record.id}")
    if record.state == "cancelled":
        raise StudioError(record.problem or f"{record.title} was cancelled.", "Nothing of it was kept.")
    raise StudioError(record.problem, record.mend)
