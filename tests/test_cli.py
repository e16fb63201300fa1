"""The command line: the same loop as the pages, ids on stdout, one sentence on trouble."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clustering.cli import main
from clustering.methods import absent, method
from clustering.workspace import Workspace

EXPORTS = {
    "labels csv": "l.csv",
    "labels parquet": "l.parquet",
    "map png": "m.png",
    "map svg": "m.svg",
    "report": "r.html",
    "model": "model",
}
TINY_GAN = {
    "epochs": 2,
    "refinements": 0,
    "hidden_dims": "8,8",
    "code_dim": 3,
    "batch_size": 16,
    "least_mass": 5,
    "device": "cpu",
}
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in a workspace of its own; return exit code, stdout and stderr."""
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "workspace"))

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out.strip(), said.err.strip()

    return command


@pytest.fixture
def table(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    groups = np.arange(120) % 3
    columns = {f"f{i}": rng.normal(size=120) + 4 * (groups == i) for i in range(4)}
    path = tmp_path / "flowers.csv"
    pd.DataFrame({**columns, "kind": [f"kind {g}" for g in groups]}).to_csv(path, index=False)
    return path


def test_from_a_file_to_a_judged_run_and_its_map(run, table, tmp_path):
    code, collection, said = run("load", str(table), "--label-column", "kind", "--name", "Flowers")
    assert code == 0, said
    assert collection.startswith("flowers-")
    assert "120 items" in said
    code, features, said = run("features", collection)
    assert code == 0, said
    options = ["-m", "kmeans", "-k", "3", "--seed", "7", "--baselines", "ward", "--projection", "pca"]
    code, made, said = run("train", features, *options)
    assert code == 0, said
    workspace = Workspace.open(tmp_path / "workspace")
    record = workspace.run(made)
    assert (record.parameters["n_clusters"], record.seed, record.n_clusters) == (3, 7, 3)
    assert record.summary["accuracy:kind"] > 0.9
    assert "has no tree to cut" in run("cut", made, "-k", "5")[2]
    [tree] = [one for one in workspace.runs() if one.method == "ward"]
    code, finer, said = run("cut", tree.id, "-k", "5")
    assert code == 0, said
    assert workspace.run(finer).n_clusters == 5
    assert "accuracy:kind" in workspace.run(finer).summary
    assert "Accuracy" in said
    assert {other.method for other in workspace.runs()} == {"kmeans", "ward"}
    assert [drawn.run_id for drawn in workspace.projections()] == [made]
    exported = tmp_path / "out"
    for what, name in EXPORTS.items():
        code, path, said = run("export", made, what.split()[0], "-o", str(exported / name))
        assert (code, path) == (0, str(exported / name)), said
    for taken in (pd.read_csv(exported / "l.csv"), pd.read_parquet(exported / "l.parquet")):
        np.testing.assert_array_equal(taken["label"], workspace.run_arrays(made).labels)
        assert {"confidence", "map_x", "q_1", "kind"} <= set(taken.columns)
    assert (exported / "m.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (exported / "m.svg").read_bytes()
    assert "k-means" in (exported / "r.html").read_text()
    again = method("kmeans").load(exported / "model")
    labels = again.predict(workspace.features(features))
    np.testing.assert_array_equal(labels, workspace.run_arrays(made).labels)
    assert run("export", made, "map", "-o", "m.pdf")[0] == 2
    assert run("export", made, "model", "-o", str(exported / "model"))[0] == 2
    code, drawn, said = run("project", features, "-p", "pca")
    assert code == 0, said
    assert workspace.projection(drawn).space == "features"
    assert np.isfinite(workspace.map(drawn)).all()
    code, listed, _ = run("list")
    assert code == 0
    for id in (collection, features, made, drawn):
        assert id in listed


def test_the_list_keeps_to_the_first_label_column_of_a_run(run, tmp_path):
    folder = tmp_path / "squares"
    folder.mkdir()
    names = [f"{number}.png" for number in range(12)]
    for number, name in enumerate(names):
        Image.new("RGB", (16, 16), (80 * (number % 3), 10 * number, 0)).save(folder / name)
    about = {"file": names, "red": ["none", "some", "much"] * 4, "half": ["first", "second"] * 6}
    pd.DataFrame(about).to_csv(folder / "metadata.csv", index=False)
    _, features, _ = run("features", run("load", str(folder))[1], "--encoder", "pixels")
    assert run("train", features, "-m", "kmeans", "-k", "3")[0] == 0
    listed = " ".join(run("list")[1].split())
    assert "nmi:red" in listed
    assert "and 1 more column" in listed
    assert "nmi:half" not in listed


def test_a_branch_of_a_tree_is_listed_and_split_again(run, table, tmp_path):
    _, features, _ = run("features", run("load", str(table))[1])
    settings = [f"--set={name}={value}" for name, value in TINY_GAN.items()]
    code, first, said = run("train", features, "-m", "hcmgan", "-k", "3", *settings)
    assert code == 0, said
    code, listed, _ = run("tree", first)
    rows = [line.split() for line in listed.splitlines()[1:]]
    assert rows[0][1] == "120"
    assert sorted(int(row[0]) for row in rows) == [0, 1, 2, 3, 4]
    code, again, said = run("split-again", first, rows[0][0], "--seed", "5", "--leaves", "3")
    assert code == 0, said
    made = Workspace.open(tmp_path / "workspace").run(again)
    assert (made.seed, made.parameters["n_clusters"]) == (5, 3)
    assert "120 items of the run “HC-MGAN” were split again from seed 5" in said
    assert "no branch 7 to be divided" in run("split-again", first, "7")[2]


def test_a_map_lies_on_the_one_before_unless_it_shall_stand_alone(run, tmp_path):
    from tests.small_workspace import filmed, make

    small = make(tmp_path, n=30, kind="table")
    trained, _ = filmed(small, "pca")
    code, drawn, said = run("project", trained, "-p", "pca", "--frames")
    assert code == 0, said
    assert small.workspace.laid_on(drawn) is not None
    assert small.workspace.companion(drawn, "frames").arrays["positions"].shape == (5, 30, 2)
    code, alone, said = run("project", trained, "-p", "pca", "--alone")
    assert code == 0, said
    assert small.workspace.laid_on(alone) is None
    assert small.workspace.companion(alone, "frames") is None


def test_a_method_gets_the_features_of_a_collection_that_suit_it(run, tmp_path):
    np.save(tmp_path / "waves.npy", np.random.default_rng(0).normal(size=(12, 8, 2)))
    _, collection, _ = run("load", str(tmp_path / "waves.npy"))
    tiny = ["-k", "2", "--pretrain-epochs", "1", "--epochs", "1", "-s", "hidden_dim=4", "-s", "latent_dim=2"]
    for name, encoder, words in (
        ("disc", "windows", "Windows as measured suit DISC: they keep the order"),
        ("kmeans", "window-statistics", "Statistics of windows suit k-means"),
    ):
        code, made, said = run("train", collection, "-m", name, *(tiny if name == "disc" else tiny[:2]))
        assert code == 0, said
        assert words in said
        workspace = Workspace.open(tmp_path / "workspace")
        assert workspace.feature_set(workspace.run(made).feature_id).encoder == encoder


def test_the_methods_to_try_first_are_listed_with_their_reasons(run, table):
    _, collection, _ = run("load", str(table))
    code, told, said = run("choose", collection, "--groups", "unknown", "--hint", "labels", "--others")
    assert code == 0, said
    assert "(kmeans)\n   Plain k-means may do" in told
    assert "It finds the number of groups itself." in told
    assert "None of these methods learns from labels" in told
    assert "Takes pictures, vectors; not tables." in told
    code, _, said = run("choose", collection, "--hint", "luck")
    assert (code, "There is no hint called “luck”" in said) == (2, True)


def test_a_collection_without_features_gets_the_default_ones_first(run, table, tmp_path):
    _, collection, _ = run("load", str(table))
    code, made, said = run("train", collection, "-m", "kmeans", "--set", "n_clusters=2")
    assert code == 0, said
    workspace = Workspace.open(tmp_path / "workspace")
    assert len(workspace.feature_sets(collection)) == 1
    assert workspace.run(made).n_clusters == 2
    run("train", collection, "-m", "kmeans", "--set", "n_clusters=3")
    assert len(workspace.feature_sets(collection)) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("load", "/nowhere/at/all"), "nothing at"),
        (("train", "nothing-1234"), "no feature set or collection called “nothing-1234”"),
        (("train", "x", "-m", "kmean"), "no method called “kmean”"),
        (("train", "x", "-m", "kmeans", "--set", "colour=red"), "no parameter called “colour”"),
        (("train", "x", "-m", "kmeans", "--set", "n_clusters=many"), "“n_clusters” is 'many'"),
        (("train", "x", "-m", "kmeans", "--set", "n_clusters"), "says no value"),
        (("train", "x", "-m", "kmeans", "--latent-dim", "0"), "“latent_dim” is 0"),
        (("project", "x", "-p", "sphere"), "no projection called “sphere”"),
        (("resume", "train-1234"), "no job called “train-1234”"),
        (("ask", "train-1234", "stop"), "no job called “train-1234”"),
        (("features", "nothing-1234"), "no collection called “nothing-1234”"),
        (("features", "x", "--set", "scale=none"), ""),
        (("list", "--workspace", __file__), "is a file, not a folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(run, arguments, said):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_too_many_groups_fail_the_job_and_leave_no_run(run, table, tmp_path):
    _, collection, _ = run("load", str(table))
    code, out, err = run("train", collection, "-m", "kmeans", "-k", "500")
    assert (code, out) == (2, "")
    assert "500" in err
    assert "120" in err
    assert Workspace.open(tmp_path / "workspace").runs() == []


def test_methods_lists_every_choice_and_the_parameters_of_one(run):
    code, listed, said = run("methods")
    assert code == 0
    assert all(line in said for line in absent())
    for name in ("kmeans", "dec", "umap", "efficientnet-lite0"):
        assert name in listed
    code, told, _ = run("methods", "dec")
    assert code == 0
    assert "n_clusters" in told
    assert "500,500,2000" in told
    code, _, err = run("methods", "nobody")
    assert code == 2
    assert "Choose one of" in err


def test_pairs_are_made_listed_and_taken_back_by_the_names_of_items(run, table):
    _, collection, _ = run("load", str(table))
    _, hint, _ = run("pair", collection, "1", "3", "--apart")
    assert run("pair", collection, "1", "none")[0] == 2
    code, listed, _ = run("pairs", collection)
    assert code == 0
    assert hint in listed and "apart" in listed and "1, 3" in listed
    code, nothing, said = run("pairs", collection, "--remove", hint)
    assert (code, nothing, said) == (0, "", "No pair was made by hand.")


def test_queue_hands_the_job_over_and_prints_its_id(run, table, tmp_path, monkeypatch):
    started: list[object] = []
    monkeypatch.setattr("clustering.jobs.supervisor.ensure_worker", started.append)
    code, job, said = run("load", str(table), "--queue")
    assert code == 0
    assert len(started) == 1
    assert "in the queue" in said
    assert Workspace.open(tmp_path / "workspace").job(job).state == "queued"
    code, _, said = run("worker", "--until-empty")
    assert code == 0, said
    workspace = Workspace.open(tmp_path / "workspace")
    assert workspace.job(job).state == "finished"
    assert workspace.open_collection(workspace.job(job).result["collection"]).n_items == 120


def test_a_training_that_collapsed_is_said_to_have(run, table):
    _, collection, _ = run("load", str(table))
    wild = ("hidden_dims=8", "latent_dim=2", "pretrain_epochs=2", "epochs=4", "cluster_learning_rate=1e4")
    given = [part for setting in wild for part in ("--set", setting)]
    _, _, said = run("train", collection, "-m", "dec", "-k", "5", *given)
    assert "of 120 items in" in said
    assert "Warning: " in said


def test_a_queued_training_is_called_as_the_studio_calls_it(run, table, tmp_path, monkeypatch):
    monkeypatch.setattr("clustering.jobs.supervisor.ensure_worker", lambda workspace: None)
    _, collection, _ = run("load", str(table))
    run("train", collection, "-m", "scan", "-k", "3", "--queue")
    titles = [job.title for job in Workspace.open(tmp_path / "workspace").jobs(open_only=True)]
    assert {"Train SCAN", "Measure quality"} <= set(titles)


def test_ctrl_c_leaves_a_job_that_resume_finishes(run, tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32))
    _, collection, _ = run("load", str(tmp_path / "v.npy"))
    settings = [
        "hidden_dims=8",
        "latent_dim=2",
        "n_clusters=2",
        "profile=fast",
        "pretrain_epochs=500",
        "epochs=2",
    ]
    given = [part for setting in settings for part in ("--set", setting)]
    training = subprocess.Popen(
        [sys.executable, "-m", "clustering.cli", "train", collection, *given],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in training.stderr:
        if "Pretraining" in line:
            break
    training.send_signal(signal.SIGINT)
    said = training.stderr.read()
    assert training.wait(timeout=60) == 2
    assert "Go on with: deepclust resume" in said
    house = Workspace.open(tmp_path / "workspace")
    job = next(job for job in house.jobs() if job.kind == "train")
    assert job.state == "interrupted"
    code, _, said = run("resume", job.id)
    assert code == 0, said
    assert house.job(job.id).state == "finished"
    told = json.loads((house.runs()[0].folder / "run.json").read_text())
    assert told["job_id"] == job.id


def test_the_studio_says_when_its_port_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "clustering.cli", "studio", "--port", port, "-w", str(tmp_path / "w")],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode != 0
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_several_seeds_are_asked_for_by_name_and_compared(run, table, tmp_path):
    _, features, _ = run("features", run("load", str(table))[1])
    small = ["hidden_dims=8", "latent_dim=2", "pretrain_epochs=2", "epochs=2", "n_init=3"]
    options = [part for entry in small for part in ("--set", entry)]
    code, made, said = run("train", features, "-m", "dec", "-k", "3", "--seed", "4", *options)
    assert code == 0, said
    assert "Of 3 seeds" in said
    assert "Agreement between runs (ARI)" in said
    workspace = Workspace.open(tmp_path / "workspace")
    assert [seed.seed for seed in workspace.seeds(made)] == [4, 5, 6]
    assert workspace.run_arrays(made).init_labels.shape == (3, 120)
