"""The job queue as pages see it: hand work in, ask how far it is, ask it to pause, go on, stop or go away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from clustering.errors import StudioError
from clustering.files import plain, remove_folder
from clustering.workspace.database import later_than
from clustering.workspace.events import read_lines
from clustering.workspace.job_records import LIVE, OPEN, JobKind, JobRecord, JobStatus, Request, State
from clustering.workspace.orphans import Orphans, read_status
from clustering.workspace.records import SnapshotFile
from clustering.workspace.snapshots import snapshots_in
from clustering.workspace.store import found
from clustering.workspace.tables import CollectionRow, JobRow

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
UNTROUBLED: dict[str, Any] = {"request": "", "problem": "", "mend": "", "offer": {}}
DESTINATION = "collection.txt"  # in a job's checkpoint: the id of the collection it builds


class Jobs(Orphans):
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
                created=later_than(session.scalar(select(func.max(JobRow.created)))),
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
                values = {"state": answer, "worker_id": None, **UNTROUBLED}
                if row.state == "failed":
                    values["deaths"] = 0
            changed = session.execute(
                update(JobRow).where(JobRow.id == job_id, JobRow.state == row.state).values(**values)
            )
            if answer == "queued":
                _requeue_waiting(session, job_id)
        if not changed.rowcount:  # type: ignore[attr-defined]  # a worker was quicker: look again
            return self.request(job_id, wanted)
        if answer == "cancelled":
            self.discard_work(job_id)
        elif answer == "queued":  # the next attempt speaks for itself
            (self._folder("jobs", job_id) / "status.json").unlink(missing_ok=True)
        return self.job(job_id)

    def again(self, job_id: str, settings: Mapping[str, Any]) -> JobRecord:
        """Hand in a failed training once more, with some settings of its method changed.

        What failed because it waited for the old job waits for the new one.

        Raises
        ------
        StudioError
            When the job has not failed.
        """
        old = self.job(job_id)
        if old.state != "failed":
            raise StudioError(f"The job “{old.title}” is {old.state}.", _possible(old.state))
        changed = {**(old.parameters.get("parameters") or {}), **settings}
        new = self.submit(old.kind, {**old.parameters, "parameters": changed}, old.after, title=old.title)  # type: ignore[arg-type]
        with self.database.transaction() as session:
            _requeue_waiting(session, job_id, now_after=new.id)
            session.execute(update(JobRow).where(JobRow.id == job_id).values(offer={}))
        return new

    def status(self, job_id: str) -> JobStatus:
        """Return how far a job is; cheap enough to ask twice a second from any process."""
        job = self.job(job_id)
        if job.state in LIVE and self.interrupt_orphans():
            job = self.job(job_id)
        told = read_status(job.folder)
        names = ("phase", "done", "total", "doing", "seed", "seconds")
        moving = {name: told[name] for name in names if name in told}
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
            offer=job.offer,
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
            id = noted.read_text(encoding="utf-8")
            for left in (self.root / "collections").glob(f".{id}.*"):
                remove_folder(left) if left.is_dir() else left.unlink(missing_ok=True)
            with self.database.transaction() as session:
                listed = session.get(CollectionRow, id) is not None
            if not listed:  # whole, but the kill came before it was entered
                remove_folder(self._folder("collections", id))
        for part in ("checkpoint", "snapshots") if snapshots else ("checkpoint",):
            remove_folder(self._folder("jobs", job_id) / part)

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


def _requeue_waiting(session: Session, job_id: str, now_after: str | None = None) -> None:
    """Put back in the queue what failed, never begun, because it waited for this job."""
    waiting = session.scalars(
        select(JobRow).where(JobRow.after == job_id, JobRow.state == "failed", JobRow.attempts == 0)
    )
    for row in list(waiting):
        row.state, row.problem, row.mend = "queued", "", ""
        row.after = now_after or job_id
        _requeue_waiting(session, row.id)


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
        "cut": parameters.get("run"),
        "split-again": parameters.get("run"),
        "survey": parameters.get("features"),
        "refine": parameters.get("features"),
        "project": parameters.get("projection"),
        "frames": parameters.get("projection"),
        "another-seed": parameters.get("projection"),
        "quality": None,  # the run it is of stands beside it
    }[kind]
    verb = {
        "features": "Compute features",
        "cut": "Cut the tree",
        "split-again": "Split a group again",
        "survey": "Look for what to label",
        "refine": "Sort by labels",
        "project": "Draw a map",
        "frames": "Lay out the epochs",
        "another-seed": "Draw another seed",
        "quality": "Measure quality",
    }.get(kind, kind.capitalize())
    return f"{verb}: {subject}" if subject else verb
