"""Where a new item belongs: a copy of an item is where the item is, and how usual it is can be counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.methods import method
from clustering.newcomers import own_distances, place, usual
from clustering.newcomers import placed as module
from clustering.projections import projection

POINTS = np.concatenate([np.random.default_rng(at).normal(6 * at, 1, (40, 5)) for at in range(3)]).astype(
    np.float32
)
MODEL = method("kmeans")(n_clusters=3, random_state=0).fit(POINTS)


def test_a_copy_of_an_item_is_where_the_item_is() -> None:
    chart = projection("pca")().fit(POINTS)
    found = place(POINTS[[7, 80]], MODEL, POINTS, projection=chart)
    assert found.labels.tolist() == MODEL.labels_[[7, 80]].tolist()
    np.testing.assert_allclose(found.odds, MODEL.soft_assignments_[[7, 80]], atol=1e-6)
    assert found.positions is not None
    np.testing.assert_allclose(found.positions, chart.embedding_[[7, 80]], atol=1e-4)
    for space in ("features", "latent"):
        assert found.near[space].indices[:, 0].tolist() == [7, 80]
        assert found.near[space].distances[:, 0] == pytest.approx(0, abs=1e-5)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 119), min_size=1, max_size=6))
def test_no_item_depends_on_its_company(rows: list[int]) -> None:
    moved = POINTS[rows] + np.float32(0.3)
    together = place(moved, MODEL, POINTS)
    for at in range(len(rows)):
        alone = place(moved[at : at + 1], MODEL, POINTS)
        assert alone.labels[0] == together.labels[at]
        assert alone.nearer_than["features"][0] == together.nearer_than["features"][at]
        np.testing.assert_array_equal(alone.near["latent"].indices[0], together.near["latent"].indices[at])


def test_how_usual_an_item_is_by_a_plain_loop() -> None:
    def mean_distance(row: np.ndarray, without: int = -1) -> float:
        apart = [np.linalg.norm(row - other) for at, other in enumerate(POINTS) if at != without]
        return float(np.mean(sorted(apart)[:10]))

    own = [mean_distance(row, at) for at, row in enumerate(POINTS)]
    new = np.array([[3.0, 3, 3, 3, 3], [6, 6, 6, 6, 6]], np.float32)
    found = place(new, MODEL, POINTS).nearer_than["features"]
    wanted = [np.mean([mean_distance(row) < other for other in own]) for row in new]
    assert found == pytest.approx(wanted, abs=1e-9)
    assert found[0] < found[1]


def test_of_many_items_some_speak_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    every = own_distances(POINTS)
    monkeypatch.setattr(module, "ALL_UP_TO", 50)
    monkeypatch.setattr(module, "ASKED", 60)
    some = own_distances(POINTS)
    assert len(some) == 60
    assert set(np.round(some, 4)) <= set(np.round(every, 4))


def test_equal_items_are_at_no_distance_from_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALL_UP_TO", 5)
    monkeypatch.setattr(module, "ASKED", 20)
    assert own_distances(np.ones((30, 2), np.float32)).max() == 0


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "further from its neighbours than any of the works"),
        (0.004, "further from its neighbours than 99 % of the works"),
        (0.25, "further from its neighbours than 75 % of the works"),
        (0.834, "nearer to its neighbours than 83 % of the works"),
        (1.0, "nearer to its neighbours than any of the works"),
    ],
)
def test_how_usual_is_said_in_words(share: float, words: str) -> None:
    assert usual(share) == words


def test_items_of_another_width_are_refused() -> None:
    with pytest.raises(StudioError, match="the model knows 5 features"):
        place(np.ones((1, 4)), MODEL, POINTS)
