"""Pairs made by hand: kept with their collection, taken back, refused where they contradict, judged."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.collections import load
from clustering.errors import StudioError
from clustering.workspace import Hint, Workspace
from clustering.workspace.hints import MOST_APART, pairs_of


@pytest.fixture
def house(tmp_path):
    np.savez(tmp_path / "v.npz", x=np.random.default_rng(0).normal(size=(30, 3)))
    workspace = Workspace.open(tmp_path / "house")
    collection = load(tmp_path / "v.npz", workspace.new_collection_folder("v"))
    return workspace, workspace.add_collection(collection).id


def test_hints_stay_in_their_order_and_can_be_taken_back(house):
    workspace, id = house
    first = workspace.add_hint(id, [4, 2, 9], together=True)
    second = workspace.add_hint(id, [1, 4], together=False)
    assert first.items == (2, 4, 9)
    assert Workspace.open(workspace.root).hints(id) == [first, second]
    assert workspace.remove_hint(first.id) == first
    assert workspace.hints(id) == [second]
    with pytest.raises(StudioError, match="no hint called"):
        workspace.remove_hint(first.id)
    workspace.restore_hint(first)
    assert workspace.hints(id) == [first, second]


def test_together_is_a_chain_and_apart_is_every_two():
    hints = [Hint("a", "c", True, (1, 3, 5), ""), Hint("b", "c", False, (0, 1, 2), "")]
    together, apart = pairs_of(hints)
    assert together.tolist() == [[1, 3], [3, 5]]
    assert apart.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert [part.shape for part in pairs_of([])] == [(0, 2), (0, 2)]


def test_a_hint_that_contradicts_others_is_refused_by_the_names_of_the_items(house):
    workspace, id = house
    workspace.add_hint(id, [0, 1], together=True)
    workspace.add_hint(id, [1, 2], together=True)
    with pytest.raises(StudioError, match="“0” and “2” cannot both belong together and be kept apart"):
        workspace.add_hint(id, [0, 2], together=False)
    workspace.add_hint(id, [2, 3], together=False)
    with pytest.raises(StudioError, match="cannot both") as refusal:
        workspace.add_hint(id, [0, 3], together=True)
    assert refusal.value.mend.endswith(".")
    assert len(workspace.hints(id)) == 3


@pytest.mark.parametrize(
    ("items", "together", "words"),
    [([3], True, "1 items were chosen"), (range(MOST_APART + 1), False, f"2 to {MOST_APART}"),
     ([2, 30], True, "Item 30 is not in the collection"), ([-1, 3], True, "Item -1 is not")],
)  # fmt: skip
def test_too_few_too_many_and_unknown_items_are_refused(house, items, together, words):
    workspace, id = house
    with pytest.raises(StudioError, match=words):
        workspace.add_hint(id, items, together=together)
    assert workspace.hints(id) == []


def test_a_run_keeps_a_hint_or_breaks_it_and_an_item_without_a_group_is_with_nobody():
    labels = np.array([0, 0, 1, -1, -1])
    kept = {
        (True, (0, 1)): True, (True, (0, 2)): False, (True, (3, 4)): False,
        (False, (0, 2)): True, (False, (0, 1)): False, (False, (0, 3, 4)): True,
    }  # fmt: skip
    for (together, items), expected in kept.items():
        assert Hint("h", "c", together, items, "").kept(labels) == expected


def test_hints_go_with_their_collection(house):
    workspace, id = house
    workspace.add_hint(id, [0, 1], together=True)
    workspace.remove_collection(id)
    assert workspace.hints(id) == []
