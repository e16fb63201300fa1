"""Texts and words in sentences by clicks: how they are looked at, and how a group is named by them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from clustering.cli.taking import report_file
from clustering.jobs.executors import Inline
from clustering.ui import explore_newcomers
from clustering.ui.gallery import wall_data
from clustering.workspace import Workspace
from tests.pages.conftest import words
from tests.pages.test_newcomers import DeskHere

KMEANS = {"method": "kmeans", "parameters": {"n_clusters": 2, "random_state": 0}}


def _run(workspace: Workspace, source, **chosen) -> str:
    with Inline(workspace) as here:
        load = here.submit("load", {"source": str(source), **chosen})
        encode = here.submit("features", {"encoder": "auto"}, load.id)
        train = here.submit("train", KMEANS, encode.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, train.id)
    problems = [job.problem for job in workspace.jobs() if job.state != "finished"]
    assert not problems, problems
    return workspace.runs()[0].id


@pytest.fixture
def letters(empty_workspace, tmp_path):
    folder = tmp_path / "letters"
    folder.mkdir()
    for at in range(12):
        text = f"the ship and the sea <b>wave</b> {at}" if at % 2 else f"a cow on a field with a plough {at}"
        (folder / f"{at:02d}.txt").write_text(text, encoding="utf-8")
    return empty_workspace, _run(empty_workspace, folder)


def test_a_group_of_texts_is_called_by_its_words_and_takes_them_back_after_another_name(letters, visit):
    workspace, run = letters
    assert {word for name in workspace.cluster_names(run).values() for word in name.split(", ")} >= {
        "ship",
        "cow",
    }
    group = int(workspace.run_arrays(run).labels[1])
    workspace.name_cluster(run, group, "Fleet")
    app = visit("explore")
    assert not app.exception
    app.session_state[f"group-{run}"] = group
    app.run()
    assert not app.exception
    said = words(app)
    assert "Words that tell it from the others" in said
    assert "ship" in said
    button = next(one for one in app.button if str(one.key).startswith("take-name-"))
    button.click().run()
    assert not app.exception
    assert any("ship" in name for name in workspace.cluster_names(run).values())
    report = report_file(workspace, run).decode()
    assert re.search("Words that tell it from the others: [^<]*ship", report)
    assert "<li>the ship and the sea &lt;b&gt;wave&lt;/b&gt; 1</li>" in report


def test_a_group_of_words_shows_its_commonest_in_their_sentences_and_a_written_one_is_placed_there(
    empty_workspace, tmp_path, visit, monkeypatch
):
    row = "{}\t{}\t_\t{}\t_\t_\t{}\t_\t_\t_\n"
    tree = "".join(
        row.format(1, "The", "DET", 2)
        + row.format(2, f"ship{at}", "NOUN", 3)
        + row.format(3, "left", "VERB", 0)
        + "\n"
        for at in range(6)
    )
    path = tmp_path / "tree.conllu"
    path.write_text(tree, encoding="utf-8")
    run = _run(empty_workspace, path)
    app = visit("explore")
    app.session_state[f"group-{run}"] = int(empty_workspace.run_arrays(run).labels[0])
    app.session_state["newcomers-room"] = True
    here = DeskHere(empty_workspace, tmp_path)
    monkeypatch.setattr(explore_newcomers, "desk", lambda: here)
    app.run()
    assert not app.exception
    assert ">the</mark>" in words(app).lower()
    next(box for box in app.text_area if "square brackets" in box.label).set_value("The [ship9] left").run()
    assert "The [ship9] left" in words(app)
    assert not any(box.value for box in app.text_area)
    record = empty_workspace.collections()[0]
    shown = wall_data(empty_workspace.open_collection(record.id), np.array([1]), "", 99, None, {1: "Group 1"})
    assert shown["items"][0][4].startswith("Group 1 · ")
    assert "The [ship0] left" in shown["items"][0][4]
    drawer = wall_data(
        empty_workspace.open_collection(record.id), np.array([1]), "", 66, None, {1: "0.5"}, strip=True
    )
    assert drawer["items"][0][4] == "0.5"  # beside it the word itself needs the room
    assert "Its commonest words: " in report_file(empty_workspace, run).decode()
