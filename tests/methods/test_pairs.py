"""Pairs a person made: what follows from them, and what is refused."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.methods import pairs as module
from clustering.methods.pairs import checked_pairs

FEW = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=6)


def test_what_belongs_to_the_same_belongs_together_and_is_kept_apart_alike():
    found = checked_pairs([[0, 1], [2, 1], [4, 3]], [[2, 3]], 6)
    assert found.together.tolist() == [[0, 1], [0, 2], [1, 2], [3, 4]]
    assert found.apart.tolist() == [[i, j] for i in (0, 1, 2) for j in (3, 4)]


@settings(max_examples=50, deadline=None)
@given(FEW, FEW)
def test_what_follows_agrees_with_a_search_along_the_pairs(together, apart):
    reach = {row: {row} for row in range(9)}
    for _ in range(9):
        for i, j in together:
            reach[i] |= reach[j]
            reach[j] |= reach[i]
    contradicts = any(j in reach[i] for i, j in apart)
    if contradicts:
        with pytest.raises(StudioError):
            checked_pairs(together, apart, 9)
        return
    found = checked_pairs(together, apart, 9)
    assert {tuple(pair) for pair in found.together.tolist()} == {
        (i, j) for i, j in combinations(range(9), 2) if j in reach[i]
    }
    assert {tuple(pair) for pair in found.apart.tolist()} == {
        tuple(sorted((a, b))) for i, j in apart for a in reach[i] for b in reach[j]
    }


def test_no_pairs_give_no_pairs():
    for nothing in (None, [], np.empty((0, 2), dtype=int)):
        found = checked_pairs(nothing, nothing, 5)
        assert found.together.shape == found.apart.shape == (0, 2)


@pytest.mark.parametrize(
    ("must", "cannot", "said"),
    [
        ([[0, 1], [1, 2]], [[0, 2], [3, 4]], r"contradict one another: 0–2 must be kept apart"),
        ([[0, 9]], None, r"1 of the 1 pairs that belong together name items that do not exist"),
        (None, [[0, 1, 2]], r"pairs to keep apart are no list of pairs"),
        (None, [[3, 3]], r"Item 3 is to be kept apart from itself"),
        ([[0.5, 1.0]], None, r"hold what are no row numbers"),
    ],
)
def test_pairs_that_cannot_be_used_are_refused_in_a_sentence(must, cannot, said):
    with pytest.raises(StudioError, match=said) as refusal:
        checked_pairs(must, cannot, 5)
    assert refusal.value.mend.endswith(".")


def test_pairs_from_which_too_many_follow_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_IMPLIED", 6)
    assert len(checked_pairs([[0, 1], [1, 2]], [[2, 3]], 9).apart) == 3
    with pytest.raises(StudioError, match="10 follow; 6 is the most"):
        checked_pairs([[0, 1], [1, 2], [2, 3], [3, 4]], None, 9)
