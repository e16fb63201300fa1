"""A training as a film: nothing moves that did not move, it ends on the finished map, colours stay."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.errors import Stopped, StudioError
from clustering.metrics.neighbourhood import neighbour_recall
from clustering.projections import projections
from clustering.projections.alignment import align, movement
from clustering.projections.frames import continuous, frames

KINDS = [kind for kind in projections().values() if kind.info.name != "dre"]  # as PCA, but a minute
WARM = [kind for kind in KINDS if kind.info.going_on is not None]


@pytest.fixture(scope="module")
def epochs() -> list[np.ndarray]:
    """Three groups that part: five epochs of 90 items in six dimensions, turned a little each time."""
    random = np.random.default_rng(0)
    noise = random.normal(size=(90, 6))
    middles = 6 * random.normal(size=(3, 6))[np.arange(90) % 3]
    spin = np.linalg.qr(np.eye(6) + 0.05 * random.normal(size=(6, 6)))[0]
    turn = np.eye(6)
    found = []
    for share in (0.2, 0.5, 0.8, 0.9, 1.0):
        found.append(((noise + share * middles) @ turn).astype(np.float32))
        turn = turn @ spin
    return found


def finished(kind, epochs):
    settings = kind.info.test_settings
    return kind(**settings).fit_transform(epochs[-1]), settings


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.info.name)
def test_epochs_of_the_same_latents_do_not_move(kind, epochs):
    places, settings = finished(kind, epochs)
    still = [epochs[2], epochs[2], epochs[-1], epochs[-1]]
    made = frames(still, places, epochs[-1], kind, settings).positions
    np.testing.assert_array_equal(made[2], places)
    np.testing.assert_array_equal(made[3], places)
    np.testing.assert_array_equal(made[0], made[1])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.info.name)
def test_every_frame_lies_on_the_finished_map(kind, epochs):
    places, settings = finished(kind, epochs)
    made = frames(epochs[:-1], places, epochs[-1], kind, settings)
    assert made.positions.shape == (4, 90, 2)
    assert kind.info.title in made.sentence
    for frame in made.positions:
        np.testing.assert_allclose(align(frame, places), frame, atol=1e-3 * np.abs(places).max())


@pytest.mark.parametrize("kind", WARM, ids=lambda kind: kind.info.name)
def test_items_move_less_than_between_maps_of_their_own_and_keep_their_neighbours(kind, epochs):
    places, settings = finished(kind, epochs)
    made = frames(epochs[:-1], places, epochs[-1], kind, settings).positions
    anew = [
        align(kind(**settings | {"random_state": at}).fit_transform(epochs[at]), places) for at in range(4)
    ]

    def moved(film):
        return np.mean([movement(one, other) for one, other in zip(film, [*film[1:], places], strict=True)])

    assert moved(list(made)) < moved(anew)
    for at in range(4):
        assert neighbour_recall(epochs[at], made[at]) > neighbour_recall(epochs[at], anew[at]) - 0.1


def test_a_projection_that_cannot_go_on_says_so(epochs):
    kind = projections()["pca"]
    places, settings = finished(kind, epochs)
    assert "a map of its own" in frames(epochs, places, epochs[-1], kind, settings).sentence
    with pytest.raises(StudioError, match=r"PCA cannot begin from given places"):
        kind().fit(epochs[0], start=places)


def test_the_work_can_be_stopped_and_counts_its_frames(epochs):
    kind = projections()["umap"]
    places, settings = finished(kind, epochs)
    told: list[tuple[int, int]] = []
    frames(
        epochs[:-1], places, epochs[-1], kind, settings, lambda done, total, doing: told.append((done, total))
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (4, 4)
    with pytest.raises(Stopped):
        frames(epochs[:-1], places, epochs[-1], kind, settings, lambda done, total, doing: done == 2)


def test_a_training_without_snapshots_is_refused(epochs):
    with pytest.raises(StudioError, match=r"No snapshots"):
        frames([], np.zeros((90, 2)), epochs[-1], projections()["pca"], {})


def test_clusters_keep_their_numbers_through_the_epochs():
    final = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    renamed = np.array([2, 2, 2, 0, 0, 0, 1, 1, 1])
    moving = np.array([2, 2, 0, 0, 0, 0, 1, 1, 1])
    nothing = np.full(9, -1)
    found = continuous([nothing, moving, renamed], final)
    np.testing.assert_array_equal(found, [nothing, [0, 0, 1, 1, 1, 1, 2, 2, 2], final])


@pytest.mark.parametrize("kind", WARM, ids=lambda kind: kind.info.name)
def test_a_start_must_be_a_map_of_the_same_items(kind, epochs):
    for start in (np.zeros((3, 2)), np.full((90, 2), np.nan)):
        with pytest.raises(StudioError, match="places to begin from"):
            kind(**kind.info.test_settings).fit(epochs[0], start=start)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.info.name)
def test_a_map_laid_on_another_places_new_items_where_it_lies(kind, epochs, tmp_path):
    model = kind(**kind.info.test_settings).fit(epochs[-1])
    before = model.embedding_.copy()
    new = epochs[-1][:9] + 0.3
    placed = model.transform(new)
    onto = 3 * before[:, ::-1] + 10
    model.lay_on(onto)
    moved = model.transform(new)
    np.testing.assert_allclose(model.transform(epochs[-1]), model.embedding_, atol=1e-3)
    span = np.linalg.norm(placed[:, None] - before[None], axis=2)
    np.testing.assert_allclose(
        np.linalg.norm(moved[:, None] - model.embedding_[None], axis=2), span, atol=1e-2
    )
    model.save(tmp_path)
    np.testing.assert_array_equal(kind.load(tmp_path).transform(new), moved)
    model.fit(epochs[-1])
    np.testing.assert_array_equal(model.embedding_, before)
