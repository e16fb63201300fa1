"""Several workers and studios on one workspace: every job is done once, a busy database is waited for."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from house import ROOT, Worker, ended, until

from clustering.jobs import supervisor
from clustering.jobs.tasks import TASKS
from clustering.jobs.worker import work
from clustering.workspace import Workspace

ODD = Path(__file__).with_name("odd_worker.py")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def locked_for(workspace: Workspace, seconds: float) -> subprocess.Popen:
    """Let another process hold the database for writing; returns when it does."""
    program = f"""
import sqlite3, time
lock = sqlite3.connect({str(workspace.root / "studio.db")!r}, isolation_level=None)
lock.execute("BEGIN IMMEDIATE"); print("locked", flush=True); time.sleep({seconds}); lock.execute("COMMIT")
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def test_two_worker_processes_do_every_job_exactly_once(workspace, tmp_path):
    notes = tmp_path / "notes"
    with ExitStack() as both:
        for _ in range(2):
            both.enter_context(Worker(workspace, script=ODD))
        until(lambda: len(workspace.workers()) == 2)
        jobs = [workspace.submit("sample", {"name": "note", "file": str(notes)}).id for _ in range(40)]
        until(lambda: not workspace.jobs(open_only=True))
    done = [line.split() for line in notes.read_text().splitlines()]
    assert Counter(job for job, _ in done) == Counter(jobs)
    assert {job.state for job in workspace.jobs()} == {"finished"}
    assert len({pid for _, pid in done}) == 2, "both had their share"


def test_a_job_of_a_killed_worker_is_left_alone_by_the_other_until_somebody_resumes_it(workspace):
    job = workspace.submit("sample", {"name": "count"})
    with Worker(workspace, script=ODD) as first, Worker(workspace, script=ODD):
        until(lambda: workspace.status(job.id).done > 3)
        held = workspace.job(job.id).worker_id
        owner = next(worker for worker in workspace.workers() if worker.id == held)
        os.kill(owner.pid, 9)
        if owner.pid == first.process.pid:
            first.process.wait()
        until(lambda: workspace.status(job.id).state == "interrupted")
        workspace.request(job.id, "resume")
        assert ended(workspace, job.id) == "finished"
    assert workspace.job(job.id).attempts == 2


def test_two_studios_start_one_worker_and_see_the_same(workspace):
    opening = f"""
from clustering.jobs import ensure_worker
from clustering.workspace import Workspace
workspace = Workspace.open({str(workspace.root)!r})
print(ensure_worker(workspace, wait=30).id, len(workspace.jobs()))
"""
    job = workspace.submit("sample", {"name": "digits"})
    command = [sys.executable, "-c", opening]
    studios = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        said = [studio.communicate(timeout=60)[0].split() for studio in studios]
        assert said[0] == said[1] == [workspace.workers()[0].id, "1"]
        assert len(workspace.workers()) == 1
    finally:
        workspace.request(job.id, "cancel")
        assert supervisor.stop_workers(workspace) == 1
        until(lambda: workspace.workers() == [])


def test_a_studio_sends_workers_of_another_version_away_and_starts_its_own(workspace, monkeypatch):
    with Worker(workspace, script=ODD) as old:
        until(workspace.workers)
        with sqlite3.connect(workspace.root / "studio.db") as connection:
            connection.execute("UPDATE workers SET version = '0.0.9'")
        started = []
        monkeypatch.setattr(supervisor, "_start", started.append)
        assert supervisor.renew_workers(workspace) == 1
        supervisor.ensure_worker(workspace)
        assert started, "one of another version does not count"
        assert old.process.wait(timeout=20) == 0


def test_a_database_held_by_another_process_for_seconds_delays_a_worker_and_nothing_more(workspace):
    job = workspace.submit("sample", {"name": "count"})
    with Worker(workspace, "--until-empty", script=ODD):
        until(lambda: workspace.status(job.id).done > 3)
        with locked_for(workspace, 3.0):
            began = time.monotonic()
            assert workspace.status(job.id).state == "running"
            assert time.monotonic() - began < 1.0, "reading waits for nobody"
        assert ended(workspace, job.id) == "finished"
    assert workspace.job(job.id).attempts == 1


def test_the_end_of_a_job_is_written_down_however_long_the_database_is_held(workspace, monkeypatch):
    monkeypatch.setattr("clustering.workspace.database.PATIENCE_MS", 100)
    impatient, locks = Workspace.open(workspace.root), []

    def at_the_end(workspace, parameters, context):
        locks.append(locked_for(workspace, 2.5))
        return {"made": "with care"}

    monkeypatch.setitem(TASKS, "sample", at_the_end)
    job = workspace.submit("sample", {})
    thread = threading.Thread(target=work, args=(impatient,), kwargs={"until_empty": True, "warm": False})
    thread.start()
    thread.join(timeout=30)
    locks[0].wait()
    assert (workspace.job(job.id).state, workspace.job(job.id).result) == ("finished", {"made": "with care"})
