"""Collections come in by jobs: killed, stopped or cancelled on the way they go on, or leave nothing."""

from __future__ import annotations

import numpy as np
import pytest
from house import Worker, ended, until
from PIL import Image

from clustering.errors import StudioError
from clustering.jobs.context import JobContext
from clustering.jobs.executors import Inline
from clustering.jobs.tasks import TASKS
from clustering.workspace import Workspace
from tests import small_workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(300):
        pixels = rng.integers(0, 255, (400, 400, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03d}.jpg")
    return folder


def leftovers(workspace: Workspace) -> list[str]:
    return sorted(entry.name for entry in (workspace.root / "collections").iterdir())


def test_a_load_killed_half_way_goes_on_and_a_cancelled_one_leaves_nothing(workspace, pictures):
    job = workspace.submit("load", {"source": str(pictures), "name": "Noise"})
    reached = 20
    for _ in range(2):
        with Worker(workspace) as worker:
            until(lambda: workspace.status(job.id).done > reached)  # noqa: B023
            worker.kill()
        reached = workspace.status(job.id).done
        assert workspace.status(job.id).state == "interrupted"
        assert workspace.collections() == []
        workspace.request(job.id, "resume")
    with Worker(workspace, "--until-empty"):
        assert ended(workspace, job.id) == "finished"
    made = workspace.collections()
    assert [(record.name, record.n_items) for record in made] == [("Noise", 300)]
    assert leftovers(workspace) == [made[0].id]

    other = workspace.submit("load", {"source": str(pictures), "name": "Other"})
    with Worker(workspace) as worker:
        until(lambda: workspace.status(other.id).done > 20)
        worker.kill()
    assert len(leftovers(workspace)) > 1, "what can go on is still there"
    workspace.request(other.id, "cancel")
    assert leftovers(workspace) == [made[0].id]


def test_a_job_done_twice_makes_one_collection(workspace, tmp_path):
    np.save(tmp_path / "v.npy", np.ones((4, 2), np.float32) * np.arange(4)[:, None])
    context = JobContext("load-1", workspace.root / "jobs" / "load-1")
    parameters = {"source": str(tmp_path / "v.npy"), "name": "Four"}
    assert TASKS["load"](workspace, parameters, context) == TASKS["load"](workspace, parameters, context)
    assert len(workspace.collections()) == 1


def test_a_load_that_cannot_work_says_why(workspace, tmp_path):
    with Inline(workspace) as here:
        job = here.submit("load", {"source": str(tmp_path / "nowhere")})
        bare = here.submit("load", {})
    assert (job.state, bare.state) == ("failed", "failed")
    assert "nowhere" in job.problem
    assert job.mend
    assert "needs “source”" in bare.problem


def test_the_digits_come_as_a_job(workspace):
    with Inline(workspace) as here:
        job = here.submit("sample", {"name": "digits"})
    assert job.state == "finished", job.problem
    assert workspace.collection(job.result["collection"]).n_items == 1797


def test_a_museum_is_asked_with_what_the_page_wrote_and_a_lost_connection_can_be_resumed(
    workspace, monkeypatch
):
    from clustering.collections import load, museums

    asked: list[dict] = []
    np.save(workspace.root / "v.npy", np.eye(5, dtype=np.float32))

    def fetch(museum, destination, **options):
        asked.append({"museum": museum, "destination": destination.name, **options})
        if len(asked) == 1:
            raise StudioError("The museum does not answer.", "Look at your connection, then resume.")
        return load(workspace.root / "v.npy", destination)

    monkeypatch.setattr(museums, "fetch", fetch)
    wanted = {"museum": "met", "query": "sea", "department": "", "limit": 20}
    with Inline(workspace) as here:
        job = here.submit("fetch", wanted)
        assert (job.state, job.mend) == ("failed", "Look at your connection, then resume.")
        job = here.resume(job.id)
    assert job.state == "finished", job.problem
    assert asked[0]["destination"] == asked[1]["destination"], "what came already is not fetched again"
    assert asked[1]["destination"].startswith("sea-")
    assert {name: asked[1][name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("wanted", "min_dist"),
    [({}, 3.0), ({"parameters": {"min_dist": 0.5}}, 0.5), ({"space": "features"}, 0.1)],
)
def test_a_map_of_pictures_has_room_for_them_unless_something_else_is_asked_for(tmp_path, wanted, min_dist):
    small = small_workspace.make(tmp_path)
    with Inline(small.workspace) as here:
        job = here.submit("project", {"run": small.run, "projection": "umap", "space": "latent", **wanted})
    made = small.workspace.projection(job.result["projection"])
    assert made.parameters["min_dist"] == min_dist
