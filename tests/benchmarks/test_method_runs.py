"""The benchmark's book-keeping: every fit gets one row, whatever becomes of it, and is not run twice."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import all_methods
import method_runs
from data_sets import DataSet
from method_runs import Fit, kept, run, same_fit, table


@pytest.fixture(autouse=True)
def little_imported(monkeypatch):
    monkeypatch.setattr(method_runs, "IMPORTED", ["torch", "sklearn.cluster"])
    # a page that was tested before stays the main script, which a process of a fit would run again
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None, raising=False)


@pytest.fixture
def blobs(tmp_path) -> DataSet:
    y = np.repeat([0, 1, 2], 20)
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32) + 9 * y[:, None].astype(np.float32)
    np.savez(tmp_path / "blobs.npz", x=x, y=y)
    return DataSet("blobs", str(tmp_path / "blobs.npz"), n_clusters=3)


def test_fits_leave_rows_and_are_not_run_again(blobs, tmp_path):
    fits = [Fit(blobs, "kmeans", seed, {"n_clusters": 3}) for seed in (0, 1)]
    fits.append(Fit(blobs, "kmeans", 0, {"n_clusters": 600}, "too many groups"))
    rows = run(fits, tmp_path / "rows.jsonl", workers=2)
    assert [row.get("y accuracy") for row in rows] == [1.0, 1.0, None]
    assert "600" in rows[2]["failed"]
    assert all(row["host_gib"] > 0 and row["seconds"] > 0 for row in rows[:2])
    assert sorted(map(same_fit, kept(tmp_path / "rows.jsonl"))) == sorted(map(same_fit, rows))

    before = (tmp_path / "rows.jsonl").read_text()
    assert run(fits, tmp_path / "rows.jsonl", workers=2) == rows
    assert (tmp_path / "rows.jsonl").read_text() == before
    run(fits, tmp_path / "rows.jsonl", retry=True)
    assert len(kept(tmp_path / "rows.jsonl")) == 4  # only what failed was run again


def test_a_fit_that_takes_too_long_or_dies_says_so(blobs, tmp_path):
    slow = Fit(blobs, "ae_kmeans", 0, {"n_clusters": 3, "pretrain_epochs": 100_000, "device": "cpu"})
    (row,) = run([slow], tmp_path / "rows.jsonl", limit_seconds=0.1)
    assert row["failed"] == "stopped after 0.1 s"
    assert "stopped after 0.1 s" in table([row])


def test_fits_of_a_seed_share_what_they_learn_first_and_say_so(blobs, tmp_path):
    small = {"n_clusters": 3, "hidden_dims": (8,), "latent_dim": 4, "pretrain_epochs": 2, "device": "cpu"}
    scan = small | {"pretext": "contrast", "epochs": 2, "self_label_epochs": 0}
    fits = [Fit(blobs, "contrast_kmeans", 0, small), Fit(blobs, "scan", 0, scan)]
    (apart,) = run(fits[1:], tmp_path / "apart.jsonl")
    first, second = run(fits, tmp_path / "shared.jsonl", learned=tmp_path / "learned")
    assert [row["recalled"] for row in (apart, first, second)] == [False, False, True]
    assert second["y nmi"] == apart["y nmi"]


def test_the_table_averages_over_seeds_and_times_the_whole_fits_that_ran_alone():
    costs = {"cpu_seconds": 1.0, "gpu_gib": 0.0, "host_gib": 0.5, "machine": "CPU"}
    rows = [
        {"label": "a", "y nmi": 0.4, "seconds": 10.0, "workers": 1, **costs},
        {"label": "a", "y nmi": 0.6, "seconds": 90.0, "workers": 8, **costs},
        {"label": "a", "y nmi": 0.5, "seconds": 1.0, "workers": 1, "recalled": True, **costs},
        {"label": "b", "y nmi": 1.0, "seconds": 3.0, "workers": 8, **costs},
        {"label": "c", "y nmi": 1.0, "seconds": 2.0, "workers": 1, "recalled": True, **costs},
    ]
    _, _, a, b, c = table(rows, {"a": "NMI .7"}).splitlines()
    assert a == "| a | 3 | .500 ± .082 | 10.0 | 1.0 | 0.0 | 0.5 | CPU | NMI .7 |"
    assert b == "| b | 1 | 1.000 | 3.0† | 1.0 | 0.0 | 0.5 | CPU |  |"
    assert c == "| c | 1 | 1.000 | 2.0‡ | 1.0 | 0.0 | 0.5 | CPU |  |"


def test_the_plan_holds_every_method_of_ours_on_the_data_sets_it_takes(tmp_path):
    from clustering.methods import methods

    sets = all_methods.data_sets(tmp_path, tmp_path / "artworks.npz")
    fits = all_methods.plan(sets, None, [0, 1])
    own = {name: kind.info for name, kind in methods().items() if not kind.info.library}
    unhelped = {name for name, info in own.items() if "labels" not in info.inputs}
    assert {"kmeans", "dec", "disc"} <= unhelped and "fixmatch" not in unhelped  # it needs labels
    assert {fit.method for fit in fits} == unhelped
    pictured = [fit for fit in fits if "(views: " in fit.label]
    assert {(fit.method, fit.data.name) for fit in pictured} >= {
        (name, data) for name in ("cc", "pica", "scan", "iciclegcn") for data in ("digits", "mnist", "cifar")
    }
    assert {fit.settings["views"] for fit in pictured if fit.data.name == "mnist"} == {"digits"}
    for data in sets:
        there = {fit.method for fit in fits if fit.data is data}
        assert there == {name for name in unhelped if data.kind in own[name].kinds}
    assert len({same_fit(fit.row()) for fit in fits}) == len(fits)
    assert not [data.name for data in sets if data.there() and data.name in {"mnist", "artworks"}]
