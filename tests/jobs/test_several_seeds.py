"""Several seeds of one run: all that they found is kept, and no picture of one is shown as another's."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from clustering.jobs.context import JobContext
from clustering.jobs.executors import Inline
from clustering.jobs.seeds import pictures_of
from clustering.metrics import stability
from clustering.metrics.external import ari
from clustering.training.events import Epoch, Finished, Snapshot, Started
from clustering.workspace import SeedRecord, Workspace, without_repeats
from clustering.workspace.snapshots import keep_snapshot
from tests.jobs.house import Worker, features_in

DYING = Path(__file__).with_name("dying_worker.py")

TINY = {
    "n_clusters": 3,
    "hidden_dims": (12,),
    "latent_dim": 3,
    "pretrain_epochs": 4,
    "epochs": 6,
    "device": "cpu",
    "random_state": 2,
}


def snapshot(seed: int | None, epoch: int) -> Snapshot:
    rows, places = np.arange(4), np.zeros((4, 2), np.float32)
    return Snapshot("cluster", epoch, rows, places, rows, places[:, 0], places[:1], seed=seed)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with a judged run of four seeds, and one of a single seed."""
    workspace = Workspace.open(tmp_path_factory.mktemp("seeds"))
    features = features_in(workspace)
    with Inline(workspace) as here:
        for settings in (TINY, {**TINY, "n_init": 4}):
            wanted = {"features": features.id, "method": "dec", "parameters": settings}
            made = here.submit("train", wanted)
            here.submit("quality", {}, made.id)
    assert all(job.state == "finished" for job in workspace.jobs()), [job.problem for job in workspace.jobs()]
    several, one = workspace.runs()
    return workspace, several, one


def test_a_run_keeps_what_all_its_seeds_found(trained):
    workspace, run, _ = trained
    arrays, seeds = workspace.run_arrays(run.id), workspace.seeds(run.id)
    assert [seed.seed for seed in seeds] == [2, 3, 4, 5]
    assert arrays.init_labels.shape == (4, run.n_items)
    assert arrays.init_labels.dtype == np.int64
    kept = next(at for at, seed in enumerate(seeds) if seed.kept)
    assert seeds[kept].loss == min(seed.loss for seed in seeds)
    np.testing.assert_array_equal(arrays.init_labels[kept], arrays.labels)
    assert run.seed == seeds[kept].seed
    told = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert [SeedRecord(**seed) for seed in told["seeds"]] == seeds
    assert told["parameters"]["random_state"] == 2  # what was asked for makes the same run again


def test_a_run_of_one_seed_has_nothing_to_compare(trained):
    workspace, _, run = trained
    assert workspace.run_arrays(run.id).init_labels is None
    assert workspace.seeds(run.id) == []
    assert not [row for row in workspace.quality(run.id) if row["group"] == "stability"]
    assert workspace.snapshots(run.id)


def assert_pictures_show_the_kept_seed(workspace, run):
    """The snapshots of a run are all of its own seed, from the first look to the result."""
    shown = workspace.snapshots(run.id)
    assert {one.seed for one in shown} == {run.seed}
    places = [(one.phase, one.epoch) for one in shown]
    assert places == list(dict.fromkeys(places)), "nothing twice"
    assert places[0] == ("pretrain", 0)
    assert {phase for phase, _ in places} == {"pretrain", "cluster"}
    last = shown[-1].load()
    agree = last["labels"] == workspace.run_arrays(run.id).labels[last["rows"]]
    assert np.mean(agree) > 0.99


def test_the_kept_snapshots_are_those_of_the_kept_seed_whichever_it_is(trained):
    workspace, run, one = trained
    for each in (run, one):
        assert_pictures_show_the_kept_seed(workspace, each)
    rows = workspace.history(run.id)
    assert {row["seed"] for row in rows} == {run.seed}
    assert [row["kind"] for row in rows].count("started") == 1


def test_several_seeds_killed_when_the_first_has_ended_go_on_and_show_the_kept_one(tmp_path):
    workspace = Workspace.open(tmp_path)
    wanted = {"features": features_in(workspace).id, "method": "dec"}
    wanted["parameters"] = {**TINY, "n_init": 3, "epochs": 30}
    with Inline(workspace) as here:
        unbroken = here.submit("train", wanted)
    assert unbroken.state == "finished", unbroken.problem
    job = workspace.submit("train", wanted)
    with Worker(workspace, script=DYING) as worker:
        assert worker.process.wait(timeout=60) == -signal.SIGKILL
    assert workspace.status(job.id).state == "interrupted"
    ended = [row["seed"] for row in workspace.events(job.id)[0] if row["kind"] == "finished"]
    assert len(ended) == 1
    with Inline(workspace) as here:
        again = here.resume(job.id)
    whole, broken = (workspace.run(one.result["run"]) for one in (unbroken, again))
    one, other = workspace.run_arrays(whole.id), workspace.run_arrays(broken.id)
    np.testing.assert_array_equal(one.init_labels, other.init_labels)
    np.testing.assert_array_equal(one.labels, other.labels)
    assert broken.seed == whole.seed
    assert_pictures_show_the_kept_seed(workspace, broken)

    rows = without_repeats(workspace.events(job.id)[0])
    for seed in (2, 3, 4):
        places = [
            (row["phase"], row["epoch"]) for row in rows if row["kind"] == "epoch" and row["seed"] == seed
        ]
        assert places == list(dict.fromkeys(places))
        assert ("pretrain", 1) in places
        assert any(phase == "cluster" for phase, _ in places)


def test_pictures_of_an_older_version_are_those_of_the_only_seed_or_of_nobody_knows_which(tmp_path):
    keep_snapshot(tmp_path, snapshot(None, 1))
    keep_snapshot(tmp_path, snapshot(7, 2))
    assert len(pictures_of(tmp_path, 7, several=False)) == 2
    assert [path.name for path in pictures_of(tmp_path, 7, several=True)] == [
        "000001-seed-7-cluster-000002.npz"
    ]


def test_the_status_follows_the_first_seed_that_still_trains(tmp_path):
    context = JobContext("a-job", tmp_path)

    def told() -> tuple:
        return context.status.content["seed"], context.status.content["done"]

    for seed in (4, 5):
        context.emit(Started("dec", (("cluster", 9),), 10, 2, "cpu", "Because.", seed=seed))
    context.emit(Epoch("cluster", 1, 9, {}, seed=4))
    context.emit(Epoch("cluster", 2, 9, {}, seed=5))
    assert told() == (4, 1)
    context.emit(Finished("Converged.", 1.0, seed=4))
    context.emit(Epoch("cluster", 3, 9, {}, seed=5))
    assert told() == (5, 3)
    context.close()


def test_stability_is_that_of_the_labels_kept(trained):
    workspace, run, _ = trained
    arrays, seeds = workspace.run_arrays(run.id), workspace.seeds(run.id)
    rows = [row for row in workspace.quality(run.id) if row["group"] == "stability"]
    told = {row["name"]: row for row in rows}
    others = [labels for seed, labels in zip(seeds, arrays.init_labels, strict=True) if not seed.kept]
    for figure in stability([arrays.labels, *others], run.seed):
        assert told[figure.name]["value"] == pytest.approx(figure.value)
    for seed, labels in zip(seeds, arrays.init_labels, strict=True):
        row = told[f"seed_{seed.seed}"]
        assert row["value"] == pytest.approx(ari(arrays.labels, labels))
        rest = [
            ari(labels, other) for one, other in zip(seeds, arrays.init_labels, strict=True) if one != seed
        ]
        assert row["alike"] == pytest.approx(np.mean(rest))
        assert (row["detail"], row["loss"], row["kept"]) == ("seed", seed.loss, seed.kept)
    weakest = told["weakest_cluster"]
    assert told[f"cluster_{weakest['cluster']}"]["value"] == pytest.approx(weakest["value"])
    assert min(row["value"] for row in rows if row.get("detail") == "cluster") == weakest["value"]


def test_the_report_counts_the_seeds_and_shows_only_the_headlines(trained):
    from clustering.cli.taking import report_file

    workspace, run, one = trained
    page = report_file(workspace, run.id).decode()
    assert f"4 (2 to 5), of which {run.seed} is kept" in page
    assert "Agreement between runs (ARI)" in page
    assert "beside the kept one" not in page
    assert "is kept" not in report_file(workspace, one.id).decode()
