"""The worker's side of the queue: take a job so that nobody else has it, hold it, and say how it ended."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update

from clustering import __version__
from clustering.files import plain
from clustering.processes import host_id, started
from clustering.workspace import LIVE, JobRecord, State, WorkerRecord, Workspace
from clustering.workspace.orphans import worker_record
from clustering.workspace.tables import JobRow, WorkerRow

HOPELESS = ("failed", "cancelled")


def new_worker_id() -> str:
    """Draw a name that no other worker has."""
    return f"worker-{secrets.token_hex(4)}"


def register(workspace: Workspace, worker_id: str) -> WorkerRecord:
    """Enter this process as a worker, and strike out those that are dead."""
    moment = time.time()
    worker = WorkerRecord(
        id=worker_id,
        host=host_id(),
        pid=os.getpid(),
        process_started=started(os.getpid()) or 0.0,
        started=moment,
        heartbeat=moment,
        version=__version__,
    )
    workspace.interrupt_orphans()
    with workspace.database.transaction() as session:
        for row in session.scalars(select(WorkerRow)):
            if not workspace.watch.is_alive(worker_record(row)):
                session.delete(row)
        session.add(WorkerRow(**vars(worker)))
    return worker


def unregister(workspace: Workspace, worker_id: str) -> None:
    """Leave; what this worker still holds becomes ``interrupted``."""
    with workspace.database.transaction() as session:
        session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))
    workspace.interrupt_orphans()


def beat(workspace: Workspace, worker_id: str) -> None:
    """Say that this worker lives."""
    with workspace.database.transaction() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(heartbeat=time.time()))


def claim(workspace: Workspace, worker_id: str) -> JobRecord | None:
    """Take the oldest job that can begin, one somebody asked for first; None when there is none.

    The row changes hands in one statement that only succeeds while the job is still queued, so two workers
    never hold the same job, whatever the database.

    Raises
    ------
    OtherFormatError
        When a newer version has changed the database: its jobs are not ours to do.
    """
    workspace.database.check_format()
    _fail_the_hopeless(workspace)
    with workspace.database.transaction() as session:
        waiting = list(
            session.scalars(select(JobRow).where(JobRow.state == "queued").order_by(JobRow.created))
        )
        before = {row.after for row in waiting if row.after}
        done = {
            row.id: row.result
            for row in session.scalars(
                select(JobRow).where(JobRow.id.in_(before), JobRow.state == "finished")
            )
        }
    for row in sorted(waiting, key=lambda row: unasked(row.parameters)):
        if row.after is None or row.after in done:
            parameters = {**done.get(row.after or "", {}), **row.parameters}
            if take(workspace, row.id, worker_id, parameters):
                return workspace.job(row.id)
    return None


def wish(workspace: Workspace, job_id: str, worker_id: str) -> str:
    """Return what the user asks of a job this worker holds, or ``"lost"`` when it no longer holds it.

    A job nobody asked for is to give way as soon as one that somebody asked for could begin.
    """
    query = select(JobRow.request, JobRow.parameters).where(
        JobRow.id == job_id, JobRow.worker_id == worker_id, JobRow.state.in_(LIVE)
    )
    others = select(JobRow.parameters).where(JobRow.state == "queued", JobRow.after.is_(None))
    with workspace.database.transaction() as session:
        found = session.execute(query).first()
        if found is None:
            return "lost"
        request, parameters = str(found[0]), found[1]
        if not request and unasked(parameters) and not all(map(unasked, session.scalars(others))):
            return "give way"
    return request


def unasked(parameters: Mapping[str, Any]) -> bool:
    """Return whether nobody asked for a job: the studio makes its samples by itself."""
    return bool(parameters.get("unasked"))


def mark(
    workspace: Workspace,
    job_id: str,
    worker_id: str,
    state: State,
    *,
    result: dict[str, Any] | None = None,
    problem: str = "",
    mend: str = "",
    offer: dict[str, Any] | None = None,
) -> bool:
    """Say what became of a job this worker holds; False, and nothing changes, when it holds it no longer."""
    values: dict[str, Any] = {"state": state, "problem": problem, "mend": mend, "offer": offer or {}}
    if state not in LIVE:
        values |= {"worker_id": None, "request": "", "finished": None if state == "queued" else time.time()}
    if result is not None:
        values["result"] = plain(result)
    held = update(JobRow).where(JobRow.id == job_id, JobRow.worker_id == worker_id, JobRow.state.in_(LIVE))
    with workspace.database.transaction() as session:
        return bool(session.execute(held.values(**values)).rowcount)  # type: ignore[attr-defined]


def take(workspace: Workspace, job_id: str, worker_id: str, parameters: dict[str, Any]) -> bool:
    """Take this very job if it is still queued; False when somebody was quicker."""
    values = {
        "state": "running",
        "worker_id": worker_id,
        "parameters": parameters,
        "request": "",
        "problem": "",
        "mend": "",
        "offer": {},
        "attempts": JobRow.attempts + 1,
        "started": time.time(),
        "finished": None,
    }
    with workspace.database.transaction() as session:
        taken = session.execute(
            update(JobRow).where(JobRow.id == job_id, JobRow.state == "queued").values(**values)
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]


def _fail_the_hopeless(workspace: Workspace) -> None:
    """Fail what waits for a job that failed, was cancelled or is gone; again for what waits for those."""
    chained = select(JobRow).where(JobRow.state == "queued", JobRow.after.is_not(None))
    found = True
    while found:
        found = False
        with workspace.database.transaction() as session:
            waiting = list(session.scalars(chained))
            before = select(JobRow).where(JobRow.id.in_({row.after for row in waiting}))
            known = {row.id: row for row in session.scalars(before)} if waiting else {}
            for row in waiting:
                first = known.get(row.after or "")
                if first is None or first.state in HOPELESS:
                    _fail(row, first)
                    found = True


def _fail(row: JobRow, first: JobRow | None) -> None:
    name = first.title if first else row.after
    fate = {"failed": "failed", "cancelled": "was cancelled"}[first.state] if first else "was removed"
    row.state, row.finished = "failed", time.time()
    row.problem = f"“{row.title}” needs what “{name}” makes, and that job {fate}."
    row.mend = f"Resume “{name}”, or start again." if fate == "failed" else "Start again."
