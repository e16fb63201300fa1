"""New items beside a run of the workspace: here, through the small process, and on the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clustering.errors import StudioError
from clustering.jobs.executors import Inline
from clustering.jobs.placing import Placer
from clustering.jobs.placing_desk import PlacingDesk, safe_name
from clustering.jobs.placing_process import FOLDER, answered
from clustering.methods.syntdec import SyntDEC
from clustering.processes import started
from clustering.workspace import Workspace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a table of 60 rows, k-means on it and a PCA map."""
    root = tmp_path_factory.mktemp("placing")
    random = np.random.default_rng(0)
    rows = random.normal(size=(60, 4)) + 5 * (np.arange(60) % 3)[:, None]
    pd.DataFrame(rows, columns=list("abcd")).assign(kind=["x", "y"] * 30).to_csv(
        root / "rows.csv", index=False
    )
    workspace = Workspace.open(root / "workspace")
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(root / "rows.csv"), "name": "Rows", "copy": True})
        encode = here.submit("features", {}, load.id)
        plain = {"method": "kmeans", "parameters": {"n_clusters": 3, "random_state": 0}}
        train = here.submit("train", plain, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
    assert all(job.state == "finished" for job in workspace.jobs())
    workspace.close()
    return root


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def row(made: Path, tmp_path: Path) -> Path:
    """The seventh row of the collection, as a file of its own."""
    pd.read_csv(made / "rows.csv").iloc[[7]].to_csv(tmp_path / "seven.csv", index=False)
    return tmp_path / "seven.csv"


def test_a_sentence_is_placed_word_by_word_where_its_like_lie(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    kinds = [["the", "a"], ["ship", "sea", "wave", "boat"], ["sailed", "left", "fell"]]
    lines = []
    for _ in range(30):
        lines += [
            "\t".join([str(at), str(random.choice(kind)), "_", f"T{at}", "_", "_", "0", "_", "_", "_"])
            for at, kind in enumerate(kinds, 1)
        ] + [""]
    (tmp_path / "small.conllu").write_text("\n".join(lines), encoding="utf-8")
    workspace = Workspace.open(tmp_path / "workspace")
    settings = SyntDEC.info.test_settings | {"hidden_dims": [16]}
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(tmp_path / "small.conllu"), "name": "Words"})
        encode = here.submit("features", {"parameters": {"dimensions": 3}}, load.id)
        train = here.submit(
            "train", {"method": "syntdec", "parameters": settings, "baselines": []}, encode.id
        )
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
    assert [job.problem for job in workspace.jobs() if job.state != "finished"] == []
    run, chart = workspace.runs()[0], workspace.projections()[0]
    known = dict(zip(workspace.open_collection(run.collection_id).items["title"], range(90), strict=True))
    (tmp_path / "mine.txt").write_text("The ship sailed\nA [vessel] left\n", encoding="utf-8")
    found = Placer(workspace).place(run.id, [tmp_path / "mine.txt"], chart.id).items
    (tmp_path / "mine.txt").write_text("The ship sailed", encoding="utf-8")
    whole = Placer(workspace).place(run.id, [tmp_path / "mine.txt"], chart.id).items
    labels = workspace.run_arrays(run.id).labels
    assert [item.name for item in found] == ["A [vessel] left"]
    assert [item.name for item in whole] == ["[The] ship sailed", "The [ship] sailed", "The ship [sailed]"]
    assert [item.label for item in whole] == [labels[known[word]] for word in ("the", "ship", "sailed")]
    assert found[0].label == labels[known["ship"]]  # never seen, but it stands where ships stand
    assert len(found[0].positions[chart.id]) == 2


@pytest.fixture
def desk(workspace: Workspace) -> Iterator[PlacingDesk]:
    found = PlacingDesk(workspace)
    yield found
    found.close()


def assert_is_item_seven(workspace: Workspace, item: object) -> None:
    run, chart = workspace.runs()[0], workspace.projections()[0]
    assert item.label == workspace.run_arrays(run.id).labels[7]
    np.testing.assert_allclose(item.odds, workspace.run_arrays(run.id).soft_assignments[7], atol=1e-5)
    np.testing.assert_allclose(item.positions[chart.id], workspace.map(chart.id)[7], atol=1e-4)
    for space in ("features", "latent"):
        assert item.near[space][0][0] == 7
        assert item.near[space][0][1] == pytest.approx(0, abs=1e-5)


def files_of(workspace: Workspace) -> set[Path]:
    kept = {path for shelf in ("collections", "features", "runs", "projections")
            for path in (workspace.root / shelf).rglob("*")}  # fmt: skip
    return kept | {path for path in (workspace.cache / FOLDER).rglob("*") if path.is_file()}


def test_a_copy_of_a_row_is_placed_on_the_row_and_nothing_is_kept(workspace: Workspace, row: Path) -> None:
    before = files_of(workspace)
    run, chart = workspace.runs()[0], workspace.projections()[0]
    answer = Placer(workspace).place(run.id, [row], chart.id)
    assert_is_item_seven(workspace, answer.items[0])
    assert files_of(workspace) == before


def test_what_is_placed_on_no_map_can_be_located_later(workspace: Workspace, row: Path) -> None:
    placer, chart = Placer(workspace), workspace.projections()[0]
    item = placer.place(workspace.runs()[0].id, [row]).items[0]
    assert item.positions == {}
    assert_is_item_seven(workspace, placer.located([item], chart.id)[0])


def test_a_run_whose_model_did_not_travel_is_told(workspace: Workspace, row: Path) -> None:
    run = workspace.runs()[0]
    shutil.rmtree(run.folder / "model")
    with pytest.raises(StudioError, match="only its result came with the sample") as told:
        Placer(workspace).place(run.id, [row])
    assert told.value.mend.startswith("Train a method")


def test_a_map_without_its_model_costs_the_position_only(workspace: Workspace, row: Path) -> None:
    chart = workspace.projections()[0]
    shutil.rmtree(chart.folder / "model")
    answer = Placer(workspace).place(workspace.runs()[0].id, [row], chart.id)
    assert answer.items[0].near["latent"][0][0] == 7
    assert answer.items[0].positions == {}
    assert "came without what places new items" in answer.notes[0]


def test_an_encoder_that_has_changed_is_told(
    workspace: Workspace, row: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustering.features.feature_key", lambda *_: "another")
    with pytest.raises(StudioError, match="no longer what it was") as told:
        Placer(workspace).place(workspace.runs()[0].id, [row])
    assert "Compute the features again" in told.value.mend


def test_trouble_of_our_own_is_told_without_its_inside(workspace: Workspace) -> None:
    said = answered(Placer(workspace), {"do": "place", "run": 7})
    assert "wrong on our side" in said["problem"]
    assert "KeyError" not in json.dumps(said)


def test_the_process_answers_keeps_what_it_loaded_and_leaves_no_file(
    workspace: Workspace, desk: PlacingDesk, row: Path
) -> None:
    run, chart = workspace.runs()[0], workspace.projections()[0]
    content = row.read_bytes()
    desk.warm(run.id, chart.id).result(timeout=120)
    begun = time.perf_counter()
    answer = desk.place(run.id, [("../../seven.csv", content)], chart.id).result(timeout=60)
    assert time.perf_counter() - begun < 5
    assert_is_item_seven(workspace, answer.items[0])
    with pytest.raises(StudioError, match="lacks 5 columns"):
        desk.place(run.id, [("odd.csv", b"e,f\n1,2\n")], chart.id).result(timeout=60)
    time.sleep(0.2)
    assert not list((workspace.cache / FOLDER).glob("*"))
    process = desk.process_id
    assert process is not None
    os.kill(process, signal.SIGKILL)
    again = desk.place(run.id, [("seven.csv", content)]).result
    try:
        assert again(timeout=120).items[0].label == answer.items[0].label
    except StudioError as error:  # asked before the death was seen: told, and the next question is answered
        assert "ended before it answered" in error.problem
        told = desk.place(run.id, [("seven.csv", content)]).result(timeout=120)
        assert told.items[0].label == answer.items[0].label
    last = desk.process_id
    assert last is not None
    desk.close()
    deadline = time.monotonic() + 20
    while started(last) is not None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert started(last) is None, "the process outlives its questions"


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\y.png", "a\x00b.png", "...", "", "/"])
def test_a_dropped_name_leads_nowhere(name: str) -> None:
    clean = safe_name(name)
    assert clean
    assert "/" not in clean
    assert "\\" not in clean
    assert "\0" not in clean
    assert clean not in (".", "..")


def test_the_command_tells_group_odds_neighbours_and_place(
    workspace: Workspace, row: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from clustering.cli import main

    run, chart = workspace.runs()[0], workspace.projections()[0]
    with pytest.raises(SystemExit) as ended:
        main(["place", run.id, str(row), "--workspace", str(workspace.root)])
    assert not ended.value.code
    said = capsys.readouterr().out
    label = int(workspace.run_arrays(run.id).labels[7])
    x, y = workspace.map(chart.id)[7].tolist()
    assert f"seven.csv, row 1: Group {label + 1}" in said
    assert f"on {chart.id}: {x:.4g}, {y:.4g}" in said
    own_id = workspace.open_collection(run.collection_id).items["id"].iloc[7]
    assert f"nearest in latent space: {own_id} (0)" in said
    with pytest.raises(SystemExit):
        main(["place", run.id, str(row), "--json", "--workspace", str(workspace.root)])
    assert json.loads(capsys.readouterr().out)["label"] == label
