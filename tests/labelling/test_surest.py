"""What a trained run would have labelled: the surest item of every group that has no label."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.labelling import surest_items


def odds(seed: int, n: int = 30, k: int = 5) -> np.ndarray:
    rows = np.exp(5 * np.random.default_rng(seed).normal(size=(n, k)))
    return (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(0, 3))
def test_every_open_group_gives_its_surest_item_that_was_not_skipped(seed, n_labelled, n_skipped):
    q = odds(seed)
    some = np.random.default_rng(seed).permutation(len(q)).tolist()
    labelled, skipped = some[:n_labelled], some[n_labelled : n_labelled + n_skipped]
    picks = surest_items(q, labelled, skipped)
    groups = q.argmax(axis=1)
    expected = set()
    for group in set(groups) - set(groups[labelled]):
        allowed = [item for item in np.flatnonzero(groups == group) if item not in skipped]
        if allowed:
            expected.add(max(allowed, key=lambda item: 1 - (q[item].astype(float).sum() - q[item].max())))
    assert {pick.item for pick in picks} == expected
    sizes = [pick.stands_for for pick in picks]
    assert sizes == sorted(sizes, reverse=True)
    assert all(pick.cluster == groups[pick.item] and pick.reason.endswith(".") for pick in picks)


def test_items_whose_odds_are_rounded_to_one_are_told_apart_by_what_is_left_of_the_others():
    q = np.array([[1, 1e-9, 0], [1, 1e-12, 0], [1, 1e-10, 0], [0, 0, 1]], dtype=np.float32)
    first, second = surest_items(q)
    assert (first.item, first.stands_for) == (1, 3)
    assert (second.item, second.reason) == (3, "Alone in its group, which has no label yet.")


def test_a_group_without_items_and_one_whose_items_are_all_skipped_give_nothing():
    q = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0]], dtype=np.float32)
    assert [pick.item for pick in surest_items(q, skipped=[1])] == [0]
    assert surest_items(q, labelled=[0, 1]) == []
