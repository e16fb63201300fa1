"""What a kill leaves between a folder and its row: whole things are entered, the rest goes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clustering.files import removal
from clustering.workspace import Workspace
from clustering.workspace.tidying import tidy
from tests import small_workspace
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> small_workspace.Small:
    return small_workspace.make(tmp_path_factory.mktemp("small"))


@pytest.fixture
def small(made, tmp_path) -> small_workspace.Small:
    """A workspace of one's own, with a collection, features, a run and a map."""
    shutil.copytree(made.workspace.root, tmp_path / "workspace")
    return small_workspace.Small(
        Workspace.open(tmp_path / "workspace"), made.collection, made.features, made.run, made.projection
    )


def killed(workspace: Workspace, statement: str) -> None:
    """Do something in another process, which is killed between the folder and the row."""
    program = f"""
import os, signal
import numpy as np
from clustering.workspace import RunArrays, Workspace
def vanish(*_):
    os.kill(os.getpid(), signal.SIGKILL)
Workspace._enter = vanish
workspace = Workspace.open({str(workspace.root)!r})
{statement}
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


FEATURES = """
workspace.add_features(workspace.collections()[0].id, np.eye(12, dtype=np.float32), encoder="vectors",
    title="Vectors", origin="Here.", parameters={"a": 1}, key="other")
"""
RUN = """
labels, q, z = np.arange(12) % 3, np.full((12, 3), 1 / 3), np.zeros((12, 2))
workspace.add_run(workspace.feature_sets()[0].id, RunArrays(labels, q, z, z[:3]), method="dec", title="DEC",
    family="deep", parameters={"n_clusters": 3}, seed=7, job_id=JOB)
"""
MAP = """
workspace.add_projection(workspace.feature_sets()[0].id, np.ones((12, 2), np.float32),
    run_id=workspace.runs()[0].id, space="latent", projection="pca", title="PCA", parameters={}, seed=3,
    engine="here", notes=("a note",))
"""


def test_features_a_run_and_a_map_cut_off_from_their_rows_are_entered_as_they_are(small):
    workspace = small.workspace
    for statement in (FEATURES, RUN.replace("JOB", "'train-1'"), MAP):
        killed(workspace, statement)
    assert (len(workspace.feature_sets()), len(workspace.runs()), len(workspace.projections())) == (1, 1, 1)
    assert len(tidy(workspace)) == 3
    features, run, chart = workspace.feature_sets()[0], workspace.runs()[0], workspace.projections()[0]
    assert (features.key, features.parameters, features.dimensions) == ("other", {"a": 1}, 12)
    np.testing.assert_array_equal(workspace.features(features.id), np.eye(12))
    assert (run.method, run.seed, run.parameters, run.job_id) == ("dec", 7, {"n_clusters": 3}, "train-1")
    assert workspace.run_of_job("train-1") == run, "a resumed job finds what it had made"
    np.testing.assert_array_equal(workspace.run_arrays(run.id).labels, np.arange(12) % 3)
    assert (chart.run_id, chart.seed, chart.notes) == (small.run, 3, ("a note",))
    assert tidy(workspace) == []


def test_what_is_not_whole_or_stands_on_nothing_goes(small):
    workspace, runs = small.workspace, small.workspace.root / "runs"
    for _ in range(3):
        killed(workspace, RUN.replace("JOB", "None"))
    torn, unread, orphan = (runs / name for name in sorted({p.name for p in runs.iterdir()} - {small.run}))
    (torn / "labels.npy").unlink()
    (unread / "run.json").write_text("{")
    told = json.loads((orphan / "run.json").read_text())
    (orphan / "run.json").write_text(json.dumps({**told, "feature_id": "gone-0000"}))
    assert tidy(workspace) == []
    assert [path.name for path in runs.iterdir()] == [small.run]


def test_the_run_of_a_cancelled_job_is_not_brought_back(small):
    workspace = small.workspace
    job = workspace.submit("train", {})
    killed(workspace, RUN.replace("JOB", repr(job.id)))
    workspace.request(job.id, "cancel")
    assert tidy(workspace) == []
    assert len(list((workspace.root / "runs").iterdir())) == 1


def test_a_whole_collection_without_a_row_is_entered_and_a_folder_of_somebody_stays(small):
    workspace = small.workspace
    shutil.copytree(workspace.root / "collections" / small.collection, workspace.root / "collections" / "two")
    (workspace.root / "collections" / "mine").mkdir()
    assert tidy(workspace) == ["two"]
    assert workspace.open_collection("two").n_items == 12
    assert (workspace.root / "collections" / "mine").is_dir()


def test_a_removal_that_was_cut_ends_where_its_row_went_and_is_undone_where_it_stayed(small):
    workspace, runs = small.workspace, small.workspace.root / "runs"
    shutil.copytree(runs / small.run, runs / "gone-1111")
    program = "import os, signal, sys; from pathlib import Path; from clustering.files import removal\n"
    program += "with removal() as put_aside:\n for place in sys.argv[1:]: put_aside(Path(place))\n"
    program += " os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", program, runs / small.run, runs / "gone-1111"], cwd=ROOT)
    assert not (runs / small.run).exists()
    tidy(workspace)
    assert [path.name for path in runs.iterdir()] == [small.run]
    assert len(workspace.run_arrays(small.run).labels) == 12


def test_a_removal_that_fails_puts_everything_back(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(RuntimeError), removal() as put_aside:
        put_aside(tmp_path / "a")
        put_aside(tmp_path / "never there")
        assert not (tmp_path / "a").exists()
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "b").is_dir()


def test_tidying_beside_a_living_writer_harms_nothing(small):
    """The writer has its folder in place and is about to enter the row."""
    workspace = small.workspace
    enter = Workspace._enter

    def late(self, row):
        assert tidy(Workspace.open(workspace.root)), "somebody else entered it meanwhile"
        enter(self, row)

    workspace._enter = late.__get__(workspace)
    exec(FEATURES, {"workspace": workspace, "np": np})
    assert len(workspace.feature_sets()) == 2
