"""Quality: the numbers shown are the numbers measured, and the page keeps one honest."""

from __future__ import annotations

import json

import numpy as np
import pytest
import streamlit as st

from clustering.projections.pca import PCA
from clustering.ui.groups import Groups
from clustering.ui.judging import BY_CONSTRUCTION
from clustering.ui.seeds_view import most_alike, plain_words
from clustering.words import figure
from clustering.workspace import RunArrays
from tests.pages.conftest import SETTINGS, unfolded, words
from tests.pages.test_train import pressed


def still_tables(app):
    """Return the small tables of a page as they are read, without Markdown's backslashes."""

    def read(text):
        return text.replace("\\", "")

    return [frame.value.map(read).rename(columns=read) for frame in app.table]


def deep(workspace):
    """Return the deep run."""
    return next(run for run in workspace.runs() if run.family == "deep")


def test_headline_figures_are_those_of_the_run(workspace, visit):
    app = visit("quality")
    column = app.segmented_control[0].value
    rows = {row["name"]: row for row in workspace.quality(deep(workspace).id) if row["column"] == column}
    shown = {metric.label: metric.value for metric in app.metric}
    for name in ("nmi", "ari", "accuracy", "purity"):
        assert shown[rows[name]["title"]] == figure(rows[name]["value"])


def test_what_was_wrong_when_the_training_ended_is_said_before_any_figure(workspace, visit):
    run = deep(workspace)
    with (run.folder / "history.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps({"kind": "epoch", "alarms": ["Group 1 holds all.", "No other."]}) + "\n")
    st.cache_data.clear()  # other tests have seen a run of this id
    assert [said.value for said in visit("quality").warning] == ["Group 1 holds all.\n\nNo other."]


def test_another_column_brings_other_figures(workspace, visit):
    app = visit("quality")
    columns = app.segmented_control[0].options
    app.segmented_control[0].set_value(columns[-1]).run()
    rows = {row["name"]: row for row in workspace.quality(deep(workspace).id) if row["column"] == columns[-1]}
    assert next(metric.value for metric in app.metric if "NMI" in metric.label) == figure(
        rows["nmi"]["value"]
    )


def test_label_free_figures_stand_in_both_spaces_with_the_warning(workspace, visit):
    app = visit("quality")
    table = next(frame for frame in still_tables(app) if "In the latent space" in frame)
    silhouette = table[table["Measure"].str.startswith("Silhouette")].iloc[0]
    rows = {row["space"]: row for row in workspace.quality(deep(workspace).id) if row["name"] == "silhouette"}
    assert silhouette["In the features"] == figure(rows["features"]["value"])
    assert silhouette["In the latent space"] == figure(rows["latent"]["value"])
    assert BY_CONSTRUCTION in words(app)


def test_the_nmi_normalisation_is_named(workspace, visit):
    app = visit("quality")
    assert any("arithmetic" in metric.label for metric in app.metric)


def test_the_run_stands_beside_plain_methods(workspace, visit):
    table = next(frame.value for frame in visit("quality").dataframe if "Kind" in frame.value)
    assert set(table["Kind"]) == {"deep", "plain"}
    assert (table[""] == "this run").sum() == 1


@pytest.mark.parametrize("page", ["quality", "explore"])
def test_beside_a_map_stands_what_not_to_read_into_it(workspace, visit, page):
    assert PCA.info.honesty in words(visit(page)).replace("\\", "")


def test_a_run_that_was_not_measured_offers_to_be(workspace, visit):
    (deep(workspace).folder / "quality.json").unlink()
    app = visit("quality")
    pressed(app, "Measure it")
    job = workspace.jobs()[0]
    assert (job.kind, job.parameters["run"]) == ("quality", deep(workspace).id)
    assert "Measure quality" in words(app)


def test_environment_seed_and_origin_are_told(workspace, visit):
    app = unfolded(visit("quality"), "quality-made")
    told = words(app).replace("\\", "")
    assert f"seed {deep(workspace).seed}" in "\n".join(block.proto.body for block in app.get("html"))
    assert workspace.feature_sets()[0].origin in told
    environment = next(frame for frame in still_tables(app) if "torch" in set(frame.get("Name", ())))
    assert "python" in set(environment["Name"])


@pytest.fixture
def several(workspace):
    """The newest run of the workspace: three seeds of DEC, measured."""
    from clustering.jobs.executors import Inline

    with Inline(workspace) as here:
        wanted = {"features": deep(workspace).feature_id, "method": "dec"}
        train = here.submit("train", {**wanted, "parameters": {**SETTINGS, "n_init": 3}})
        here.submit("quality", {}, train.id)
    for job in workspace.jobs():
        assert job.state == "finished", job.problem
        workspace.remove_job(job.id)
    return workspace.run(train.result["run"])


def test_several_seeds_stand_beside_one_another_with_a_sentence(workspace, visit, several):
    app = visit("quality")
    assert not app.exception
    told = words(app)
    assert "Would another seed tell the same?" in told
    rows = {row["name"]: row for row in workspace.quality(several.id)}
    assert f"(mean ARI {figure(rows['mean_ari']['value'], 2)})" in told
    assert "Three seeds" in told
    label = rows["weakest_cluster"]["cluster"]
    assert f"The least settled group is Group {label + 1}" in told.replace("\\", "")
    table = next(frame for frame in still_tables(app) if "Loss" in frame)
    assert list(table["Seed"]) == [str(seed.seed) for seed in workspace.seeds(several.id)]
    kept = next(at for at, seed in enumerate(workspace.seeds(several.id)) if seed.kept)
    column = table["Agreement with the kept one (ARI)"]
    for at, seed in enumerate(workspace.seeds(several.id)):
        assert column[at] == ("kept" if at == kept else figure(rows[f"seed_{seed.seed}"]["value"]))
    alike = {row["seed"]: row["alike"] for row in rows.values() if row.get("detail") == "seed"}
    for seed, shown in zip(table["Seed"].astype(int), table["with the others"], strict=True):
        most = alike[seed] == max(alike.values())
        assert shown.startswith(figure(alike[seed]))
        assert most or "most like them" not in shown
    assert sum("most like them" in shown for shown in table["with the others"]) == 1
    assert "most like the others" in told
    assert f"seed {several.seed}, best of 3" in "\n".join(block.proto.body for block in app.get("html"))


def test_the_seed_most_like_the_others_is_named_where_one_is_and_of_equals_the_kept_one():
    def seeds(*alike: float) -> list[dict]:
        return [{"seed": at, "loss": 0.1, "kept": at == 1, "alike": a} for at, a in enumerate(alike, 1)]

    apart = most_alike(seeds(0.5, 0.6, 0.9))
    assert "Seed 1 is kept" in apart
    assert "seed 3 is the most like the others (mean ARI 0.90 with them, the kept one 0.50)" in apart
    assert "also the most like" in most_alike(seeds(0.9, 0.6, 0.9))
    assert most_alike(seeds(0.5, 0.5)) == ""
    old = [{key: row[key] for key in row if key != "alike"} for row in seeds(0.5, 0.6, 0.9)]
    assert most_alike(old) == ""


def test_a_name_given_to_the_weakest_group_is_used(workspace, visit, several):
    rows = {row["name"]: row for row in workspace.quality(several.id)}
    workspace.name_cluster(several.id, rows["weakest_cluster"]["cluster"], "Dark *seas*")
    assert "The least settled group is Dark *seas*" in words(visit("quality")).replace("\\", "")


def test_a_run_of_one_seed_offers_five_with_the_same_settings(workspace, visit):
    app = visit("quality")
    assert "This run has one only." in words(app)
    pressed(app, "Train with 5 seeds")
    assert not app.exception
    train = next(job for job in workspace.jobs() if job.kind == "train")
    run = deep(workspace)
    assert train.parameters["features"] == run.feature_id
    assert train.parameters["parameters"] == {**run.parameters, "n_init": 5}
    assert "Several seeds are being trained" in words(visit("quality"))


def test_a_plain_method_is_offered_no_seeds(workspace, visit):
    app = visit("quality")
    plain = next(run for run in workspace.runs() if run.family == "baseline")
    app.session_state["_run"] = plain.id
    assert "Train with 5 seeds" not in [button.label for button in app.run().button]


@pytest.mark.parametrize(
    ("mean", "said"), [(1.0, "tell the same"), (0.91, "agree well"), (0.0, "contradict one another")]
)
def test_agreement_is_said_in_words(mean, said):
    groups = Groups(RunArrays(np.arange(3), np.eye(3, dtype=np.float32), np.eye(3), np.eye(3)), {})
    told = plain_words({"mean_ari": {"value": mean}}, 5, groups)
    assert told.startswith("**Five seeds ")
    assert said in told


@pytest.mark.parametrize("page", ["train", "quality"])
def test_a_page_that_waits_for_the_first_collection_shows_how_far_it_is(empty_workspace, visit, page):
    assert "It needs a collection first." in words(visit(page))
    empty_workspace.submit("sample", {"name": "digits"}, title="Sample: handwritten digits")
    told = words(visit(page)).replace("\\", "")
    assert "Sample: handwritten digits" in told
    assert "It needs a collection first." not in told
