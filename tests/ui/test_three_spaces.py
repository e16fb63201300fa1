"""One item's neighbours in the features, the latent space and on the map, and what they share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.ui.three_spaces import Neighbourhoods, neighbourhoods
from tests.small_workspace import Small, make


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("spaces"), n=30)


def brute(points: np.ndarray, index: int, k: int) -> list[int]:
    apart = np.linalg.norm(np.asarray(points, np.float64) - points[index], axis=1)
    apart[index] = np.inf
    return np.argsort(apart, kind="stable")[:k].tolist()


def test_each_space_gives_its_own_nearest(small: Small) -> None:
    workspace = small.workspace
    near = neighbourhoods(workspace, workspace.run(small.run), small.projection, 4, k=5)
    assert list(near.indices) == ["features", "latent", "map"]
    assert near.indices["features"].tolist() == brute(workspace.features(small.features), 4, 5)
    assert near.indices["latent"].tolist() == brute(workspace.run_arrays(small.run).latents, 4, 5)
    assert near.indices["map"].tolist() == brute(workspace.map(small.projection), 4, 5)


def test_without_a_map_there_are_two_spaces(small: Small) -> None:
    near = neighbourhoods(small.workspace, small.workspace.run(small.run), None, 0)
    assert list(near.indices) == ["features", "latent"]
    assert "on the map" not in near.sentence()


lists = st.lists(st.integers(0, 30), min_size=4, max_size=4, unique=True)


@settings(max_examples=40, deadline=None)
@given(lists, lists, lists)
def test_a_neighbour_is_marked_in_every_space_that_holds_it(
    features: list[int], latent: list[int], on_map: list[int]
) -> None:
    rows = {"features": features, "latent": latent, "map": on_map}
    near = Neighbourhoods({space: np.array(items) for space, items in rows.items()}, {})
    for item in set(features + latent + on_map):
        assert near.near_in(item) == {space: item in items for space, items in rows.items()}
    words = ("none", "one", "two", "three", "four")
    common = len(set(features) & set(latent) & set(on_map))
    assert near.sentence().endswith(f", and {words[common]} in all three.")


def test_the_sentence_counts_what_is_shared() -> None:
    near = Neighbourhoods(
        {"features": np.arange(10), "latent": np.arange(4, 14), "map": np.arange(8, 18)}, {}
    )
    assert near.sentence() == (
        "Of its ten nearest in the features, six are among the nearest in latent space too, two on the map, "
        "and two in all three."
    )


def test_an_only_item_has_no_neighbours() -> None:
    nothing = {space: np.empty(0, np.int64) for space in ("features", "latent", "map")}
    assert Neighbourhoods(nothing, {}).sentence() == "There is no other item to be near to."
