"""Several seeds of one run: all that they found is kept, and no picture of one is shown as another's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clustering.jobs.executors import Inline
from clustering.jobs.seeds import OneSeed
from clustering.metrics import stability
from clustering.metrics.external import ari
from clustering.training.events import Epoch, Snapshot
from clustering.workspace import SeedRecord, Workspace
from clustering.workspace.snapshots import keep_snapshot, snapshots_in
from tests.jobs.house import features_in

TINY = {
    "n_clusters": 3,
    "hidden_dims": (12,),
    "latent_dim": 3,
    "pretrain_epochs": 4,
    "epochs": 6,
    "device": "cpu",
    "random_state": 2,
}


def snapshot(rows: np.ndarray, epoch: int) -> Snapshot:
    n = len(rows)
    return Snapshot(
        "cluster",
        epoch,
        rows,
        np.zeros((n, 2), np.float32),
        np.zeros(n, np.int64),
        np.zeros(n, np.float32),
        np.zeros((1, 2), np.float32),
    )


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


def test_the_kept_snapshots_are_those_of_the_kept_seed_or_none(trained):
    workspace, run, _ = trained
    arrays, seeds = workspace.run_arrays(run.id), workspace.seeds(run.id)
    kept = workspace.snapshots(run.id)
    assert bool(kept) == seeds[0].kept
    if kept:
        last = kept[-1].load()
        assert np.mean(last["labels"] == arrays.labels[last["rows"]]) > 0.99
    assert [row["epoch"] for row in workspace.history(run.id) if row["kind"] == "epoch"]


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


def test_only_the_snapshots_of_one_seed_are_passed_on(tmp_path):
    heard = []
    listen = OneSeed(heard.append, tmp_path, n_init=3)
    first, other = np.arange(4), np.arange(4)
    told = [snapshot(first, 0), Epoch("cluster", 1, 9, {}), snapshot(first, 1), snapshot(other, 2)]
    for event in told:
        listen(event)
    assert heard == told[:3]


@pytest.mark.parametrize(
    ("n_init", "kept", "interrupted", "shown"),
    [(1, None, False, 1), (1, None, True, 2), (2, 0, False, 1), (2, 1, False, 0), (2, 0, True, 0)],
)
def test_snapshots_of_a_seed_that_was_not_kept_or_of_nobody_knows_which_are_left_out(
    tmp_path, n_init, kept, interrupted, shown
):
    def keep(event):
        keep_snapshot(tmp_path, event)

    if interrupted:
        keep(snapshot(np.arange(4), 1))
    listen = OneSeed(keep, tmp_path, n_init)
    listen(snapshot(np.arange(4), 2))
    seeds = [SeedRecord(at, 0.5, at == kept) for at in range(n_init)] if n_init > 1 else []
    assert len(listen.snapshots(seeds)) == shown
    if n_init > 1:
        assert len(snapshots_in(tmp_path)) == 1
