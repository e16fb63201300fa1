"""A collection of series by clicks: how it is brought, and how its windows and groups are looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clustering.errors import StudioError
from clustering.jobs.executors import Inline
from clustering.newcomers import read_newcomers
from clustering.workspace import Workspace
from tests.pages.conftest import words
from tests.pages.test_train import control, pressed


@pytest.fixture
def with_series(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The workspace with a collection of 24 windows, k-means of their statistics and a map."""
    time = np.arange(30) / 30
    pace = np.repeat([1, 4], 12)[:, None]
    drawn = np.random.default_rng(0).normal(0, 0.05, (2, 24, 30))
    x = np.stack([np.sin(2 * np.pi * pace * time), np.cos(2 * np.pi * pace * time)]) + drawn
    np.savez(tmp_path / "paces.npz", x=np.moveaxis(x, 0, 2), y=np.repeat(["slow", "quick"], 12))
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(tmp_path / "paces.npz"), "name": "Paces"})
        encode = here.submit("features", {"encoder": "window-statistics"}, load.id)
        plain = {"method": "kmeans", "parameters": {"n_clusters": 2, "random_state": 0}}
        train = here.submit("train", plain, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
    jobs = workspace.jobs()
    assert all(job.state == "finished" for job in jobs), [job.problem for job in jobs]
    for job in jobs:
        workspace.remove_job(job.id)
    return workspace


def test_a_csv_is_asked_what_it_holds_and_series_how_they_are_cut(empty_workspace, visit):
    app = visit("collection")
    app.get("file_uploader")[0].upload("walk.csv", b"time,ax\n0,1\n1,2\n", "text/csv")
    app.run()
    control(app, "radio", "The file holds").set_value("series")
    app.run()
    control(app, "number_input", "Window").set_value(50)
    app.run()
    pressed(app, "Load")
    parameters = empty_workspace.jobs()[0].parameters
    assert (parameters["kind"], parameters["options"]) == ("series", {"window": 50})


def test_a_series_is_walked_through_as_pictures_are(with_series, visit):
    collection = visit("collection")
    assert not collection.exception
    told = words(collection)
    assert "24 windows of 30 steps × 2 channels" in told
    assert "Methods group these, not the windows themselves." in told
    assert "Draw around windows on a map" in told
    app = visit("explore")
    assert not app.exception
    assert "The window nearest to the middle of each group" in words(app)
    run = with_series.runs(with_series.collections()[0].id)[0]
    app.session_state[f"group-{run.id}"] = 0
    app.run()
    assert not app.exception
    assert "the middle half of its windows" in words(app)
    app.session_state["explore-open"] = 3
    app.run()
    assert not app.exception


def test_a_method_gets_the_features_of_windows_that_suit_it(with_series, visit):
    app = visit("train")
    app.session_state["method-plain"] = True
    app.run().button(key="method-choose-kmeans").click().run()
    assert control(app, "selectbox", "Features").value == with_series.feature_sets()[0].id
    assert "Statistics of windows suit k-means" in words(app)
    app.button(key="method-choose-disc").click().run()
    assert control(app, "selectbox", "Features").value == "windows"
    assert "Windows as measured suit DISC" in words(app)
    pressed(app, "Train")
    train, first = with_series.jobs()[-2:]
    assert (first.kind, first.parameters["encoder"]) == ("features", "windows")
    assert (train.kind, train.after) == ("train", first.id)


def test_windows_that_fit_can_be_placed_and_others_are_refused_in_words(with_series, tmp_path):
    collection = with_series.open_collection(with_series.collections()[0].id)
    recording = np.random.default_rng(1).normal(size=(70, 2))
    np.save(tmp_path / "new.npy", recording)
    found = read_newcomers(collection, [tmp_path / "new.npy"])
    assert np.array_equal(found.data(), recording[:60].reshape(2, 30, 2).astype(np.float32))
    assert found.names == ("new, window 1", "new, window 2")
    assert found.picture(0, 96).size == (96, 64)
    np.save(tmp_path / "short.npy", recording[:9])
    with pytest.raises(StudioError, match="window of 30 steps is longer"):
        read_newcomers(collection, [tmp_path / "short.npy"])
    np.save(tmp_path / "wide.npy", np.ones((40, 3)))
    with pytest.raises(StudioError, match=r"have 3 channels; those of “Paces” have 2"):
        read_newcomers(collection, [tmp_path / "wide.npy"])
