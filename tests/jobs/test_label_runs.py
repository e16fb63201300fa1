"""From labels on the command line to a run made of them: what is learned from, what only judges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustering.cli import main
from clustering.jobs.executors import Inline
from clustering.jobs.labelling import kept_survey, survey_file
from clustering.jobs.lessons import accuracy_sentence
from clustering.workspace import RunArrays, Workspace


@pytest.fixture
def house(tmp_path, monkeypatch, capsys):
    """A workspace of 60 items in three plain groups, and a way to run commands in it."""
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "house"))
    workspace = Workspace.open(tmp_path / "house")
    kinds = np.arange(60) % 3
    rows = np.random.default_rng(0).normal(size=(60, 4)) * 0.4 + 5 * np.eye(4)[kinds]
    pd.DataFrame(rows, columns=list("abcd")).assign(id=[f"i{n}" for n in range(60)]).to_csv(
        tmp_path / "t.csv", index=False
    )
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(tmp_path / "t.csv")})
        features = here.submit("features", {}, load.id).result

    def command(*arguments: str) -> tuple[str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main(list(arguments))
        said = capsys.readouterr()
        return said.out.strip(), said.err.strip()

    return workspace, features["collection"], features["features"], command


def test_labels_are_asked_for_given_listed_and_written_on_the_command_line(house, tmp_path):
    workspace, collection, _, command = house
    listed, _ = command("label-next", collection, "-n", "3")
    ids = list(workspace.open_collection(collection).items["id"].astype(str))
    asked = [ids.index(line.split()[0]) for line in listed.splitlines()[2:]]
    assert sorted(item % 3 for item in asked) == [0, 1, 2]
    command("label", collection, "sea", ids[asked[0]], ids[asked[1]])
    assert workspace.labels(collection) == {asked[0]: "sea", asked[1]: "sea"}
    out, said = command("labels", collection, "--remove", ids[asked[1]], "-o", str(tmp_path / "l.csv"))
    assert "1 labels were written" in said or "1 label" in said
    workspace.set_labels(collection, {asked[0]: None})
    out, _ = command("labels", collection, "--read", str(tmp_path / "l.csv"))
    assert "sea" in out
    assert workspace.labels(collection) == {asked[0]: "sea"}
    assert "There is no item “nobody”" in command("label", collection, "sea", "nobody")[1]


def test_a_run_of_usl_t_says_itself_what_to_label_and_of_another_run_the_features_are_asked(house):
    workspace, collection, features, command = house
    rows, labels = np.asarray(workspace.features(features)), np.arange(60) % 3
    odds = 0.05 + 0.85 * np.eye(3, dtype=np.float32)[labels]
    odds[[12, 31, 50]] = 0.005 + 0.985 * np.eye(3, dtype=np.float32)[[0, 1, 2]]
    arrays = RunArrays(labels, odds, rows, np.stack([rows[labels == kind].mean(axis=0) for kind in range(3)]))
    run, other = (
        workspace.add_run(features, arrays, method=name, title=name, family="deep", parameters={}, seed=0).id
        for name in ("usl_t", "idec")
    )
    ids = list(workspace.open_collection(collection).items["id"].astype(str))
    listed, _ = command("label-next", run, "-n", "2")
    asked = [ids.index(line.split()[0]) for line in listed.splitlines()[2:]]
    assert asked == [12, 31]
    assert "surest of among them" in listed
    workspace.set_labels(collection, {12: "sea"})
    assert "i12" not in command("label-next", run)[0].split()
    assert "most typical of them" in command("label-next", other, "-n", "2")[0]


def test_what_is_held_back_is_not_learned_from_and_is_counted(house):
    workspace, collection, features, command = house
    labels = {item: f"kind {item % 3}" for item in range(24)}
    workspace.set_labels(collection, labels)
    made, said = command("refine", features)
    run = workspace.run(made)
    given = workspace.run_details(made)["given"]
    assert len(given["labels"]) == len(given["held_back"]) * 3 == 18
    assert not set(given["labels"]) & set(given["held_back"])
    assert "Of 6 held back, 6 came out right: 100%, in truth between 61% and 100%" in said
    assert "That is few" in said
    assert (workspace.run_arrays(made).labels == np.arange(60) % 3).all()
    assert workspace.cluster_names(made) == {0: "kind 0", 1: "kind 1", 2: "kind 2"}
    wrong = dict.fromkeys(map(int, given["held_back"]), "kind 1")
    workspace.set_labels(collection, wrong)  # the strata change, so look at the labels learned from then
    again = workspace.run_details(command("refine", features)[0])["given"]
    assert sum(label == "kind 1" for label in again["held_back"].values()) >= 1
    assert run.summary["silhouette:features"] > 0.5, "judged like any run"


def test_too_few_labels_are_said_plainly(house):
    workspace, collection, features, command = house
    assert "No item of the collection has a label yet" in command("refine", features)[1]
    workspace.set_labels(collection, {0: "a"})
    assert "There is one label to learn from" in command("refine", features)[1]
    workspace.set_labels(collection, {1: "b"})
    assert "none could be held back" in command("refine", features, "--way", "nearest_label")[1]


def test_a_survey_is_made_once_for_a_budget_and_again_where_its_file_is_broken(house):
    workspace, _, features, _ = house
    wanted = {"features": features, "budget": 5}
    with Inline(workspace) as here:
        here.submit("survey", wanted)
        file = survey_file(workspace, features, 5)
        moment = file.stat().st_mtime_ns
        here.submit("survey", wanted)
        assert file.stat().st_mtime_ns == moment
        file.write_bytes(b"torn")
        assert kept_survey(workspace, features, 5) is None
        here.submit("survey", wanted)
    found = kept_survey(workspace, features, 5)
    assert found is not None
    assert found.budget == 5


def test_fixmatch_learns_the_same_labels_and_judges_by_the_same_ones(house):
    workspace, collection, features, command = house
    workspace.set_labels(collection, {item: f"kind {item % 3}" for item in range(24)})
    plain = workspace.run_details(command("refine", features)[0])["given"]
    with Inline(workspace) as here:
        settings = {"steps": 60, "batch_size": 8, "ratio": 2, "device": "cpu"}
        job = here.submit("train", {"features": features, "method": "fixmatch", "parameters": settings})
    assert job.state == "finished", job.problem
    run = workspace.run(job.result["run"])
    assert run.parameters["n_clusters"] == 3, "as many as there are labels, whatever was asked for"
    assert workspace.run_details(run.id)["given"] == plain
    assert workspace.cluster_names(run.id) == {0: "kind 0", 1: "kind 1", 2: "kind 2"}
    assert (workspace.run_arrays(run.id).labels == np.arange(60) % 3).mean() > 0.9
    assert "Of 6 held back" in accuracy_sentence(workspace, run.id)
    unlabelled = dict.fromkeys(range(24))
    workspace.set_labels(collection, unlabelled)
    with Inline(workspace) as here:
        job = here.submit("train", {"features": features, "method": "fixmatch", "parameters": settings})
    assert (job.state, job.problem) == ("failed", "No item of the collection has a label yet.")
