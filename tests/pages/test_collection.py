"""Collection: every way in ends in a job, what was found is told, and nothing goes without asking."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import pytest

from clustering.errors import StudioError
from clustering.ui import uploads
from tests.pages.conftest import words
from tests.pages.test_train import control, pressed


def way(app, name):
    """Choose a way in."""
    app.segmented_control(key="collection-way").set_value(name).run()
    return app


def test_a_folder_on_this_computer_becomes_a_load_job(empty_workspace, visit, tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_ROOTS", str(tmp_path))
    (tmp_path / "paintings").mkdir()
    app = way(visit("collection"), "folder")
    control(app, "text_input", "Path").set_value(str(tmp_path / "paintings"))
    app.run()
    pressed(app, "Load")
    job = empty_workspace.jobs()[0]
    assert (job.kind, job.parameters["source"]) == ("load", str(tmp_path / "paintings"))
    assert "Load paintings" in words(app)


def test_a_folder_outside_the_allowed_ones_is_refused_in_a_sentence(
    empty_workspace, visit, tmp_path, monkeypatch
):
    monkeypatch.setenv("STUDIO_ROOTS", str(tmp_path / "allowed"))
    app = way(visit("collection"), "folder")
    control(app, "text_input", "Path").set_value("/etc")
    app.run()
    pressed(app, "Load")
    assert not app.exception
    assert "lies outside the folders this studio may read" in words(app).replace("\\", "")
    assert not empty_workspace.jobs()


def test_uploaded_pictures_become_a_load_job(empty_workspace, visit):
    app = visit("collection")
    app.get("file_uploader")[0].upload("a.png", b"1", "image/png").upload("b.png", b"22", "image/png")
    app.run()
    control(app, "text_input", "Name").set_value("Two")
    pressed(app, "Load")
    job = empty_workspace.jobs()[0]
    assert (job.parameters["name"], job.parameters["copy"]) == ("Two", True)
    source = empty_workspace.root / "uploads"
    assert sorted(path.name for path in source.rglob("*.png")) == ["a.png", "b.png"]


def test_a_museum_search_becomes_a_fetch_job(empty_workspace, visit):
    app = way(visit("collection"), "museum")
    control(app, "text_input", "Search").set_value("landscape")
    app.run()
    pressed(app, "Fetch")
    job = empty_workspace.jobs()[0]
    assert (job.kind, job.parameters["query"], job.parameters["museum"]) == ("fetch", "landscape", "met")


def test_a_hub_id_of_the_wrong_form_is_refused(empty_workspace, visit):
    app = way(visit("collection"), "hub")
    control(app, "text_input", "Data set").set_value("wikiart")
    app.run()
    pressed(app, "Load")
    assert "is not the id of a data set" in words(app).replace("\\", "")
    assert not empty_workspace.jobs()


def test_a_failed_load_says_what_to_do(empty_workspace, visit, tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_ROOTS", str(tmp_path))
    (tmp_path / "empty").mkdir()
    app = way(visit("collection"), "folder")
    control(app, "text_input", "Path").set_value(str(tmp_path / "empty"))
    app.run()
    pressed(app, "Load")
    from clustering.jobs.worker import work

    work(empty_workspace, until_empty=True, warm=False)
    app.run()
    failed = empty_workspace.jobs()[0]
    assert failed.state == "failed"
    assert failed.problem in words(app).replace("\\", "")


def test_a_loaded_collection_becomes_the_current_one(workspace, visit, tmp_path, monkeypatch):
    import pandas as pd

    monkeypatch.setenv("STUDIO_ROOTS", str(tmp_path))
    pd.DataFrame({"a": range(30), "b": [n % 7 for n in range(30)], "kind": ["x", "y", "z"] * 10}).to_csv(
        tmp_path / "stones.csv", index=False
    )
    app = way(visit("collection"), "folder")
    control(app, "text_input", "Path").set_value(str(tmp_path / "stones.csv"))
    app.run()
    pressed(app, "Load")
    from clustering.jobs.worker import work

    work(workspace, until_empty=True, warm=False)
    app.run()
    assert app.title[0].value == "stones"


def test_the_check_is_told_and_columns_that_can_serve_as_reference_are_marked(workspace, visit):
    app = visit("collection")
    app.session_state["items-tabs"] = "Columns"
    app.run()
    collection = workspace.open_collection(workspace.collections()[0].id)
    told = words(app).replace("\\", "")
    assert all(finding.sentence in told for finding in collection.findings)
    columns = next(frame.value for frame in app.dataframe if "Reference" in frame.value)
    assert set(columns[columns["Reference"]]["Column"]) == set(collection.label_columns)


def test_encoders_say_where_their_weights_come_from(workspace, visit):
    told = words(visit("collection")).replace("\\", "")
    assert workspace.feature_sets()[0].origin in told


def test_features_are_said_to_be_of_what_the_collection_holds(workspace, visit):
    assert "Methods group these, not the works themselves." in words(visit("collection"))


def test_removing_asks_first(workspace, visit):
    app = visit("collection")
    app.button(key="remove").click().run()
    assert workspace.collections()
    app.button(key="remove-yes").click().run()
    assert not workspace.collections()
    assert not app.exception


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/x.png", "abs/x.png"),
        ("a\\b\\..\\c.png", "a/b/c.png"),
        ("..", "file"),
        ("x\0y.png", "xy.png"),
        ("плакат 1.png", "плакат 1.png"),
    ],
)
def test_an_uploaded_name_never_leads_out_of_its_folder(given, kept):
    assert uploads.safe_name(given) == PurePosixPath(kept)


def test_where_a_collection_is_from_is_a_place_or_the_name_of_what_was_uploaded(empty_workspace, monkeypatch):
    from clustering.ui import holdings

    monkeypatch.setattr("clustering.ui.state.workspace", lambda: empty_workspace)
    one = uploads.keep(empty_workspace, [("notes.jsonl", io.BytesIO(b"{}"))])
    several = uploads.keep(empty_workspace, [("a.png", io.BytesIO(b"1")), ("b.png", io.BytesIO(b"2"))])
    assert holdings.origin(str(one)) == "uploaded as notes.jsonl"
    assert holdings.origin(str(several)) == "uploaded"
    assert holdings.origin("/home/me/paintings") == "from /home/me/paintings"
    assert holdings.origin("Painted by the studio.") == "Painted by the studio"


def test_an_upload_that_fails_leaves_nothing_behind(empty_workspace):
    class Broken(io.BytesIO):
        def read(self, *_: int) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(StudioError, match="No space left on device"):
        uploads.keep(empty_workspace, [("a.png", io.BytesIO(b"1")), ("b.png", Broken())])
    assert not list((empty_workspace.root / "uploads").iterdir())


def test_uploads_are_swept_once_no_job_needs_them(empty_workspace):
    kept = uploads.keep(empty_workspace, [("a.png", io.BytesIO(b"1"))])
    swept = uploads.keep(empty_workspace, [("b.csv", io.BytesIO(b"1"))])
    empty_workspace.submit("load", {"source": str(kept)})
    uploads.sweep(empty_workspace)
    assert kept.exists()
    assert not swept.exists()
