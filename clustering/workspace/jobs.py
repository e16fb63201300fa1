"""The job queue as pages see it: hand work in, ask how far it is, ask it to pause, go on, stop or go away."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clustering.errors import StudioError
from clustering.files import plain, remove_folder
from clustering.workspace.database import JobRow, WorkerRow, now
from clustering.workspace.events import read_lines
from clustering.workspace.liveness import is_alive
from clustering.workspace.records import (
    LIVE,
    OPEN,
    JobKind,
    JobRecord,
    JobStatus,
    Request,
    SnapshotFile,
    State,
    WorkerRecord,
)
from clustering.workspace.snapshots import snapshots_in
from clustering.workspace.store import Store, found

# What a request does, by the state of the job: "ask" leaves it to the worker, else it is the new state.
ANSWERS: dict[Request, dict[State, str]] = {
    "pause": {"running": "ask"},
    "resume": {"running": "ask", "paused": "ask", "interrupted": "queued", "failed": "queued"},
    "stop": {"running": "ask", "paused": "ask", "queued": "cancelled"},
    "cancel": {
        "running": "ask",
        "paused": "ask",
        "queued": "cancelled",
        "interrupted": "cancelled",
        "failed": "cancelled",
    },
}
DESTINATION = "collection.txt"  # in a job's checkpoint: the id of the collection it builds
INTERRUPTED = "The process that did this ended unexpectedly; what it had reached is kept."
RESUME = "Resume the job: it goes on from its last checkpoint."


class Jobs(Store):
    """Work handed to the workers."""

    def submit(
        self,
        kind: JobKind,
        parameters: Mapping[str, Any],
        after: str | None = None,
        *,
        title: str = "",
        worker_id: str | None = None,
    ) -> JobRecord:
        """Put a job in the queue.

        Parameters
        ----------
        parameters : mapping
            JSON values. What is missing is filled from the result of ``after``: a ``train`` after a
            ``features`` job needs no ``features``.
        after : str, optional
            A job that must be finished first; if it fails, this one fails too and says so.
        title : str
            What lists call it; made from the kind when empty.
        worker_id : str, optional
            Gives the job to that worker at once (the command line runs its own).

        Raises
        ------
        StudioError
            When the kind or the job to wait for does not exist.
        """
        if kind not in get_args(JobKind):
            raise StudioError(
                f"There is no job of kind “{kind}”.", f"Choose one of: {', '.join(get_args(JobKind))}."
            )
        with self.database.transaction() as session:
            if after is not None:
                found(session, JobRow, after, "job")
            row = JobRow(
                id=self._fresh_id(session, JobRow, "jobs", kind),
                kind=kind,
                title=title or _title(kind, parameters),
                parameters=plain(parameters),
                state="queued" if worker_id is None else "running",
                after=after,
                worker_id=worker_id,
                attempts=0 if worker_id is None else 1,
                created=now(),
                started=None if worker_id is None else time.time(),
                result={},
            )
            session.add(row)
            session.flush()
            return self._job_record(row)

    def jobs(self, *, open_only: bool = False) -> list[JobRecord]:
        """Return jobs, newest first; those whose worker died are marked before."""
        self.interrupt_orphans()
        query = select(JobRow).order_by(JobRow.created.desc())
        if open_only:
            query = query.where(JobRow.state.in_(OPEN))
        with self.database.transaction() as session:
            return [self._job_record(row) for row in session.scalars(query)]

    def job(self, job_id: str) -> JobRecord:
        """Return one job."""
        with self.database.transaction() as session:
            return self._job_record(found(session, JobRow, job_id, "job"))

    def request(self, job_id: str, wanted: Request) -> JobRecord:
        """Ask a job to ``pause``, ``resume``, ``stop`` (keep what there is) or ``cancel`` (keep nothing).

        A running job answers within its next step. ``resume`` also takes up interrupted and failed jobs, and
        the jobs that failed only because they waited for it.

        Raises
        ------
        StudioError
            When the job is in a state where this means nothing.
        """
        self.interrupt_orphans()
        with self.database.transaction() as session:
            row = found(session, JobRow, job_id, "job")
            answer = ANSWERS[wanted].get(row.state)  # type: ignore[call-overload]
            if answer is None:
                raise StudioError(f"The job “{row.title}” is {row.state}.", _possible(row.state))
            values: dict[str, Any] = {"request": "" if wanted == "resume" else wanted}
            if answer != "ask":
                values = {"state": answer, "request": "", "worker_id": None, "problem": "", "mend": ""}
            changed = session.execute(
                update(JobRow).where(JobRow.id == job_id, JobRow.state == row.state).values(**values)
            )
            if answer == "queued":
                _requeue_waiting(session, job_id)
        if not changed.rowcount:  # type: ignore[attr-defined]  # a worker was quicker: look again
            return self.request(job_id, wanted)
        if answer == "cancelled":
            self.discard_work(job_id)
        return self.job(job_id)

    def status(self, job_id: str) -> JobStatus:
        """Return how far a job is; cheap enough to ask twice a second from any process."""
        job = self.job(job_id)
        if job.state in LIVE and self.interrupt_orphans():
            job = self.job(job_id)
        told = _status_file(job.folder / "status.json")
        moving = {name: told[name] for name in ("phase", "done", "total", "doing", "seconds") if name in told}
        return JobStatus(
            job_id=job.id,
            kind=job.kind,
            title=job.title,
            state=job.state,
            **moving,
            remaining=told.get("remaining") if job.state == "running" else None,
            message=job.problem or self._waiting_for(job) or told.get("message", ""),
            mend=job.mend,
            request=job.request,
            result=job.result,
        )

    def events(self, job_id: str, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the event rows written since ``offset``, and the offset to ask from next time."""
        return read_lines(self.job(job_id).folder / "events.jsonl", offset)

    def job_snapshots(self, job_id: str) -> list[SnapshotFile]:
        """Return the snapshots a job has kept so far, in order of time."""
        return snapshots_in(self.job(job_id).folder / "snapshots")

    def remove_job(self, job_id: str) -> None:
        """Remove a job that is over from the list; what it made stays.

        Raises
        ------
        StudioError
            When it is still queued, running or paused.
        """
        with self.database.transaction() as session:
            row = found(session, JobRow, job_id, "job")
            if row.state in OPEN:
                raise StudioError(f"The job “{row.title}” is {row.state}.", "Cancel it first.")
            session.delete(row)
        remove_folder(self._folder("jobs", job_id))

    def discard_work(self, job_id: str, *, snapshots: bool = True) -> None:
        """Throw away the checkpoint of a job, and its snapshots unless a page may still be showing them."""
        noted = self._folder("jobs", job_id) / "checkpoint" / DESTINATION
        if noted.exists():  # what was to become a collection is built in hidden places beside it
            for left in (self.root / "collections").glob(f".{noted.read_text(encoding='utf-8')}.*"):
                remove_folder(left) if left.is_dir() else left.unlink(missing_ok=True)
        for part in ("checkpoint", "snapshots") if snapshots else ("checkpoint",):
            remove_folder(self._folder("jobs", job_id) / part)

    def workers(self) -> list[WorkerRecord]:
        """Return the workers that live."""
        with self.database.transaction() as session:
            records = [_worker(row) for row in session.scalars(select(WorkerRow))]
        return [worker for worker in records if is_alive(worker)]

    def interrupt_orphans(self) -> list[str]:
        """Mark running jobs whose worker is dead as ``interrupted``; return their ids."""
        query = select(JobRow.id, JobRow.worker_id).where(JobRow.state.in_(LIVE))
        with self.database.transaction() as session:
            held = list(session.execute(query))
            owners = {worker_id for _, worker_id in held if worker_id}
            rows = session.scalars(select(WorkerRow).where(WorkerRow.id.in_(owners))) if owners else ()
            workers = [_worker(row) for row in rows]
        living = {worker.id for worker in workers if is_alive(worker)}
        return [id for id, owner in held if owner not in living and self._interrupt(id, owner)]

    def _interrupt(self, job_id: str, owner: str | None) -> bool:
        with self.database.transaction() as session:
            changed = session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.worker_id == owner, JobRow.state.in_(LIVE))
                .values(state="interrupted", worker_id=None, request="", problem=INTERRUPTED, mend=RESUME)
            )
            return bool(changed.rowcount)  # type: ignore[attr-defined]

    def _waiting_for(self, job: JobRecord) -> str:
        if job.state != "queued":
            return ""
        if job.after is not None:
            first = self.job(job.after)
            if first.state in OPEN or first.state == "interrupted":
                return f"Waits for “{first.title}”, which is {first.state}."
        query = select(JobRow.id).where(JobRow.state == "queued", JobRow.created < job.created)
        with self.database.transaction() as session:
            before = len(list(session.scalars(query)))
        return f"Waits for its turn; {before} before it." if before else "Starts as soon as a worker is free."

    def _job_record(self, row: JobRow) -> JobRecord:
        names = (field for field in JobRecord.__dataclass_fields__ if field != "folder")
        return JobRecord(**{name: getattr(row, name) for name in names}, folder=self._folder("jobs", row.id))


def _requeue_waiting(session: Session, job_id: str) -> None:
    """Put back in the queue what failed, never begun, because it waited for this job."""
    waiting = session.scalars(
        select(JobRow).where(JobRow.after == job_id, JobRow.state == "failed", JobRow.attempts == 0)
    )
    for row in list(waiting):
        row.state, row.problem, row.mend = "queued", "", ""
        _requeue_waiting(session, row.id)


def _status_file(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _possible(state: str) -> str:
    possible = [name for name, answers in ANSWERS.items() if state in answers]
    return f"You can {' or '.join(possible)} it." if possible else "Start a new one."


def _title(kind: str, parameters: Mapping[str, Any]) -> str:
    subject = {
        "load": parameters.get("name") or Path(str(parameters.get("source", ""))).name,
        "fetch": parameters.get("museum"),
        "sample": parameters.get("name"),
        "features": parameters.get("encoder"),
        "train": parameters.get("method"),
        "project": parameters.get("projection"),
        "quality": parameters.get("run"),
    }[kind]
    verb = {"features": "Compute features", "project": "Draw a map", "quality": "Judge a run"}.get(
        kind, kind.capitalize()
    )
    return f"{verb}: {subject}" if subject else verb


def _worker(row: WorkerRow) -> WorkerRecord:
    return WorkerRecord(row.id, row.host, row.pid, row.process_started, row.started, row.heartbeat)
