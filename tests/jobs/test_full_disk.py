"""On a full disk a job fails in a sentence, leaves nothing half-written, and runs once there is room."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from house import features_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from clustering.jobs import reserve
from clustering.jobs.executors import Inline
from clustering.jobs.worker import work
from clustering.workspace import JobRecord, Workspace

MEGABYTE = 2**20
DEC = {
    "method": "dec",
    "parameters": {
        "n_clusters": 3,
        "hidden_dims": [64],
        "latent_dim": 3,
        "pretrain_epochs": 2,
        "epochs": 2,
        "profile": "fast",
    },
}


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory) -> Iterator[Path]:
    """A disk of eight megabytes."""
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can only be made by root")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def free(disk: Path) -> int:
    told = os.statvfs(disk)
    return told.f_bavail * told.f_frsize


def fill(disk: Path, leave: int) -> None:
    """Leave so many bytes."""
    with (disk / "ballast").open("wb") as ballast:
        ballast.write(bytes(max(0, free(disk) - leave)))


def half_written(workspace: Workspace) -> list[str]:
    return [path.name for path in workspace.root.rglob("*") if path.name.endswith((".part", ".aside"))]


def unlisted(workspace: Workspace) -> set[str]:
    listed = {run.id for run in workspace.runs()} | {kept.id for kept in workspace.feature_sets()}
    listed |= {chart.id for chart in workspace.projections()}
    shelves = (workspace.root / shelf for shelf in ("runs", "features", "projections"))
    return {path.name for shelf in shelves if shelf.exists() for path in shelf.iterdir()} - listed


def test_the_sentence_names_the_disk_what_is_needed_and_what_is_free(small_disk):
    workspace = Workspace.open(small_disk / "named")
    features = features_in(workspace)
    fill(small_disk, MEGABYTE // 2)
    many = np.zeros((features.n_items, 1000), np.float32)
    about = {"encoder": "vectors", "title": "Many", "origin": "Here.", "parameters": {}, "key": "many"}
    try:
        with pytest.raises(
            ValueError, match=r"disk is full.*about 960.0 kB needed, .* kB free on the disk at"
        ):
            workspace.add_features(features.collection_id, many, **about)
    finally:
        (small_disk / "ballast").unlink()
    assert workspace.add_features(features.collection_id, many, **about).dimensions == 1000


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(leave=st.integers(0, 160 * 1024))
def test_wherever_the_room_ends_the_job_can_be_done_later(small_disk, leave):
    """Log, status, checkpoint, run, model and database share the disk; any may be the one too many."""
    workspace = Workspace.open(small_disk / "workspace")
    try:
        _filled_and_freed(workspace, small_disk, leave)
    finally:
        workspace.close()
        subprocess.run(f"rm -rf {small_disk}/*", shell=True, check=True)


def _filled_and_freed(workspace: Workspace, disk: Path, leave: int) -> None:
    features = features_in(workspace)
    job = workspace.submit("train", {"features": features.id, **DEC})
    reserve.hold(workspace)
    assert len(reserve.held(workspace)) == reserve.PIECES
    fill(disk, leave)
    work(workspace, until_empty=True, warm=False)
    broken = workspace.job(job.id)
    assert broken.state in ("failed", "finished"), broken
    assert (half_written(workspace), unlisted(workspace)) == ([], set())
    (disk / "ballast").unlink()
    if broken.state == "failed":
        assert "disk is full" in broken.problem
        assert "Free some space" in broken.mend
        workspace.request(job.id, "resume")
        work(workspace, until_empty=True, warm=False)
    assert workspace.job(job.id).state == "finished", workspace.job(job.id).problem
    with Inline(workspace) as here:
        whole = here.submit("train", {"features": features.id, **DEC})
    runs = [workspace.run_arrays(workspace.job(id).result["run"]) for id in (job.id, whole.id)]
    np.testing.assert_array_equal(runs[0].soft_assignments, runs[1].soft_assignments)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(leave=st.integers(0, 400 * 1024))
def test_a_collection_of_pictures_comes_in_whole_or_not_at_all_and_later(small_disk, pictures, leave):
    """Survey, items, thumbnails and then the features of sixty pictures."""
    workspace = Workspace.open(small_disk / "workspace")
    try:
        load = workspace.submit("load", {"source": str(pictures), "name": "Noise"})
        encode = workspace.submit("features", {"encoder": "pixels"}, after=load.id)
        reserve.hold(workspace)
        fill(small_disk, leave)
        work(workspace, until_empty=True, warm=False)
        assert (half_written(workspace), unlisted(workspace)) == ([], set())
        shelf = workspace.root / "collections"
        kept = {path.name for path in shelf.iterdir()} if shelf.exists() else set()
        assert kept == {record.id for record in workspace.collections()}
        (small_disk / "ballast").unlink()
        for job in (load, encode):
            if workspace.job(job.id).state == "failed":
                assert "disk is full" in workspace.job(job.id).problem or job is encode
                workspace.request(job.id, "resume")
                work(workspace, until_empty=True, warm=False)
            assert workspace.job(job.id).state == "finished", workspace.job(job.id).problem
        assert workspace.features(workspace.job(encode.id).result["features"]).shape[0] == 60
    finally:
        workspace.close()
        subprocess.run(f"rm -rf {small_disk}/*", shell=True, check=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for number in range(60):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return folder


def done_with_failing(workspace: Workspace, features: str, monkeypatch, fatal: int) -> tuple[JobRecord, int]:
    """Do a job while the ``fatal``-th rename finds no room; return it, and how many renames there were."""
    replace, seen = Path.replace, []

    def full(self: Path, target: Path) -> Path:
        seen.append(target)
        if len(seen) == fatal:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    with monkeypatch.context() as patch, Inline(workspace) as here:
        patch.setattr(Path, "replace", full)
        job = here.submit("train", {"features": features, **DEC})
    return job, len(seen)


def test_each_single_rename_may_be_the_one_that_finds_no_room(tmp_path, monkeypatch):
    workspace = Workspace.open(tmp_path)
    features = features_in(workspace).id
    whole, renames = done_with_failing(workspace, features, monkeypatch, fatal=0)
    assert whole.state == "finished"
    assert renames > 10
    for fatal in range(1, renames + 1):
        job, _ = done_with_failing(workspace, features, monkeypatch, fatal)
        assert (half_written(workspace), unlisted(workspace)) == ([], set()), fatal
        assert job.state in ("finished", "failed"), job
        if job.state == "failed":
            assert "disk is full" in job.problem
            with Inline(workspace) as here:
                assert here.resume(job.id).state == "finished"
