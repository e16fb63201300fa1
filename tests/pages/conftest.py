"""A small real workspace, made once with the library itself, and the app to look at it with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from clustering.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("start", "collection", "train", "explore", "quality")
SETTINGS = {
    "n_clusters": 4,
    "hidden_dims": [16],
    "latent_dim": 4,
    "pretrain_epochs": 3,
    "epochs": 3,
    "device": "cpu",
    "random_state": 0,
}


@pytest.fixture(scope="session")
def finished_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 40 painted pictures, features, a DEC run and k-means beside it, a map, qualities."""
    from PIL import Image

    from clustering.collections.samples.gallery import painted, plans
    from clustering.jobs import catalogue
    from clustering.jobs.executors import Inline

    root = tmp_path_factory.mktemp("finished")
    pictures = tmp_path_factory.mktemp("pictures")
    rows = []
    for plan in list(plans())[::15]:
        pixels, row = painted(plan)
        Image.fromarray(pixels).save(pictures / row["file"])
        rows.append(row)
    import pandas as pd

    table = pd.DataFrame(rows)
    table.loc[0, "title"] = (
        "<script>alert(1)</script> & a rather long title that goes on and on, *seventh* state"
    )
    table.to_csv(pictures / "metadata.csv", index=False)
    workspace = Workspace.open(root)
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(pictures), "name": "Forty pictures", "copy": True})
        encode = here.submit("features", {"encoder": "pixels"}, load.id)
        train = here.submit("train", {"method": "dec", "parameters": SETTINGS}, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
        here.submit("quality", {}, train.id)
        plain = {"method": "kmeans", "parameters": {"n_clusters": 4, "random_state": 0}}
        beside = here.submit("train", plain, encode.id)
        here.submit("quality", {}, beside.id)
    assert all(job.state == "finished" for job in workspace.jobs()), [job.problem for job in workspace.jobs()]
    for job in workspace.jobs():
        workspace.remove_job(job.id)
    catalogue.write(workspace.cache)
    workspace.close()
    return root


@pytest.fixture
def workspace(finished_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the finished workspace, which the app will open; no worker starts."""
    root = tmp_path / "workspace"
    shutil.copytree(finished_workspace, root)
    return _opened(root, monkeypatch)


@pytest.fixture
def empty_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with nothing in it, which the app will open; no worker starts."""
    return _opened(tmp_path / "workspace", monkeypatch)


def _opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("STUDIO_WORKSPACE", str(root))
    monkeypatch.setattr("clustering.ui.jobs.ensure_worker", lambda workspace: None)
    monkeypatch.setattr("clustering.jobs.catalogue.place", _written)
    return Workspace.open(root)


def _written(cache: Path) -> Path:
    """The catalogue of the finished workspace, even if a file of the library is saved while tests run."""
    return next(cache.glob("choices-*.json"), cache / "choices-none.json")


@pytest.fixture(autouse=True)
def pages_stand_in_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run pages through app.py, as the server does, although there is a folder called pages."""
    made = PagesManager.__init__

    def housed(manager: PagesManager, *given: Any, **named: Any) -> None:
        made(manager, *given, **named)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", housed)


@pytest.fixture
def visit() -> Callable[[str], AppTest]:
    """Open a page of the app as a new visitor."""

    def opened(page: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.run()
        if page != "start":
            app.switch_page(f"pages/{page}.py").run()
        return app

    return opened


def unfolded(app: AppTest, key: str) -> AppTest:
    """Open an expander whose content is drawn once it is open."""
    app.session_state[key] = True
    return app.run()


def words(app: AppTest) -> str:
    """Return everything that is written on a page."""
    parts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.caption, *app.get("html")]
    return "\n".join(str(getattr(part, "value", None) or getattr(part.proto, "body", "")) for part in parts)
