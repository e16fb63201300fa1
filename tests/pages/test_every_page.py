"""Every page keeps its promises in every state: no traceback, a title, one way on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.conftest import PAGES, ROOT, words

HEAVY = ("torch", "sklearn", "umap", "openTSNE", "timm", "datasets", "matplotlib", "numba")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_an_empty_workspace_says_what_it_will_show_and_leads_there(empty_workspace, visit, page):
    app = visit(page)
    assert not app.exception
    assert len(app.title) == 1
    assert app.button or app.get("file_uploader")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_finished_workspace_has_one_title_and_no_trouble(workspace, visit, page):
    app = visit(page)
    assert not app.exception
    assert len(app.title) == 1
    assert "went wrong" not in words(app)


@pytest.mark.parametrize("page", PAGES)
def test_markup_in_metadata_is_never_sent_as_html(workspace, visit, page):
    app = visit(page)
    for block in app.get("html"):
        assert "<script" not in block.proto.body


def test_what_goes_wrong_in_a_page_is_told_calmly_and_kept_in_the_log(workspace, visit, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("clustering.ui.runs.listed", broken)
    app = visit("train")
    assert not app.exception
    assert "could not be finished" in words(app)
    assert "secret detail" not in words(app)


def test_a_broken_database_ends_in_a_sentence(tmp_path, monkeypatch, visit):
    root = tmp_path / "workspace"
    root.write_text("not a folder")
    monkeypatch.setenv("STUDIO_WORKSPACE", str(root))
    app = visit("start")
    assert not app.exception
    assert "is a file, not a folder" in words(app).replace("\\", "")


def test_a_deep_link_opens_the_run_it_names(workspace):
    from streamlit.testing.v1 import AppTest

    plain = next(run for run in workspace.runs() if run.family == "baseline")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["collection"] = plain.collection_id
    app.query_params["run"] = plain.id
    app.run()
    app.switch_page("pages/quality.py").run()
    assert app.title[0].value == f"Quality of {plain.name}"


def test_a_link_to_what_is_gone_falls_back_to_what_is_there(workspace):
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["collection"] = "no-such-0000"
    app.query_params["run"] = "<script>"
    app.run()
    assert not app.exception
    assert "Forty pictures" in app.title[0].value


def test_pages_pay_for_none_of_the_heavy_imports(finished_workspace, tmp_path):
    visited = f"""
import sys
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
made = PagesManager.__init__
def housed(manager, *given, **named):
    made(manager, *given, **named)
    PagesManager.uses_pages_directory = False
PagesManager.__init__ = housed
app = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=60)
app.run()
for page in {PAGES[1:]!r}:
    app.switch_page(f"pages/{{page}}.py").run()
    assert not app.exception, (page, app.exception)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", visited],
        capture_output=True,
        text=True,
        env={"STUDIO_WORKSPACE": str(finished_workspace), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("[]"), done.stdout
    assert Path(finished_workspace).exists()
