"""Labels given by hand: kept with their collection, all of a step or none, and taken back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.collections import load
from clustering.errors import StudioError
from clustering.workspace import Workspace


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    np.savez(folder / "v.npz", x=np.random.default_rng(0).normal(size=(30, 3)))
    workspace = Workspace.open(folder / "house")
    collection = load(folder / "v.npz", workspace.new_collection_folder("v"))
    return workspace, workspace.add_collection(collection).id


@pytest.fixture(autouse=True)
def nothing_labelled(house):
    workspace, id = house
    workspace.set_labels(id, dict.fromkeys(range(30)))


def test_labels_stay_in_the_order_they_were_given_and_are_there_for_all(house):
    workspace, id = house
    assert workspace.set_labels(id, {9: "sea"}) == {9: None}
    assert workspace.set_labels(id, {2: " still  life "}) == {2: None}
    assert list(Workspace.open(workspace.root).labels(id).items()) == [(9, "sea"), (2, "still life")]
    assert workspace.set_labels(id, {9: "boat"}) == {9: "sea"}
    assert workspace.set_labels(id, {9: None}) == {9: "boat"}
    assert workspace.labels(id) == {2: "still life"}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 5), st.none() | st.sampled_from("abc")), max_size=5))
def test_every_step_is_undone_by_what_was_there_before_and_no_two_states_share_a_stamp(house, steps):
    workspace, id = house
    workspace.set_labels(id, dict.fromkeys(range(6)))
    states = [workspace.labels(id)]
    stamps = {workspace.labels_stamp(id): states[0]}
    undo = []

    def step(labels):
        before = workspace.set_labels(id, labels)
        stamp, now = workspace.labels_stamp(id), workspace.labels(id)
        assert stamps.setdefault(stamp, now) == now
        return before

    for labels in steps:
        undo.append(step(labels))
        states.append(workspace.labels(id))
    for before, state in zip(reversed(undo), reversed(states[:-1]), strict=True):
        step(before)
        assert workspace.labels(id) == state


@pytest.mark.parametrize(
    ("labels", "words"),
    [({3: "a", 30: "b"}, "Item 30 is not in the collection"), ({-1: "a"}, "Item -1 is not"),
     ({3: "a", 4: "  "}, "The label is empty")],
)  # fmt: skip
def test_a_step_that_cannot_be_done_whole_changes_nothing(house, labels, words):
    workspace, id = house
    with pytest.raises(StudioError, match=words):
        workspace.set_labels(id, labels)
    assert workspace.labels(id) == {}


def test_labels_go_with_their_collection(house, tmp_path):
    workspace, _ = house
    np.savez(tmp_path / "v.npz", x=np.random.default_rng(0).normal(size=(5, 3)))
    gone = workspace.add_collection(load(tmp_path / "v.npz", workspace.new_collection_folder("v"))).id
    workspace.set_labels(gone, {0: "a"})
    workspace.remove_collection(gone)
    assert workspace.labels(gone) == {}
