"""A worker killed with SIGKILL, at any moment, costs nothing but the time since its last checkpoint."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from house import ROOT, Worker, ended, features_in, until

from clustering.jobs.executors import Inline
from clustering.methods import method
from clustering.parameters import checked_parameters
from clustering.workspace import Workspace, without_repeats

EAGER = Path(__file__).with_name("eager_worker.py")
TRAIN = {
    "method": "dec",
    "parameters": {
        "n_clusters": 3,
        "hidden_dims": [12],
        "latent_dim": 3,
        "pretrain_epochs": 12,
        "epochs": 8,
        "tolerance": 0.0,
        "batch_size": 64,
        "profile": "fast",
    },
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def epochs(workspace: Workspace, job_id: str) -> list[tuple[str, int]]:
    rows, _ = workspace.events(job_id)
    return [(row["phase"], row["epoch"]) for row in rows if row["kind"] == "epoch"]


def test_a_run_killed_at_five_moments_ends_with_the_labels_of_an_unbroken_one(workspace):
    features = features_in(workspace)
    with Inline(workspace) as here:
        unbroken = here.submit("train", {"features": features.id, **TRAIN})
    assert unbroken.state == "finished", unbroken.problem
    job = workspace.submit("train", {"features": features.id, **TRAIN})

    def began() -> bool:
        return any(row["kind"] == "started" for row in workspace.events(job.id)[0])

    def reached(phase: str, epoch: int) -> bool:
        return (phase, epoch) in epochs(workspace, job.id)

    moments = {
        "before the first epoch": lambda: workspace.job(job.id).state == "running" and began(),
        "in pretraining": lambda: reached("pretrain", 5),
        "between the phases": lambda: reached("pretrain", 12),
        "in clustering": lambda: reached("cluster", 3),
        "while the run is written": lambda: list((workspace.root / "runs").glob(".*.part")),
    }
    seen: dict[str, int] = {}
    for name, moment in moments.items():
        with Worker(workspace, script=EAGER) as worker:
            until(moment)
            worker.kill()
        seen[name] = len(epochs(workspace, job.id))
        assert workspace.status(job.id).state == "interrupted"
        assert "ended unexpectedly" in workspace.status(job.id).message
        assert len(workspace.runs()) == 1, "nothing half-made is a run"
        workspace.request(job.id, "resume")
    with Worker(workspace, "--until-empty", script=EAGER):
        assert ended(workspace, job.id) == "finished"

    whole, broken = (workspace.run(workspace.job(id).result["run"]) for id in (unbroken.id, job.id))
    one, other = workspace.run_arrays(whole.id), workspace.run_arrays(broken.id)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.soft_assignments, other.soft_assignments)
    assert workspace.job(job.id).attempts == 6
    assert not (workspace.job(job.id).folder / "checkpoint").exists()

    # no attempt began again from the start once there was a checkpoint
    assert epochs(workspace, job.id)[seen["in pretraining"]][1] > 1
    # the kill came when the last epoch of pretraining was told: just before it was kept, or a moment after
    went_on = epochs(workspace, job.id)[seen["between the phases"]]
    assert went_on == ("pretrain", 12) or (went_on[0] == "cluster" and went_on[1] <= 3)

    # what was seen twice is told once, and nothing is missing
    rows = [row for row in without_repeats(workspace.events(job.id)[0]) if row["kind"] == "epoch"]
    expected = [("pretrain", e) for e in range(1, 13)] + [("cluster", e) for e in range(1, 9)]
    assert [(row["phase"], row["epoch"]) for row in rows] == expected
    assert [
        (row["phase"], row["epoch"]) for row in workspace.history(broken.id) if row["kind"] == "epoch"
    ] == expected
    shown = [(s.phase, s.epoch) for s in workspace.snapshots(broken.id)]
    assert shown == sorted(set(shown), key=lambda at: (at[0] != "pretrain", at[1]))


def test_sigterm_ends_the_step_marks_the_job_interrupted_and_leaves_a_state_to_go_on_from(workspace):
    features = features_in(workspace)
    job = workspace.submit("train", {"features": features.id, **TRAIN})
    with Worker(workspace, script=EAGER) as worker:
        until(lambda: ("pretrain", 4) in epochs(workspace, job.id))
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.process.wait(timeout=20) == 0
    assert workspace.job(job.id).state == "interrupted"
    assert workspace.workers() == []
    assert (workspace.job(job.id).folder / "checkpoint").exists()


def test_run_json_alone_is_enough_to_make_the_run_again(workspace):
    features = features_in(workspace)
    with Inline(workspace) as here:
        job = here.submit("train", {"features": features.id, **TRAIN})
    told = json.loads((workspace.run(job.result["run"]).folder / "run.json").read_text())
    chosen = method(told["method"])
    again = chosen(**checked_parameters(chosen, told["parameters"])).fit(workspace.features(features.id))
    np.testing.assert_array_equal(again.labels_, workspace.run_arrays(told["id"]).labels)
    assert told["features"]["key"] == features.key
    assert told["collection"]["content_hash"] == workspace.collection(features.collection_id).content_hash
    assert told["environment"]["versions"]["torch"]
    assert told["seed"] == told["parameters"]["random_state"]


def test_the_worker_runs_from_any_folder(workspace, tmp_path):
    assert (ROOT / "clustering").is_dir()
    with Worker(workspace, "--until-empty") as worker:
        assert worker.process.wait(timeout=60) == 0
