"""Views of the same items by clicks: tables are asked what they are; item, training and weights are seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clustering.jobs.executors import Inline
from clustering.workspace import Workspace
from tests.pages import conftest
from tests.pages.test_train import control, pressed

SETTINGS = {
    "n_clusters": 2, "hidden_dims": (8,), "latent_dim": 2, "pretrain_epochs": 3, "epochs": 2,
    "device": "cpu", "random_state": 0,
}  # fmt: skip


def tables(folder: Path) -> Path:
    """Twelve items measured in two ways; two of them lack the second."""
    rng, folder = np.random.default_rng(0), folder / "tables"
    folder.mkdir()
    ids = [f"k{at}" for at in range(12)]
    shape, colour = rng.normal(size=(12, 20)), rng.normal(size=(10, 3))
    pd.DataFrame(shape, columns=[f"s{at}" for at in range(20)]).assign(id=ids).to_csv(
        folder / "shape.csv", index=False
    )
    pd.DataFrame(colour, columns=["red", "green", "blue"]).assign(id=ids[:10]).to_csv(
        folder / "colour.csv", index=False
    )
    return folder


def words(app: AppTest) -> str:
    """Return what a page says, as it is read."""
    return conftest.words(app).replace("\\", "")


@pytest.fixture
def with_views(workspace: Workspace, tmp_path: Path) -> Workspace:
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(tables(tmp_path)), "name": "Two ways"})
        encode = here.submit("features", {}, load.id)
        train = here.submit("train", {"method": "dmsc", "parameters": SETTINGS}, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
        here.submit("quality", {}, train.id)
    jobs = workspace.jobs()
    assert all(job.state == "finished" for job in jobs), [job.problem for job in jobs]
    for job in jobs:
        workspace.remove_job(job.id)
    return workspace


def test_several_tables_are_asked_what_they_hold_and_how_they_are_matched(empty_workspace, visit):
    app = visit("collection")
    for name in ("shape.csv", "colour.csv"):
        app.get("file_uploader")[0].upload(name, b"id,a\nx,1\ny,2\n", "text/csv")
    app.run()
    control(app, "radio", "The files hold").set_value("views")
    app.run()
    control(app, "text_input", "Picture view").set_value("a")
    app.run()
    pressed(app, "Load")
    parameters = empty_workspace.jobs()[0].parameters
    assert parameters["kind"] == "views"
    assert parameters["options"]["picture_view"] == "a"


def test_views_are_walked_through_from_the_check_to_their_weights(with_views, visit):
    told = words(visit("collection"))
    assert "2 views, with so many numbers an item: colour (3), shape (20)." in told
    assert "2 items lack the view “colour”; kept." in told
    told = words(visit("train"))
    assert "DMSC" in told
    assert "Not for this kind of collection: " in told
    app = visit("explore")
    app.session_state["explore-open"] = 11
    app.run()
    assert not app.exception
    assert "Line: this item. Shade: the middle half of the collection." in words(app)
    app = visit("quality")
    assert not app.exception
    assert "What the views weigh" in "\n".join(str(one.value) for one in app.header)
    shown = next(table.value for table in app.dataframe if "colour" in table.value)
    np.testing.assert_allclose(shown[["colour", "shape"]].sum(axis=1), 1, atol=1e-5)
