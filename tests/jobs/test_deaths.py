"""However a job dies, its state is clear, a sentence says why, and there is a way to go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from house import Worker, ended, features_in, until

from clustering.errors import MemoryFullError
from clustering.jobs import worker
from clustering.jobs.executors import Inline
from clustering.jobs.queue import register
from clustering.jobs.tasks import TASKS
from clustering.workspace import Workspace

ODD = Path(__file__).with_name("odd_worker.py")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def failing(monkeypatch, error: BaseException):
    def task(workspace, parameters, context):
        raise error

    monkeypatch.setitem(TASKS, "sample", task)


def dies(workspace: Workspace, job_id: str) -> str:
    """Let a worker take the job and die of it; return the state the job is then in."""
    with Worker(workspace, "--until-empty", script=ODD) as worker:
        assert worker.process.wait(timeout=60) == -signal.SIGKILL
    return workspace.status(job_id).state


def test_a_job_that_dies_twice_at_the_same_place_is_failed_and_memory_is_named(workspace):
    job = workspace.submit("sample", {"name": "vanish", "at": 3})
    assert dies(workspace, job.id) == "interrupted"
    workspace.request(job.id, "resume")
    assert dies(workspace, job.id) == "failed"
    told = workspace.status(job.id)
    assert "memory" in told.message
    assert "smaller batch" in told.mend
    workspace.request(job.id, "resume")
    assert workspace.status(job.id).message != told.message
    assert dies(workspace, job.id) == "interrupted", "who tries again is given two lives again"


def test_a_job_that_comes_further_between_its_deaths_may_die_as_often_as_it_likes(workspace):
    job = workspace.submit("sample", {"name": "vanish later", "further": str(workspace.root / "further")})
    for _ in range(4):
        assert dies(workspace, job.id) == "interrupted"
        workspace.request(job.id, "resume")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_go_leaves_its_job_resumable_and_another_takes_it_up(workspace, number):
    job = workspace.submit("sample", {"name": "count"})
    with Worker(workspace, script=ODD) as worker:
        until(lambda: workspace.status(job.id).done > 3)
        os.kill(worker.process.pid, number)
        assert worker.process.wait(timeout=20) == 0
    assert workspace.job(job.id).state == "interrupted"
    assert workspace.status(job.id).mend
    workspace.request(job.id, "resume")
    with Worker(workspace, "--until-empty", script=ODD):
        assert ended(workspace, job.id) == "finished"


def test_a_worker_told_to_go_the_moment_it_is_seen_goes_in_order(workspace, monkeypatch):
    def seen_and_told(workspace, worker_id):
        entered = register(workspace, worker_id)
        os.kill(os.getpid(), signal.SIGTERM)
        return entered

    monkeypatch.setattr(worker, "register", seen_and_told)
    job = workspace.submit("sample", {"name": "count"})
    assert worker.work(workspace, warm=False) == 0
    assert workspace.workers() == []
    assert workspace.job(job.id).state == "queued"


def test_used_up_memory_of_the_machine_is_a_sentence(workspace, monkeypatch):
    monkeypatch.setitem(TASKS, "sample", lambda *_: {"never": np.ones(1 << 56)})
    with Inline(workspace) as here:
        job = here.submit("sample", {})
    assert job.state == "failed"
    assert "memory of this machine is used up" in job.problem
    assert "smaller batch" in job.mend
    assert job.offer == {}


def test_used_up_memory_of_the_device_offers_a_smaller_batch_with_which_the_chain_goes_on(
    workspace, monkeypatch
):
    features = features_in(workspace)
    train = TASKS["train"]

    def small_device(workspace, parameters, context):
        if parameters["parameters"].get("batch_size", 256) > 128:
            raise MemoryFullError("The memory is used up.", "Train again with batches of 128.", 128)
        return train(workspace, parameters, context)

    monkeypatch.setitem(TASKS, "train", small_device)
    quick = {"n_clusters": 3, "hidden_dims": [8], "latent_dim": 2, "pretrain_epochs": 1, "epochs": 1}
    wanted = {"features": features.id, "method": "dec", "parameters": {**quick, "batch_size": 256}}
    job = workspace.submit("train", wanted, title="Train DEC")
    judged = workspace.submit("quality", {}, after=job.id)
    worker.work(workspace, until_empty=True, warm=False)
    assert (workspace.job(job.id).state, workspace.job(judged.id).state) == ("failed", "failed")
    assert workspace.status(job.id).offer == {"batch_size": 128}

    again = workspace.again(job.id, workspace.status(job.id).offer)
    assert again.title == "Train DEC"
    assert again.parameters == {**wanted, "parameters": {**quick, "batch_size": 128}}
    assert workspace.status(job.id).offer == {}, "an offer is taken once"
    assert workspace.job(judged.id).after == again.id
    worker.work(workspace, until_empty=True, warm=False)
    assert (workspace.job(again.id).state, workspace.job(judged.id).state) == ("finished", "finished")


def test_what_was_not_foreseen_is_a_sentence_and_the_worker_goes_on(workspace, monkeypatch):
    failing(monkeypatch, RuntimeError("the moon is full"))
    with Inline(workspace) as here:
        first, second = here.submit("sample", {}), here.submit("sample", {})
    assert [job.state for job in (first, second)] == ["failed", "failed"]
    assert "the moon is full" in first.problem
    assert "Traceback" in (first.folder / "log.txt").read_text()
