"""What the workspace says about work: jobs in the queue, how far they are, and the workers that do them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

JobKind = Literal[
    "load",
    "fetch",
    "sample",
    "features",
    "train",
    "cut",
    "split-again",
    "survey",
    "refine",
    "project",
    "frames",
    "another-seed",
    "quality",
]
State = Literal["queued", "running", "paused", "finished", "failed", "cancelled", "interrupted"]
Request = Literal["pause", "resume", "stop", "cancel"]

LIVE: tuple[State, ...] = ("running", "paused")  # a worker holds the job
OPEN: tuple[State, ...] = ("queued", *LIVE)  # the job will still do something by itself


@dataclass(frozen=True)
class JobRecord:
    """One piece of work in the queue.

    Parameters
    ----------
    after : str or None
        The job this one waits for; its result fills parameters that this one lacks.
    request : str
        What the user asked of it and it has not yet done: ``""``, ``"pause"``, ``"stop"`` or ``"cancel"``.
    result : dict
        Ids of what it made, once finished: ``{"run": "dec-3f2a", …}``.
    problem, mend : str
        Why it failed and what to do, as sentences.
    offer : dict
        Settings of the method with which a failed training may succeed: ``{"batch_size": 128}``.
    """

    id: str
    kind: str
    title: str
    parameters: dict[str, Any]
    state: State
    after: str | None
    request: str
    worker_id: str | None
    attempts: int
    created: str
    started: float | None
    finished: float | None
    result: dict[str, Any]
    problem: str
    mend: str
    offer: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class JobStatus:
    """How far a job is, as any process may read it at any moment.

    Parameters
    ----------
    phase : str
        Name of the part of the work under way.
    done, total : int
        Steps of that phase; ``total`` 0 while it is unknown.
    doing : str
        The step in words.
    seed : int or None
        Of several seeds that train side by side, the one this speaks of.
    seconds : float
        Working time so far, pauses left out.
    remaining : float or None
        Estimated seconds to the end; None while nobody can tell.
    message : str
        A sentence for a person: what waits, what happened, what went wrong.
    mend : str
        What can be done about it.
    offer : dict
        Settings with which a failed training may succeed.
    """

    job_id: str
    kind: str
    title: str
    state: State
    phase: str = ""
    done: int = 0
    total: int = 0
    doing: str = ""
    seed: int | None = None
    seconds: float = 0.0
    remaining: float | None = None
    message: str = ""
    mend: str = ""
    request: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    offer: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How much of the phase is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def is_open(self) -> bool:
        """True while the job will still do something by itself."""
        return self.state in OPEN


@dataclass(frozen=True)
class WorkerRecord:
    """A process that does jobs.

    Parameters
    ----------
    host, pid, process_started : str, int, float
        Which process it is; see `clustering.processes`.
    started, heartbeat : float
        Seconds of its own wall clock.
    version : str
        Of the studio it runs; empty for those before 0.1.0 told it.
    """

    id: str
    host: str
    pid: int
    process_started: float
    started: float
    heartbeat: float
    version: str = ""
