"""Real papers and the links between them, from the file to a judged run and what is taken along."""

from __future__ import annotations

import numpy as np

from clustering.cli.taking import graph_file
from clustering.collections import load
from clustering.jobs.executors import Inline
from clustering.workspace import Workspace

TINY = {
    "n_clusters": 3, "hidden_dims": (16,), "latent_dim": 4, "pretrain_epochs": 1, "epochs": 1,
    "update_interval": 2, "device": "cpu", "random_state": 0,
}  # fmt: skip


def test_papers_with_shared_authors_go_the_whole_way(shared_data, tmp_path):
    workspace = Workspace.open(tmp_path)
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(shared_data / "graph_acm.npz")})
        encode = here.submit("features", {"encoder": "auto"}, load.id)
        train = here.submit("train", {"method": "sdcn", "parameters": TINY}, encode.id)
        here.submit("quality", {}, train.id)
    assert all(job.state == "finished" for job in workspace.jobs()), [job.problem for job in workspace.jobs()]
    (run,) = workspace.runs()
    figures = {row["name"]: row for row in workspace.quality(run.id)}
    assert figures["accuracy"]["n_used"] == 3025
    assert 0 < figures["links_within"]["value"] <= 1
    assert figures["modularity"]["value"] < figures["links_within"]["value"]
    assert any("links within groups" in str(row) for row in workspace.history(run.id))  # the method saw them
    assert len(graph_file(workspace, run.id, "csv").splitlines()) == 13_129


def test_papers_without_a_class_are_left_out_of_the_judgement(shared_data, tmp_path):
    papers = load(shared_data / "graph_citeseer.npz", tmp_path / "c")
    assert (papers.data().shape, papers.edges().shape) == ((3327, 3703), (4552, 2))
    assert papers.items["class"].isna().sum() == 15
    lonely = np.flatnonzero(papers.items["links"] == 0)
    assert len(lonely) == 48
    told = " ".join(finding.sentence for finding in papers.findings)
    assert "48 nodes have no link" in told
    assert "24 nodes repeat an earlier one" in told
