"""Six views of digits from file to map by the jobs, with pairs made by hand: heeded, told, judged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from clustering.jobs.context import JobContext
from clustering.jobs.given import given
from clustering.jobs.worker import work
from clustering.methods.dmsc import DMSC
from clustering.methods.kmeans import KMeans
from clustering.workspace import Workspace

DATA = Path(os.environ.get("DATA_DIR", Path(__file__).parents[3] / "shared/data")) / "views_mfeat.npz"
QUICK = {
    "n_clusters": 3,
    "hidden_dims": [16],
    "latent_dim": 3,
    "pretrain_epochs": 8,
    "epochs": 3,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A workspace in which a few of the digits were loaded, hinted at, clustered, mapped and judged."""
    folder = tmp_path_factory.mktemp("digits")
    if DATA.exists():
        with np.load(DATA) as whole:
            views = {name: whole[name][whole["y"] < 3][::10] for name in whole.files}
    else:
        rng = np.random.default_rng(0)
        y = np.repeat([0, 1, 2], 20)
        views = {
            "fac": rng.normal(size=(60, 9)) + y[:, None],
            "pix": rng.random((60, 240)) + y[:, None],
            "y": y,
        }
    views["fou"] = views.get("fou", views["fac"][:, :4]).astype(np.float32)
    views["fou"][5] = np.nan
    np.savez(folder / "digits.npz", **views)
    workspace = Workspace.open(folder / "house")
    options = {"picture_view": "pix", "picture_width": 15}
    load = workspace.submit("load", {"source": str(folder / "digits.npz"), "options": options})
    work(workspace, until_empty=True, warm=False)
    collection = workspace.job(load.id).result["collection"]
    workspace.add_hint(collection, [0, 1], together=True)
    workspace.add_hint(collection, [0, 25, 45], together=False)
    encode = workspace.submit("features", {"collection": collection, "encoder": "auto"})
    fit = {"method": "dmsc", "parameters": QUICK, "baselines": ["kmeans"]}
    train = workspace.submit("train", fit, after=encode.id)
    workspace.submit("project", {"projection": "pca"}, after=train.id)
    workspace.submit("quality", {}, after=train.id)
    work(workspace, until_empty=True, warm=False)
    return workspace, collection, workspace.job(train.id).result["run"]


def test_the_digits_go_all_the_way(house):
    workspace, collection, run = house
    assert [job.problem for job in workspace.jobs() if job.state != "finished"] == []
    assert workspace.collection(collection).kind == "views"
    assert workspace.open_collection(collection).pictured
    names = [view["name"] for view in workspace.open_collection(collection).about["views"]]
    features = workspace.features(workspace.run(run).feature_id)
    sizes = workspace.run(run).parameters["view_sizes"]
    assert len(sizes) == len(names)
    assert features.shape[1] == sum(sizes) + len(names)
    assert workspace.run_arrays(run).latents.shape == (60, 3 * len(names))
    assert {one.method for one in workspace.runs(collection)} == {"dmsc", "kmeans"}
    assert workspace.projections(collection)


def test_the_run_tells_which_pairs_it_was_given_and_what_it_is_worth_without_their_items(house):
    workspace, collection, run = house
    given = workspace.hints_given(run)
    assert given == [{"together": True, "items": [0, 1]}, {"together": False, "items": [0, 25, 45]}]
    rows = {row["name"]: row for row in workspace.quality(run)}
    assert rows["accuracy_unpaired"]["n_used"] == 60 - 4
    assert "in no pair" in rows["accuracy_unpaired"]["note"]
    plain = next(one for one in workspace.runs(collection) if one.method == "kmeans")
    assert workspace.hints_given(plain.id) == []
    assert not [row for row in workspace.quality(plain.id) if row["name"].endswith("unpaired")]


def test_what_each_view_weighs_in_each_group_is_read_from_the_model(house):
    workspace, collection, run = house
    weights = workspace.view_weights(run)
    assert weights.shape == (len(workspace.run(run).parameters["view_sizes"]), 3)
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-6)
    plain = next(one for one in workspace.runs(collection) if one.method == "kmeans")
    assert workspace.view_weights(plain.id) is None


def test_a_job_that_goes_on_keeps_to_the_pairs_it_began_with(house, tmp_path):
    workspace, collection, run = house
    source = workspace.feature_set(workspace.run(run).feature_id)
    context = JobContext("job", tmp_path)
    begun = given(workspace, source, DMSC(), context)
    hint = workspace.add_hint(collection, [7, 8], together=True)
    again = given(workspace, source, DMSC(), context)
    workspace.remove_hint(hint.id)
    assert begun["must_link"].tolist() == again["must_link"].tolist() == [[0, 1]]
    assert begun["cannot_link"].tolist() == [[0, 25], [0, 45], [25, 45]]
    assert given(workspace, source, KMeans(), context) == {}
