"""Workers that live, and what becomes of the jobs of those that died."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from clustering.processes import host_id
from clustering.workspace import liveness
from clustering.workspace.job_records import LIVE, WorkerRecord
from clustering.workspace.store import Store
from clustering.workspace.tables import JobRow, WorkerRow

INTERRUPTED = "The process that did this ended unexpectedly; what it had reached is kept."
RESUME = "Resume the job: it goes on from its last checkpoint."
DIED_TWICE = (
    "The process that did this ended twice at the same place without a word; what it had reached is kept. "
    "Unless somebody ended it, or switched the machine off, the memory of this machine was used up."
)
MORE_MEMORY = "Close other programs, choose a smaller batch, fewer items or fewer features, then try again."


class Orphans(Store):
    """Who does the jobs, and jobs that nobody does any more."""

    def workers(self) -> list[WorkerRecord]:
        """Return the workers that live."""
        with self.database.transaction() as session:
            records = [worker_record(row) for row in session.scalars(select(WorkerRow))]
        return [worker for worker in records if self.watch.is_alive(worker)]

    def interrupt_orphans(self) -> list[str]:
        """Mark running jobs whose worker is dead as ``interrupted``; return their ids.

        A job whose worker dies a second time without having come any further is ``failed`` instead: it can go
        on too, but a person is told that it is likely to end the same way again, and what waits for it ends.
        """
        query = select(JobRow.id, JobRow.worker_id).where(JobRow.state.in_(LIVE))
        with self.database.transaction() as session:
            held = list(session.execute(query))
            owners = {worker_id for _, worker_id in held if worker_id}
            rows = session.scalars(select(WorkerRow).where(WorkerRow.id.in_(owners))) if owners else ()
            workers = [worker_record(row) for row in rows]
        living = {worker.id for worker in workers if self.watch.is_alive(worker)}
        return [id for id, owner in held if owner not in living and self._interrupt(id, owner)]

    def settle(self) -> None:
        """Look on, `SILENCE` seconds at most, until it is known of every worker elsewhere whether it lives.

        A process that lives for one command only has seen no heartbeat change, and would believe in all.
        """
        first = {worker.id: worker.heartbeat for worker in self.workers() if worker.host != host_id()}
        deadline = time.monotonic() + liveness.SILENCE + 1.0
        while time.monotonic() < deadline:
            now = {worker.id: worker.heartbeat for worker in self.workers()}
            if all(now.get(id) != heartbeat for id, heartbeat in first.items()):  # it beat, or it is dead
                break
            time.sleep(0.5)
        self.interrupt_orphans()

    def _interrupt(self, job_id: str, owner: str | None) -> bool:
        reached = _reached(self._folder("jobs", job_id))
        with self.database.transaction() as session:
            row = session.get(JobRow, job_id)
            if row is None:
                return False
            again = row.deaths > 0 and row.reached == reached
            ending = ("failed", DIED_TWICE, MORE_MEMORY) if again else ("interrupted", INTERRUPTED, RESUME)
            changed = session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.worker_id == owner, JobRow.state.in_(LIVE))
                .values(
                    **dict(zip(("state", "problem", "mend"), ending, strict=True)),
                    worker_id=None,
                    request="",
                    deaths=row.deaths + 1 if again else 1,
                    reached=reached,
                )
            )
            return bool(changed.rowcount)  # type: ignore[attr-defined]


def worker_record(row: WorkerRow) -> WorkerRecord:
    """Return a worker's row as a record."""
    return WorkerRecord(**{name: getattr(row, name) for name in WorkerRecord.__dataclass_fields__})


def read_status(folder: Path) -> dict[str, Any]:
    """Return what a job's status file says; empty while there is none."""
    try:
        return dict(json.loads((folder / "status.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _reached(folder: Path) -> str:
    """Return how far a job has come, in words that stay the same until it comes further.

    Every attempt of a fit announces its seeds, and the end of those that ended before; the rest is progress.
    """
    events = folder / "events.jsonl"
    lines = events.read_bytes().splitlines() if events.exists() else []
    told = sum(not line.startswith((b'{"kind": "started"', b'{"kind": "finished"')) for line in lines)
    status = read_status(folder)
    return f"{told} events" if told else f"{status.get('doing', '')} {status.get('done', 0)}"
