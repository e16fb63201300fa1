"""What is put beside a map (the film of its training, another seed), and how a new map is laid on others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clustering.jobs.executors import Inline
from clustering.projections import projection
from clustering.projections.alignment import Similarity, align, movement
from tests.small_workspace import Small, filmed, make

TINY = {"n_iter": 50, "perplexity": 8.0}  # of t-SNE


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("beside"), n=48, kind="table")


@pytest.fixture(scope="module")
def film(small: Small) -> tuple[str, str]:
    return filmed(small, **TINY)


def done(small: Small, kind: str, **parameters: object) -> dict[str, str]:
    with Inline(small.workspace) as here:
        job = here.submit(kind, parameters)  # type: ignore[arg-type]
    assert job.state == "finished", job.problem
    return job.result


def test_the_training_is_laid_out_in_the_frame_of_the_finished_map(
    small: Small, film: tuple[str, str]
) -> None:
    run, drawn = film
    assert done(small, "frames", projection=drawn) == {
        "collection": small.collection,
        "features": small.features,
        "projection": drawn,
        "run": run,
    }
    kept = small.workspace.companion(drawn, "frames")
    assert kept is not None
    assert kept.arrays["positions"].shape == (5, 48, 2)
    finished = small.workspace.drawn_map(drawn)
    # the last snapshot shows what the run found: no item moves on the way to the finished map
    np.testing.assert_array_equal(kept.arrays["positions"][-1], finished)
    np.testing.assert_array_equal(kept.arrays["labels"][-1], small.workspace.run_arrays(run).labels)
    assert (kept.arrays["labels"][:2] == -1).all()
    told = kept.told["epochs"]
    assert [(one["phase"], one["epoch"]) for one in told] == [
        ("pretrain", 0),
        ("pretrain", 3),
        ("cluster", 1),
        ("cluster", 2),
        ("cluster", 3),
    ]
    assert [one["changed"] for one in told] == [None, None, None, pytest.approx(2 / 48), 0.0]
    assert all(one["moved"] < 0.5 for one in told[1:])
    assert all(one["kept"] > 0.3 for one in told)
    assert "goes on backwards" in kept.told["sentence"]


def test_a_film_goes_with_its_map(small: Small, film: tuple[str, str]) -> None:
    other = done(small, "project", run=film[0], projection="pca")["projection"]
    done(small, "frames", projection=other)
    kept = small.workspace.companion(other, "frames")
    assert kept is not None and "a map of its own" in kept.told["sentence"]
    folder = small.workspace.projection(other).folder
    small.workspace.remove_projection(other)
    assert not folder.exists()


def test_a_run_without_snapshots_cannot_be_played(small: Small) -> None:
    with Inline(small.workspace) as here:
        job = here.submit("frames", {"projection": small.projection})
    assert job.state == "failed"
    assert "No snapshots of this training were kept" in job.problem


def test_another_seed_is_drawn_beside_and_not_in_place_of_a_map(small: Small, film: tuple[str, str]) -> None:
    run, drawn = film
    before = [one.id for one in small.workspace.projections()]
    done(small, "another-seed", projection=drawn)
    assert [one.id for one in small.workspace.projections()] == before
    kept = small.workspace.companion(drawn, "another-seed")
    assert kept is not None
    first, second = small.workspace.drawn_map(drawn), kept.arrays["positions"]
    record = small.workspace.projection(drawn)
    alone = projection("tsne")(**record.parameters | {"random_state": record.seed + 1})
    expected = align(alone.fit_transform(small.workspace.run_arrays(run).latents), first)
    np.testing.assert_allclose(second, expected, atol=1e-4)
    assert kept.told["seed"] == record.seed + 1
    assert kept.told["moved"] == pytest.approx(movement(second, first), rel=1e-4)
    assert kept.told["chance"] < kept.told["agreement"] <= 1
    assert {"trustworthiness", "continuity"} <= {one["name"] for one in kept.told["quality"]}


def test_a_new_map_lies_on_the_newest_of_its_kind(tmp_path: Path) -> None:
    small = make(tmp_path, n=48, kind="table")
    first = done(small, "project", run=small.run, projection="tsne", parameters=TINY)["projection"]
    second = done(small, "project", run=small.run, projection="laptsne", parameters={"n_iter": 30})[
        "projection"
    ]
    again = done(small, "project", run=small.run, projection="tsne", parameters=TINY | {"random_state": 5})
    third = again["projection"]
    house = small.workspace
    assert (house.laid_on(small.projection), house.laid_on(first)) == (None, small.projection)
    assert (house.laid_on(second), house.laid_on(third)) == (first, first)
    for drawn, onto in ((first, small.projection), (second, first), (third, first)):
        places, target = house.drawn_map(drawn), house.drawn_map(onto)
        np.testing.assert_array_equal(places, house.map(drawn))  # it is not turned once more to be drawn
        still = Similarity.fitted(places, target, scaled=False)
        np.testing.assert_allclose(still.turn, np.eye(2), atol=1e-3)
    assert any("Begun at the places" in note and first in note for note in house.projection(third).notes)
    assert any("Turned to lie on" in note and first in note for note in house.projection(second).notes)
    loaded = projection("tsne").load(house.projection(third).folder / "model")
    np.testing.assert_allclose(
        loaded.transform(house.run_arrays(small.run).latents), house.map(third), atol=1e-3
    )


def test_a_map_that_shall_stand_alone_does(tmp_path: Path) -> None:
    small = make(tmp_path, n=30, kind="table")
    wanted = {"run": small.run, "projection": "tsne", "parameters": TINY}
    drawn = done(small, "project", **wanted, alone=True)["projection"]
    assert small.workspace.laid_on(drawn) is None
    alone = projection("tsne")(**TINY).fit_transform(small.workspace.run_arrays(small.run).latents)
    np.testing.assert_array_equal(small.workspace.map(drawn), alone)
