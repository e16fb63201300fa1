"""What is kept stays whole: records, files, removal, selections, names, notes."""

from __future__ import annotations

import dataclasses
import errno
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clustering.errors import StudioError
from clustering.methods.kmeans import KMeans
from clustering.methods.ward import Ward
from clustering.workspace import RunArrays, SeedRecord, Workspace, last_alarms
from clustering.workspace.database import Database

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    monkeypatch.delenv("STUDIO_DATABASE", raising=False)
    return Workspace.open(tmp_path / "workspace")


def add_collection(workspace: Workspace, n: int = 30, name: str = "Paintings") -> str:
    folder = workspace.new_collection_folder(name)
    folder.mkdir(parents=True)
    (folder / "data.txt").write_text("kept")
    about = SimpleNamespace(
        folder=folder, name=name, kind="vectors", n_items=n, source="here", created="", content_hash="h",
        label_columns=("style",),
    )  # fmt: skip
    return workspace.add_collection(about).id


def add_features(workspace: Workspace, collection_id: str, key: str = "k", n: int = 30, d: int = 4):
    values = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    about = {"encoder": "vectors", "title": "Vectors", "origin": "Itself.", "parameters": {"scale": "none"}}
    return workspace.add_features(collection_id, values, key=key, **about)


def add_run(workspace: Workspace, feature_id: str, n: int = 30, **options):
    rng = np.random.default_rng(1)
    arrays = RunArrays(
        labels=rng.integers(-1, 3, n),
        soft_assignments=rng.dirichlet(np.ones(3), n).astype(np.float32),
        latents=rng.normal(size=(n, 2)).astype(np.float32),
        centers=rng.normal(size=(3, 2)).astype(np.float32),
    )
    about = {"method": "dec", "title": "DEC", "family": "deep", "parameters": {"n_clusters": 3}, "seed": 5}
    return workspace.add_run(feature_id, arrays, **{**about, **options}), arrays


def add_map(workspace: Workspace, feature_id: str, run_id: str | None, n: int = 30):
    about = {"space": "latent", "projection": "pca", "title": "PCA", "engine": "here", "notes": ["Small."]}
    positions = np.zeros((n, 2), np.float32)
    return workspace.add_projection(feature_id, positions, run_id=run_id, parameters={}, seed=0, **about)


def test_what_was_added_is_found_by_another_opening(workspace):
    collection = add_collection(workspace)
    features = add_features(workspace, collection)
    run, arrays = add_run(workspace, features.id, history=[{"kind": "epoch", "loss": float("nan")}])
    drawn = add_map(workspace, features.id, run.id)
    again = Workspace.open(workspace.root)
    assert [record.id for record in again.collections()] == [collection]
    assert again.feature_sets(collection) == [features]
    assert again.runs(collection) == [run]
    assert again.projections(run_id=run.id) == [drawn]
    assert drawn.notes == ("Small.",)
    for name in ("labels", "soft_assignments", "latents", "centers"):
        kept = getattr(again.run_arrays(run.id), name)
        np.testing.assert_array_equal(kept, getattr(arrays, name))
        assert isinstance(kept, np.memmap)
    assert again.history(run.id) == [{"kind": "epoch", "loss": None}]
    assert run.n_clusters == 3, "noise is no cluster"


def test_a_run_knows_what_was_wrong_when_its_fit_ended(workspace):
    features = add_features(workspace, add_collection(workspace))
    epochs = [
        {"kind": "epoch", "phase": "cluster", "epoch": 1, "alarms": ["old"]},
        {"kind": "epoch", "phase": "cluster", "epoch": 2, "alarms": ["empty", "empty", "giant"]},
        {"kind": "finished", "reason": "Done."},
    ]
    collapsed, _ = add_run(workspace, features.id, history=epochs)
    sound, _ = add_run(workspace, features.id, history=[{"kind": "epoch"}])
    assert workspace.alarms(collapsed.id) == ["empty", "giant"]
    assert workspace.alarms(sound.id) == last_alarms([]) == []
    assert sound.found == "3 groups of 30 items"
    assert dataclasses.replace(sound, n_clusters=1, n_items=70_000).found == "1 group of 70,000 items"


def test_run_json_tells_features_collection_and_seed(workspace):
    features = add_features(workspace, add_collection(workspace))
    run, _ = add_run(workspace, features.id, environment={"python": "3"})
    told = workspace.run_details(run.id)
    assert told["features"]["key"] == "k"
    assert told["features"]["parameters"] == {"scale": "none"}
    assert told["collection"]["content_hash"] == "h"
    assert told["seed"] == 5
    assert told["environment"] == {"python": "3"}


def test_the_same_features_are_kept_once(workspace):
    collection = add_collection(workspace)
    assert add_features(workspace, collection) == add_features(workspace, collection)
    assert add_features(workspace, collection, key="other").id != add_features(workspace, collection).id
    assert len(list((workspace.root / "features").iterdir())) == 2


def test_removing_a_collection_removes_all_that_stands_on_it_and_nothing_else(workspace):
    collection, other = add_collection(workspace), add_collection(workspace)
    features, kept = add_features(workspace, collection), add_features(workspace, other)
    run, _ = add_run(workspace, features.id)
    add_map(workspace, features.id, run.id)
    add_map(workspace, features.id, None)
    workspace.save_selection(collection, "mine", [1])
    workspace.name_cluster(run.id, 0, "blue")
    workspace.add_note(f"run/{run.id}/cluster/0", "nice")
    workspace.add_note(f"run/{run.id}0", "another's")
    workspace.remove_collection(collection)
    assert [record.id for record in workspace.collections()] == [other]
    assert workspace.feature_sets() == [kept]
    assert workspace.runs() == []
    assert workspace.projections() == []
    assert workspace.selections(collection) == []
    assert workspace.notes(f"run/{run.id}") == []
    assert len(workspace.notes(f"run/{run.id}0")) == 1
    assert [folder.name for folder in (workspace.root / "collections").iterdir()] == [other]
    assert [folder.name for folder in (workspace.root / "features").iterdir()] == [kept.id]
    assert list((workspace.root / "runs").iterdir()) == []
    assert list((workspace.root / "projections").iterdir()) == []


def test_nothing_is_removed_while_a_job_uses_it(workspace):
    collection = add_collection(workspace)
    features = add_features(workspace, collection)
    run, _ = add_run(workspace, features.id)
    jobs = [
        workspace.submit("train", {"features": features.id, "method": "dec"}),
        workspace.submit("project", {"run": run.id, "projection": "pca"}),
    ]
    with pytest.raises(StudioError, match=r"in use by the job .Train: dec., which is queued"):
        workspace.remove_collection(collection)
    with pytest.raises(StudioError, match="in use by the job"):
        workspace.remove_run(run.id)
    assert (workspace.collection(collection).folder / "data.txt").exists()
    for job in jobs:
        workspace.request(job.id, "cancel")
    with pytest.raises(StudioError, match="carries runs"):
        workspace.remove_features(features.id)
    workspace.remove_run(run.id)
    workspace.remove_features(features.id)
    workspace.remove_collection(collection)
    assert workspace.collections() == []


@pytest.mark.parametrize("look", ["collection", "feature_set", "run", "projection", "job", "selection_items"])
def test_what_is_not_there_is_named(workspace, look):
    with pytest.raises(StudioError, match="called “nothing-1”"):
        getattr(workspace, look)("nothing-1")


@pytest.mark.parametrize("id", ["../../etc", "a/b", "", "A", "a\x00b", "."])
def test_an_id_never_becomes_a_path(workspace, id):
    with pytest.raises(StudioError):
        workspace.run_arrays(id)
    with pytest.raises(StudioError):
        workspace._folder("runs", id)


def test_features_that_do_not_fit_are_refused_and_leave_nothing(workspace):
    collection = add_collection(workspace)
    about = {"encoder": "v", "title": "V", "origin": "o", "parameters": {}, "key": "x"}
    with pytest.raises(StudioError, match=r"shape \(29, 4\)"):
        workspace.add_features(collection, np.zeros((29, 4), np.float32), **about)
    broken = np.zeros((30, 4), np.float32)
    broken[7, 2] = np.inf
    with pytest.raises(StudioError, match="first: row 7"):
        workspace.add_features(collection, broken, **about)
    assert workspace.feature_sets() == []
    assert not (workspace.root / "features").exists()


def test_a_full_disk_leaves_what_was_there_and_nothing_half_written(workspace, monkeypatch):
    collection = add_collection(workspace)
    features = add_features(workspace, collection)
    before = sorted(path for path in workspace.root.rglob("*") if "studio.db" not in path.name)

    def full(stream, array, **_):
        stream.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    told = r"disk is full: labels.npy could not .*/runs/dec-.... \(.* needed, .* free .*Free some space"
    with pytest.raises(StudioError, match=told):
        add_run(workspace, features.id)
    with pytest.raises(StudioError, match="disk is full"):
        add_features(workspace, collection, key="other")
    (workspace.root / "runs").rmdir()
    assert sorted(path for path in workspace.root.rglob("*") if "studio.db" not in path.name) == before
    assert workspace.runs() == []


def test_a_place_that_cannot_be_used_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="is a file, not a folder"):
        Workspace.open(tmp_path / "file")
    monkeypatch.setenv("STUDIO_DATABASE", "nonsense")
    with pytest.raises(StudioError, match="cannot be used as a database"):
        Workspace.open(tmp_path / "w")
    monkeypatch.setenv("STUDIO_DATABASE", "martian://somewhere")
    with pytest.raises(StudioError, match="cannot be used as a database"):
        Workspace.open(tmp_path / "w")


def test_the_database_may_lie_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_DATABASE", f"sqlite:///{tmp_path / 'group.db'}")
    workspace = Workspace.open(tmp_path / "w")
    collection = add_collection(workspace)
    assert (tmp_path / "group.db").exists()
    assert not (tmp_path / "w" / "studio.db").exists()
    assert Workspace.open(tmp_path / "w").collection(collection).id == collection


def test_a_database_of_a_later_version_is_left_alone(workspace):
    database = Database(f"sqlite:///{workspace.root / 'studio.db'}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '99'")
    with pytest.raises(StudioError, match="format 99"):
        Workspace.open(workspace.root)


def test_a_damaged_or_missing_array_is_a_sentence(workspace):
    features = add_features(workspace, add_collection(workspace))
    path = features.folder / "features.npy"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(StudioError, match="not a readable array"):
        workspace.features(features.id)
    path.unlink()
    with pytest.raises(StudioError, match="is missing"):
        workspace.features(features.id)


def test_an_array_with_a_pickle_in_it_is_refused(workspace):
    features = add_features(workspace, add_collection(workspace))
    np.save(features.folder / "features.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(StudioError, match="not a readable array"):
        workspace.features(features.id)


@settings(max_examples=25, deadline=None)
@given(
    points=arrays(
        np.float32, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(-9, 9, width=32)
    ),
    k=st.integers(0, 40),
    at=st.integers(0, 29),
)
def test_neighbours_are_the_nearest_by_a_plain_sort(points, k, at):
    from clustering.neighbors import one
    from clustering.workspace import neighbours

    at %= len(points)
    with mock.patch.object(one, "BLOCK", 7):  # several blocks even here
        indices, distances = neighbours.nearest(points, at, k)
    plain = np.linalg.norm(points.astype(np.float64) - points[at], axis=1)
    others = np.delete(np.arange(len(points)), at)
    assert len(indices) == min(k, len(points) - 1)
    assert at not in indices
    assert len(set(indices.tolist())) == len(indices)
    np.testing.assert_allclose(distances, np.sort(plain[others])[: len(indices)], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(distances, plain[indices], rtol=1e-4, atol=1e-4)


def test_a_run_has_a_tree_where_its_method_keeps_one(workspace):
    features = add_features(workspace, add_collection(workspace))
    values = np.asarray(workspace.features(features.id))
    for model, has in ((Ward(n_clusters=3).fit(values), True), (KMeans(n_clusters=3).fit(values), False)):
        run, _ = add_run(workspace, features.id, save_model=model.save)
        tree = workspace.tree(run.id)
        assert (tree is not None) == has
        assert tree is None or np.array_equal(tree.cut(3), model.labels_)
    assert workspace.tree(add_run(workspace, features.id)[0].id) is None


def test_neighbours_are_asked_of_a_run_or_of_features(workspace):
    features = add_features(workspace, add_collection(workspace))
    run, found = add_run(workspace, features.id)
    in_latent, _ = workspace.neighbours(run.id, 3, 5)
    in_features, _ = workspace.neighbours(features.id, 3, 5)
    apart = np.linalg.norm(found.latents - found.latents[3], axis=1)
    assert in_latent.tolist() == np.argsort(apart)[1:6].tolist()
    assert len(in_features) == 5
    with pytest.raises(StudioError, match="no item 30"):
        workspace.neighbours(run.id, 30)


@settings(max_examples=30, deadline=None)
@given(first=st.sets(st.integers(0, 29)), second=st.sets(st.integers(0, 29)))
def test_selections_behave_as_sets(tmp_path_factory, first, second):
    workspace = Workspace.open(tmp_path_factory.mktemp("w"))
    collection = add_collection(workspace)
    kept = workspace.save_selection(collection, "Blue", sorted(first, reverse=True))
    assert workspace.selection_items(kept.id).tolist() == sorted(first)
    added = workspace.save_selection(collection, "Blue ", second, "add")
    assert added.id == kept.id
    assert workspace.selection_items(kept.id).tolist() == sorted(first | second)
    assert workspace.save_selection(collection, "Blue", second, "subtract").n_items == len(first - second)
    assert len(workspace.selections(collection)) == 1
    workspace.remove_selection(kept.id)
    assert workspace.selections(collection) == []


def test_a_selection_of_items_that_are_not_there_is_refused(workspace):
    collection = add_collection(workspace)
    for wrong in ([30], [-1], [3, 99]):
        with pytest.raises(StudioError, match="is not in the collection"):
            workspace.save_selection(collection, "x", wrong)
    with pytest.raises(StudioError, match="needs a name"):
        workspace.save_selection(collection, "  ", [1])


def test_cluster_names_are_given_and_taken_back(workspace):
    run, _ = add_run(workspace, add_features(workspace, add_collection(workspace)).id)
    workspace.name_cluster(run.id, 2, "<b>Seas</b>")
    workspace.name_cluster(run.id, 2, "Seascapes")
    workspace.name_cluster(run.id, 0, "Portraits")
    assert workspace.cluster_names(run.id) == {0: "Portraits", 2: "Seascapes"}
    workspace.name_cluster(run.id, 0, "")
    assert workspace.cluster_names(run.id) == {2: "Seascapes"}


def test_quality_is_kept_with_its_headlines(workspace):
    run, _ = add_run(workspace, add_features(workspace, add_collection(workspace)).id)
    assert workspace.quality(run.id) == []
    rows = [{"name": "nmi", "value": 0.4}, {"name": "silhouette", "value": float("nan")}]
    assert workspace.set_quality(run.id, rows, {"nmi:style": 0.4}).summary == {"nmi:style": 0.4}
    assert workspace.quality(run.id) == [{"name": "nmi", "value": 0.4}, {"name": "silhouette", "value": None}]
    json.loads((run.folder / "quality.json").read_text())


def test_opening_a_workspace_and_asking_it_loads_nothing_heavy(tmp_path):
    asked = (
        "import sys; from clustering.workspace import Workspace; from clustering.jobs import ensure_worker;"
        f"w = Workspace.open({str(tmp_path)!r}); w.collections(); w.runs(); w.jobs();"
        "print([m for m in ('torch', 'sklearn', 'umap', 'scipy', 'matplotlib', 'pandas', 'streamlit') "
        "if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_a_notebook_loads_a_source_once_and_again_when_it_changed(tmp_path):
    from clustering.workspace.library import load

    source = tmp_path / "vectors.npy"
    np.save(source, np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32))
    first = load(source, workspace=tmp_path / "w")
    assert load(source, workspace=tmp_path / "w").id == first.id
    np.save(source, np.random.default_rng(1).normal(size=(13, 3)).astype(np.float32))
    second = load(source, workspace=tmp_path / "w")
    assert second.id != first.id
    assert second.n_items == 13
    assert len(Workspace.open(tmp_path / "w").collections()) == 2


def test_what_several_seeds_found_is_kept_with_the_run(workspace):
    features = add_features(workspace, add_collection(workspace))
    seeds = [SeedRecord(5, 0.25, False), SeedRecord(6, 0.125, True), SeedRecord(7, None, False)]
    labels = np.random.default_rng(3).integers(0, 3, (3, 30))
    _, found = add_run(workspace, features.id)
    found = dataclasses.replace(found, init_labels=labels)
    about = {"method": "dec", "title": "DEC", "family": "deep", "parameters": {}, "seed": 6}
    run = workspace.add_run(features.id, found, seeds=seeds, **about)
    again = Workspace.open(workspace.root)
    assert again.seeds(run.id) == seeds
    np.testing.assert_array_equal(again.run_arrays(run.id).init_labels, labels)
    with pytest.raises(StudioError, match="2 seeds on 30 items"):
        workspace.add_run(features.id, found, seeds=seeds[:2], **about)
    assert [record.id for record in workspace.runs()].count(run.id) == 1


def test_a_run_of_an_older_version_knows_of_no_seeds(workspace):
    features = add_features(workspace, add_collection(workspace))
    run, found = add_run(workspace, features.id)
    told = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    told.pop("seeds")
    (run.folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    assert not (run.folder / "init_labels.npy").exists()
    assert workspace.run_arrays(run.id).init_labels is None
    np.testing.assert_array_equal(workspace.run_arrays(run.id).labels, found.labels)
    assert workspace.seeds(run.id) == []
