"""A wall clock that jumps by hours interrupts nobody and starts nothing twice."""

from __future__ import annotations

import os
import threading
import time

import psutil
import pytest
from house import ended, until

from clustering.jobs import supervisor
from clustering.jobs.queue import new_worker_id, register
from clustering.jobs.tasks import TASKS
from clustering.jobs.worker import work
from clustering.progress import tell
from clustering.workspace import Workspace
from clustering.workspace.liveness import Watch

HOURS = 6 * 3600.0


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def jump(monkeypatch):
    """Set the wall clock, and all that is counted from it, by some seconds."""
    real, boot = time.time, psutil.boot_time()

    def by(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)
        monkeypatch.setattr(psutil, "boot_time", lambda: boot + seconds)

    return by


@pytest.mark.parametrize("seconds", [HOURS, -HOURS])
def test_a_living_job_goes_on_to_its_end_and_its_estimate_stays_sane(workspace, monkeypatch, jump, seconds):
    def count(workspace, parameters, context):
        for step in range(300):
            tell(context.progress, step, 300, "Counting")
            time.sleep(0.005)
        return {}

    monkeypatch.setitem(TASKS, "sample", count)
    job = workspace.submit("sample", {})
    thread = threading.Thread(target=work, args=(workspace,), kwargs={"until_empty": True, "warm": False})
    thread.start()
    until(lambda: workspace.status(job.id).done > 20)
    jump(seconds)
    seen = set()
    while workspace.status(job.id).is_open:
        status = workspace.status(job.id)
        seen.add(status.state)
        assert status.seconds < 60
        assert status.remaining is None or 0 <= status.remaining < 60
        time.sleep(0.1)
    thread.join()
    assert seen <= {"running", "finished"}
    assert ended(workspace, job.id) == "finished"
    assert workspace.job(job.id).attempts == 1


@pytest.mark.parametrize("seconds", [HOURS, -HOURS])
def test_a_worker_here_and_one_elsewhere_stay_alive(workspace, jump, seconds):
    from dataclasses import replace

    here = register(workspace, new_worker_id())
    elsewhere = replace(here, id="worker-2", host="another machine", pid=1)
    moment = [0.0]
    watch = Watch(lambda: moment[0])
    assert watch.is_alive(here)
    assert watch.is_alive(elsewhere)
    jump(seconds)
    moment[0] = 20.0
    assert watch.is_alive(here)
    assert watch.is_alive(elsewhere), "twenty seconds have passed, whatever the clock says"
    moment[0] = 31.0
    assert not watch.is_alive(elsewhere)
    assert watch.is_alive(replace(elsewhere, heartbeat=1.0)), (
        "any new beat is life, also one of a clock set back"
    )


@pytest.mark.parametrize("seconds", [HOURS, -HOURS])
def test_a_worker_that_never_came_up_is_started_anew(workspace, monkeypatch, jump, seconds):
    started = []
    monkeypatch.setattr(supervisor, "_start", lambda workspace: started.append(os.getpid()))
    supervisor.ensure_worker(workspace)
    supervisor.ensure_worker(workspace)
    assert len(started) == 1, "its turn has come, nobody else starts one"
    jump(seconds)
    supervisor.ensure_worker(workspace)
    assert len(started) == 2
