"""A method that does not take a kind of collection says which it takes."""

from __future__ import annotations

from pathlib import Path

from clustering.jobs.executors import Inline
from tests.small_workspace import make


def test_a_method_for_pictures_refuses_a_table_in_words_and_keeps_nothing(tmp_path: Path):
    small = make(tmp_path, kind="table")
    workspace, runs = small.workspace, small.workspace.runs()
    with Inline(workspace) as here:
        job = here.submit("train", {"method": "delius", "features": small.features, "parameters": {}})
    ended = workspace.job(job.id)
    assert ended.state == "failed"
    assert "DELIUS takes pictures, vectors, but" in ended.problem
    assert "holds tables" in ended.problem
    assert "deepclust methods" in ended.mend
    assert workspace.runs() == runs
