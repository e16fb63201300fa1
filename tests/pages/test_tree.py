"""The tree on the Explore page: the way down its branches, a cut tried on the map, a cut kept as a run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustering.jobs import catalogue
from clustering.jobs.cut import same_cut
from clustering.jobs.executors import Inline
from clustering.methods.hcmgan import HCMGAN
from clustering.methods.ward import Ward
from clustering.ui import explore_cut
from clustering.workspace import RunRecord, Workspace
from tests.small_workspace import Small, make

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, str]:
    """A workspace with a run of Ward's tree, its map, and the run's id."""
    found = make(tmp_path_factory.mktemp("tree"), n=24)
    wanted = {"features": found.features, "method": "ward", "parameters": {"n_clusters": 3}}
    with Inline(found.workspace) as here:
        trained = here.submit("train", wanted)
        here.submit("project", {"projection": "pca", "space": "latent"}, trained.id)
    return found, trained.result["run"]


@pytest.fixture
def small(grown: tuple[Small, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    root = tmp_path / "workspace"
    shutil.copytree(grown[0].workspace.root, root)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(root))
    monkeypatch.setattr("clustering.ui.jobs.ensure_worker", lambda workspace: None)
    return replace(grown[0], workspace=Workspace.open(root))


@pytest.fixture
def ward(small: Small, grown: tuple[Small, str]) -> RunRecord:
    return small.workspace.run(grown[1])


def opened(run: str, **session: Any) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.run()
    app.session_state["_run"] = run
    app.switch_page("pages/explore.py").run()
    for name, value in {"tree-room": True, **session}.items():
        app.session_state[name] = value
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(str(one.value) for one in [*app.markdown, *app.caption, *app.subheader])


def button(app: AppTest, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def test_only_a_run_with_a_tree_shows_one(small: Small, ward: RunRecord) -> None:
    assert "Works of this branch" in words(opened(ward.id))
    app = opened(small.run)
    assert not app.exception
    assert "of this branch" not in words(app)
    assert "Cut of the tree" not in app.selectbox(key="explore-colour").options


def test_one_walks_down_to_a_single_item_and_back(small: Small, ward: RunRecord) -> None:
    tree = small.workspace.tree(ward.id)
    assert tree is not None
    app, node, depth = opened(ward.id), tree.root, 0
    while (halves := tree.halves(node)) is not None:
        said = words(app)
        for half in halves:
            assert f"**{tree.size(half)} work" in said
        node, depth = halves[-1], depth + 1
        app.button(key=f"tree-open-{node}").click().run()
        assert not app.exception
    assert depth > 1
    assert "The tree does not divide this branch further." in words(app)
    button(app, "All 24").click().run()
    assert "**All 24 works**" in words(app)


def test_a_branch_can_be_selected_on_the_map(small: Small, ward: RunRecord) -> None:
    tree = small.workspace.tree(ward.id)
    assert tree is not None
    branch = tree.halves(tree.root)[1]  # type: ignore[index]
    app = opened(ward.id)
    app.button(key=f"tree-open-{branch}").click().run()
    app.button(key="tree-select").click().run()
    assert not app.exception
    assert app.session_state["_basket"][small.collection].tolist() == tree.members(branch).tolist()


def test_moving_the_cut_colours_the_map_with_its_groups(small: Small, ward: RunRecord) -> None:
    app = opened(ward.id)
    assert "These are the groups of this run." in words(app)
    app.slider(key=f"tree-cut-{ward.id}").set_value(6).run()
    assert not app.exception
    assert app.selectbox(key="explore-colour").value == "Cut of the tree"
    tree = small.workspace.tree(ward.id)
    assert tree is not None
    np.testing.assert_array_equal(app.session_state["_explore-map"]["codes"], tree.cut(6))
    assert "6 groups; the largest holds" in words(app)
    app.slider(key=f"tree-cut-{ward.id}").set_value(4).run()
    assert not app.exception
    np.testing.assert_array_equal(app.session_state["_explore-map"]["codes"], tree.cut(4))
    assert "4 groups; the largest holds" in words(app)


def test_groups_of_a_cut_keep_the_colours_of_the_groups_they_are_parts_of(ward: RunRecord) -> None:
    finer = explore_cut.cut_groups(ward.id, 6)
    same = explore_cut.cut_groups(ward.id, ward.n_clusters)
    assert same.numbers == tuple(range(ward.n_clusters))
    assert len(set(finer.numbers)) == 6
    assert set(range(ward.n_clusters)) <= set(finer.numbers)


def test_a_cut_is_kept_as_the_run_that_a_training_would_give(small: Small, ward: RunRecord) -> None:
    app = opened(ward.id)
    app.slider(key=f"tree-cut-{ward.id}").set_value(5).run()
    button(app, "Use this cut as groups").click().run()
    assert not app.exception
    with Inline(small.workspace) as here:
        jobs = {job.kind: job for job in small.workspace.jobs(open_only=True)}
        assert jobs["quality"].after == jobs["cut"].id
        for job in jobs.values():
            small.workspace.request(job.id, "cancel")
        made = here.submit("cut", jobs["cut"].parameters)
        judged = here.submit("quality", {}, made.id)
        again = here.submit("cut", jobs["cut"].parameters)
    run = small.workspace.run(made.result["run"])
    assert judged.result["run"] == again.result["run"] == run.id != ward.id
    assert run.parameters == {**ward.parameters, "n_clusters": 5}
    fresh = Ward(n_clusters=5).fit(small.workspace.features(small.features))
    np.testing.assert_array_equal(small.workspace.run_arrays(run.id).labels, fresh.labels_)
    [drawn] = small.workspace.projections(run_id=run.id)  # the latent space is the same, and so is its map
    [first] = small.workspace.projections(run_id=ward.id)
    np.testing.assert_array_equal(small.workspace.map(drawn.id), small.workspace.map(first.id))
    assert small.workspace.quality(run.id)
    app = opened(ward.id, **{f"tree-cut-{ward.id}": 5})
    button(app, "Open the run with this cut").click().run()
    assert not app.exception
    assert app.session_state["_run"] == run.id
    assert "These are the groups of this run." in words(app)


def test_a_tree_whose_leaves_hold_items_by_degrees_tells_masses_and_its_cuts_are_kept(small: Small) -> None:
    settings = {"n_clusters": 4, "epochs": 2, "refinements": 1, "hidden_dims": [8], "batch_size": 8}
    wanted = {"features": small.features, "method": "hcmgan", "parameters": {**settings, "least_mass": 1.0}}
    with Inline(small.workspace) as here:
        trained = here.submit("train", wanted)
        here.submit("project", {"projection": "pca", "space": "latent"}, trained.id)
    run = small.workspace.run(trained.result["run"])
    tree, held = small.workspace.tree(run.id), small.workspace.run_arrays(run.id).soft_assignments
    assert tree is not None and tree.memberships is not None
    np.testing.assert_array_equal(tree.held(4), held)
    app = opened(run.id)
    assert not app.exception
    for half in tree.halves(tree.root):  # type: ignore[union-attr]
        assert f"Mass {tree.mass(half):,.1f} of 24" in words(app)
    assert "Mass 24.0 of 24, and it is divided by degrees" in words(app)
    heavier = max(tree.halves(tree.root), key=tree.size)  # type: ignore[arg-type]
    app.button(key=f"tree-open-{heavier}").click().run()
    app.slider(key=f"tree-cut-{run.id}").set_value(2).run()
    assert not app.exception
    np.testing.assert_array_equal(app.session_state["_explore-map"]["codes"], tree.cut(2))
    with Inline(small.workspace) as here:
        made = here.submit("cut", {"run": run.id, "n_clusters": 2})
    kept = small.workspace.run_arrays(made.result["run"])
    np.testing.assert_array_equal(kept.labels, tree.cut(2))
    np.testing.assert_array_equal(kept.soft_assignments, tree.held(2))


def test_another_run_without_a_tree_is_coloured_by_its_groups_again(small: Small, ward: RunRecord) -> None:
    app = opened(ward.id)
    app.slider(key=f"tree-cut-{ward.id}").set_value(6).run()
    app.session_state["_run"] = small.run
    app.run()
    assert not app.exception
    labels = small.workspace.run_arrays(small.run).labels
    np.testing.assert_array_equal(app.session_state["_explore-map"]["codes"], labels)


def test_a_branch_is_split_again_into_a_run_of_its_own(small: Small) -> None:
    with Inline(small.workspace) as here:
        wanted = {"features": small.features, "method": "hcmgan", "parameters": HCMGAN.info.test_settings}
        first = here.submit("train", wanted).result["run"]
        here.submit("project", {"projection": "pca", "space": "latent", "run": first})
    tree = small.workspace.tree(first)
    assert tree is not None and tree.n_leaves == 3
    catalogue.write(small.workspace.cache)
    app = opened(first)
    assert "The 3 groups it has now go with its old halves." in words(app)
    assert words(app).count("Nearest to what its generators make") == 2
    branch = int(tree.children[-1].max())  # the root's half that was split
    app.button(key=f"tree-open-{branch}").click().run()
    assert "go with its old halves" not in words(app)
    app.button(key="split-again").click().run()
    assert not app.exception
    with Inline(small.workspace) as here:
        jobs = {job.kind: job for job in small.workspace.jobs(open_only=True)}
        assert jobs["quality"].after == jobs["split-again"].id
        assert jobs["split-again"].parameters.items() >= {"run": first, "node": branch, "leaves": 2}.items()
        for job in jobs.values():
            small.workspace.request(job.id, "cancel")
        seed = jobs["split-again"].parameters["random_state"]
        made = small.workspace.run(here.submit("split-again", jobs["split-again"].parameters).result["run"])
        cut = here.submit("cut", {"run": made.id, "n_clusters": 2}).result["run"]
    assert made.name == f"HC-MGAN, {tree.size(branch)} split again"
    assert made.reason.startswith(f"{tree.size(branch)} items of the run “HC-MGAN” were split again")
    assert [one["node"] for one in small.workspace.splits_again(cut)] == [branch]
    assert made.seed == seed
    assert [one.projection for one in small.workspace.projections(run_id=made.id)] == ["pca"]
    assert same_cut(small.workspace, made, 2).id == cut  # type: ignore[union-attr]
    model = HCMGAN.load(made.folder / "model")
    np.testing.assert_array_equal(
        model.predict(small.workspace.features(small.features)), small.workspace.run_arrays(made.id).labels
    )
    np.testing.assert_allclose(model.tree().mass(model.tree().root), 24, rtol=1e-5)
