"""Runs on the same features share what a network has learned of them."""

from __future__ import annotations

from pathlib import Path

from house import features_in

from clustering.jobs.executors import Inline
from clustering.workspace import Workspace

SCAN = {
    "n_clusters": 3,
    "pretext": "contrast",
    "pretrain_epochs": 2,
    "hidden_dims": [8],
    "latent_dim": 4,
    "self_label_epochs": 0,
}


def test_features_learned_in_one_run_are_not_learned_again_in_the_next(tmp_path: Path):
    workspace = Workspace.open(tmp_path / "workspace")
    features = features_in(workspace)
    learned = []
    with Inline(workspace) as here:
        for epochs in (2, 3):
            wanted = {"features": features.id, "method": "scan", "parameters": {**SCAN, "epochs": epochs}}
            job = here.submit("train", wanted)
            assert job.state == "finished", job.problem
            history = workspace.events(job.id)[0]
            learned.append(sum(row["kind"] == "epoch" and row["phase"] == "features" for row in history))
    assert learned == [2, 0]
    assert len(list((workspace.cache / "learned").iterdir())) == 1
