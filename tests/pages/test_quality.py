"""Quality: the numbers shown are the numbers measured, and the page keeps one honest."""

from __future__ import annotations

from clustering.ui.judging import BY_CONSTRUCTION
from clustering.ui.words import figure
from tests.pages.conftest import words
from tests.pages.test_train import pressed


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
    table = next(frame.value for frame in app.dataframe if "In the latent space" in frame.value)
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


def test_a_run_that_was_not_measured_offers_to_be(workspace, visit):
    (deep(workspace).folder / "quality.json").unlink()
    app = visit("quality")
    pressed(app, "Measure it")
    job = workspace.jobs()[0]
    assert (job.kind, job.parameters["run"]) == ("quality", deep(workspace).id)
    assert "Measure quality" in words(app)


def test_environment_seed_and_origin_are_told(workspace, visit):
    app = visit("quality")
    told = words(app).replace("\\", "")
    assert f"seed {deep(workspace).seed}" in "\n".join(block.proto.body for block in app.get("html"))
    assert workspace.feature_sets()[0].origin in told
    environment = next(frame.value for frame in app.dataframe if "torch" in set(frame.value.get("Name", ())))
    assert "python" in set(environment["Name"])
