"""Works of one's own on the Explore page: dropped, judged, marked on the map, removed; nothing is kept."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from clustering.errors import StudioError
from clustering.jobs.placing import Answer, NewItem, Placer
from clustering.ui import explore_newcomers
from clustering.workspace import Workspace
from tests.pages.conftest import words

Visit = Callable[[str], AppTest]


class DeskHere:
    """Answers at once, in this process."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.placer, self.folder = Placer(workspace), folder

    def warm(self, run_id: str, map_id: str | None = None) -> Future[Any]:
        return self._done(lambda: self.placer.warm(run_id, map_id))

    def place(
        self, run_id: str, files: Sequence[tuple[str, bytes]], map_id: str | None = None
    ) -> Future[Answer]:
        paths = [self.folder / name for name, _ in files]
        for path, (_, content) in zip(paths, files, strict=True):
            path.write_bytes(content)
        return self._done(lambda: self.placer.place(run_id, paths, map_id))

    def locate(self, items: Sequence[NewItem], map_id: str) -> Future[Answer]:
        return self._done(lambda: Answer(self.placer.located(items, map_id)))

    def _done(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work())
        except StudioError as error:
            future.set_exception(error)
        return future


@pytest.fixture
def explored(workspace: Workspace, tmp_path: Path, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    here = DeskHere(workspace, tmp_path)
    monkeypatch.setattr(explore_newcomers, "desk", lambda: here)
    app = visit("explore")
    app.session_state["newcomers-room"] = True
    return app.run()


def picture_of(workspace: Workspace, index: int) -> bytes:
    stream = io.BytesIO()
    workspace.open_collection(workspace.collections()[0].id).picture(index).save(stream, "PNG")
    return stream.getvalue()


def drop(app: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    return app.file_uploader[0].set_value(list(files)).run()


def test_a_dropped_work_gets_a_card_and_a_mark_and_goes_with_one_click(
    explored: AppTest, workspace: Workspace
) -> None:
    run, chart = explore_run(workspace), workspace.projections()[0]
    before = workspace.collections()[0].n_items
    app = drop(explored, ("<b>mine.png", picture_of(workspace, 5), "image/png"))
    assert not app.exception
    said = words(app)
    assert "&lt;b&gt;mine.png" in said
    assert "<b>mine" not in said
    label = int(workspace.run_arrays(run).labels[5])
    assert f"Group {label + 1}" in said
    assert "neighbours than" in said
    item = app.session_state["_newcomers"][run]["items"][0]
    assert item.positions[chart.id] == pytest.approx(workspace.map(chart.id)[5].tolist(), abs=1e-3)
    assert item.near["features"][0][0] == 5
    assert item.picture.startswith("data:image/webp;base64,")
    app.button(key="newcomer-remove-1").click().run()
    assert app.session_state["_newcomers"][run]["items"] == []
    assert "mine" not in words(app)
    assert workspace.collections()[0].n_items == before


def test_several_works_are_numbered_and_go_together(explored: AppTest, workspace: Workspace) -> None:
    app = drop(explored, ("one.png", picture_of(workspace, 1), "image/png"))
    app = drop(
        app,
        ("two.png", picture_of(workspace, 2), "image/png"),
        ("three.png", picture_of(workspace, 3), "image/png"),
    )
    run = explore_run(workspace)
    assert [item.name for item in app.session_state["_newcomers"][run]["items"]] == [
        "one.png",
        "two.png",
        "three.png",
    ]
    app.button(key="newcomers-clear").click().run()
    assert app.session_state["_newcomers"][run]["items"] == []


def test_what_is_no_picture_is_told_with_its_mend(explored: AppTest, workspace: Workspace) -> None:
    app = drop(explored, ("notes.png", b"not a picture", "image/png"))
    assert not app.exception
    said = words(app)
    assert "cannot be opened as a picture" in said
    assert "opens elsewhere" in said
    assert "Nothing was added to the collection" in said
    app = drop(app, ("one.png", picture_of(workspace, 1), "image/png"))
    assert "cannot be opened as a picture" not in words(app)


def test_a_picture_of_too_many_pixels_is_told(explored: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustering.collections.pictures.PIXEL_LIMIT", 100)
    stream = io.BytesIO()
    Image.new("RGB", (20, 20)).save(stream, "PNG")
    assert "is too large a picture" in words(drop(explored, ("huge.png", stream.getvalue(), "image/png")))


def test_beside_a_result_that_travelled_the_page_leads_to_training(
    workspace: Workspace, visit: Visit
) -> None:
    shutil.rmtree(workspace.run(explore_run(workspace)).folder / "model")
    app = visit("explore")
    app.session_state["newcomers-room"] = True
    app.run()
    assert not app.exception
    assert "only its result came with the sample" in words(app)
    assert not app.file_uploader


def explore_run(workspace: Workspace) -> str:
    return next(run.id for run in workspace.runs() if run.family == "deep")
