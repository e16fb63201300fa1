"""A graph by clicks and commands: from two tables to a map, the card of a node, what is taken along."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from clustering.charts.graph_exports import graphml, links_table
from clustering.cli.taking import graph_file
from clustering.errors import StudioError
from clustering.jobs.executors import Inline
from clustering.methods.dagc import DAGC
from clustering.ui.explore_links import sentence
from clustering.words import figure
from clustering.workspace import Workspace
from tests.pages.conftest import words
from tests.pages.test_train import control, pressed

SETTINGS = {
    "n_clusters": 2, "hidden_dims": (8,), "latent_dim": 2, "pretrain_epochs": 3, "epochs": 1,
    "update_interval": 3, "device": "cpu", "random_state": 0,
}  # fmt: skip


def tables(folder: Path) -> Path:
    """Two bells of six nodes with a path between them, the last node without a link."""
    folder.mkdir()
    graph = nx.convert_node_labels_to_integers(nx.barbell_graph(6, 2))
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(15, 3)).round(3), columns=["a", "b", "c"])
    rows.insert(0, "id", [f"n{node}" for node in range(15)])
    rows["class"] = ["left"] * 7 + ["right"] * 8
    rows.to_csv(folder / "nodes.csv", index=False)
    ends = pd.DataFrame([(f"n{a}", f"n{b}") for a, b in graph.edges], columns=["source", "target"])
    ends.to_csv(folder / "edges.csv", index=False)
    return folder


@pytest.fixture
def bells(workspace: Workspace, tmp_path: Path) -> Workspace:
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(tables(tmp_path / "bells")), "name": "Bells"})
        encode = here.submit("features", {"encoder": "auto"}, load.id)
        chosen = {"method": "dagc", "parameters": SETTINGS}
        train = here.submit("train", chosen, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
        here.submit("quality", {}, train.id)
    jobs = workspace.jobs()
    assert all(job.state == "finished" for job in jobs), [job.problem for job in jobs]
    for job in jobs:
        workspace.remove_job(job.id)
    return workspace


def test_links_of_the_collection_reach_the_method_and_are_judged(bells):
    record = bells.collections()[0]
    collection, (run,) = bells.open_collection(record.id), bells.runs(record.id)
    labels = np.asarray(bells.run_arrays(run.id).labels)
    linked = DAGC(**SETTINGS).fit(collection.data(), edges=collection.edges())
    np.testing.assert_allclose(bells.run_arrays(run.id).soft_assignments, linked.soft_assignments_, atol=1e-6)
    alone = DAGC(**SETTINGS).fit(collection.data())
    assert not np.allclose(alone.soft_assignments_, linked.soft_assignments_)
    figures = {row["name"]: row["value"] for row in bells.quality(run.id) if row["group"] == "links"}
    graph = nx.Graph(map(tuple, collection.edges().tolist()))
    graph.add_nodes_from(range(15))
    groups = [set(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    assert figures["modularity"] == pytest.approx(nx.community.modularity(graph, groups))
    assert run.summary["modularity:"] == figures["modularity"]


def test_a_graph_is_walked_through_from_its_check_to_its_figures(bells, visit):
    run = bells.runs(bells.collections()[0].id)[0]
    told = words(visit("collection"))
    assert "33 links between 15 nodes" in told
    assert "1 node has no link" in told
    app = visit("train")
    assert not app.exception
    assert not [text for text in app.caption if "not at their links" in text.value]
    app = visit("explore")
    assert not app.exception
    assert "The node nearest to the middle of each group" in words(app)
    for node, said in ((0, "by links"), (14, "No link leads to this node")):
        app.session_state["explore-open"] = node
        app.run()
        assert not app.exception
        assert said in words(app)
    app = visit("quality")
    assert not app.exception
    figures = {one.label: one.value for one in app.metric}
    assert figures["Modularity"] == figure(run.summary["modularity:"])
    assert {"Links within groups", "Mean conductance"} <= set(figures)
    assert "A method that is shown the links makes these figures good" in words(app)


def test_the_sentence_on_neighbours_counts_those_of_the_own_group():
    Told = SimpleNamespace(groups=SimpleNamespace(name=lambda label: ["Left", "Group 2"][label]))
    assert sentence(Told, 0, np.array([0, 0, 1])) == "3 neighbours by links, 2 of them in its group (Left)."
    assert sentence(Told, 0, np.array([0])) == "1 neighbour by links, its group (Left)."
    assert sentence(Told, 1, np.array([1, 1])) == "2 neighbours by links, all in its group (Group 2)."
    assert sentence(Told, -1, np.array([1, 1])) == "2 neighbours by links."


def test_a_method_without_links_says_which_take_them(bells, visit):
    app = visit("train")
    app.session_state["_method"] = "kmeans"
    app.run()
    assert not app.exception
    said = next(text.value for text in app.caption if "not at their links" in text.value)
    assert all(name in said for name in ("SDCN", "DAGC", "UDDA"))


def test_links_and_groups_can_be_taken_along(bells):
    run = bells.runs(bells.collections()[0].id)[0]
    labels = bells.run_arrays(run.id).labels
    graph = nx.read_graphml(io.BytesIO(graph_file(bells, run.id, "graphml")))
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (15, 33)
    assert [graph.nodes[f"n{node}"]["label"] for node in range(15)] == labels.tolist()
    assert graph.nodes["n3"]["class"] == "left"
    assert {"map_x", "confidence", "group"} <= set(graph.nodes["n3"])
    rows = pd.read_csv(io.BytesIO(graph_file(bells, run.id, "csv")))
    assert rows.columns.tolist() == ["source", "target", "source_group", "target_group", "same_group"]
    assert len(rows) == 33
    assert rows.iloc[0]["source"] == "n0"
    pictures = next(one for one in bells.runs() if one.collection_id != run.collection_id)
    with pytest.raises(StudioError, match="no links between them"):
        graph_file(bells, pictures.id, "csv")


def test_what_is_missing_or_odd_leaves_the_graph_readable():
    table = pd.DataFrame({"id": ["a", "b & c"], "label": [0, -1], "group": ["Group 1", "Unassigned"]})
    table["when"] = pd.to_datetime(["1900-01-01", None])
    graph = nx.read_graphml(io.BytesIO(graphml(table, [[0, 1]])))
    assert dict(graph.nodes["b & c"]) == {"label": -1, "group": "Unassigned"}
    assert graph.nodes["a"]["when"].startswith("1900-01-01")
    assert links_table(table, [[0, 1]])["same_group"].tolist() == [False]


def test_two_tables_dropped_at_once_are_a_graph_with_its_options(empty_workspace, visit, tmp_path):
    folder = tables(tmp_path / "bells")
    app = visit("collection")
    for name in ("nodes.csv", "edges.csv"):
        app.get("file_uploader")[0].upload(name, (folder / name).read_bytes(), "text/csv")
    app.run()
    control(app, "radio", "The files hold").set_value("graph")
    app.run()
    control(app, "selectbox", "Dangling").set_value("leave out")
    app.run()
    pressed(app, "Load")
    parameters = empty_workspace.jobs()[0].parameters
    assert (parameters["kind"], parameters["options"]["dangling"]) == ("graph", "leave out")
    assert {path.name for path in Path(parameters["source"]).iterdir()} == {"nodes.csv", "edges.csv"}
