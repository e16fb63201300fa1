"""Which items are most worth a label: distinct, one a group, never what has a label, in whatever order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from clustering.errors import StudioError
from clustering.labelling import guesses, label_next, survey
from clustering.labelling.surveying import Distances


def blobs(seed: int, n: int = 60, twins: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(4, 5))[rng.integers(4, size=n)] * 3 + rng.normal(size=(n, 5))).astype(np.float32)
    rows[:twins] = rows[n // 2]
    return rows


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), n_items=st.integers(1, 12), n_labelled=st.integers(0, 8))
def test_picks_are_distinct_one_a_group_and_never_what_has_a_label(seed, n_items, n_labelled):
    rows = blobs(seed)
    labelled = np.random.default_rng(seed).choice(len(rows), n_labelled, replace=False).tolist()
    picks = label_next(rows, n_items, labelled)
    items = [pick.item for pick in picks]
    assert len(items) == n_items == len(set(items))
    assert len({pick.cluster for pick in picks}) == n_items
    assert not {tuple(rows[item]) for item in items} & {tuple(rows[item]) for item in labelled}, "nor a twin"
    assert len({tuple(rows[item]) for item in items}) == n_items
    assert all(pick.reason.endswith(".") and pick.worth > 0 for pick in picks)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_items_changes_nothing(seed):
    rows = blobs(seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    first = [rows[pick.item].tolist() for pick in label_next(rows, 7)]
    again = [rows[order][pick.item].tolist() for pick in label_next(rows[order], 7)]
    assert first == again


def test_answers_one_by_one_ask_of_every_group_once_and_a_skipped_item_is_replaced():
    rows = blobs(3)
    found = survey(rows, 8)
    distances = Distances.of(rows, found)
    labelled: list[int] = []
    while picks := found.next_items(distances, 8, labelled):
        assert len(picks) == 8 - len(labelled)
        labelled.append(picks[0].item)
    assert len(labelled) == 8
    assert sorted(found.clusters[found.kind_of[labelled]]) == list(range(8))
    first = found.next_items(distances, 8)[0]
    after = found.next_items(distances, 8, skipped=[first.item])
    assert first.item not in [pick.item for pick in after]
    assert first.cluster in [pick.cluster for pick in after]


def test_many_copies_of_one_item_are_one_kind_and_their_density_is_finite():
    rows = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    picks = label_next(rows, 10)
    assert sorted(pick.item for pick in picks) == [0, 20, 40]
    assert all(np.isfinite(pick.worth) and pick.stands_for == 20 for pick in picks)
    with pytest.raises(StudioError, match="4 labels are to be given, but there are 3 different items"):
        survey(rows, 4)


def test_neighbours_are_searched_once_for_all_budgets(tmp_path, monkeypatch):
    from clustering.neighbors import kept_in, search

    rows = blobs(1)
    with kept_in(tmp_path):
        survey(rows, 5)
        monkeypatch.setattr(search, "_searched", None)  # a second search would call it
        survey(rows, 11)


@pytest.mark.parametrize("variant", ["standardised", "paper"])
def test_ten_digits_chosen_tell_more_of_the_others_than_ten_drawn(variant):
    items, digits = load_digits(return_X_y=True)
    rows = items.astype(np.float32)

    def accuracy(chosen) -> float:
        names, classes = np.unique(digits[chosen], return_inverse=True)
        return float(
            (names[guesses(rows, np.array(chosen), classes, "nearest_label").labels] == digits).mean()
        )

    chosen = [
        accuracy([pick.item for pick in label_next(rows, 10, variant=variant, random_state=s)])
        for s in (0, 1)
    ]
    drawn = [accuracy(np.random.default_rng(s).choice(len(rows), 10, replace=False)) for s in range(8)]
    assert np.mean(chosen) - np.mean(drawn) >= 0.10
