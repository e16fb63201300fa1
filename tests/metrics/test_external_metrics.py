"""Agreement with labels: worked oracles, scikit-learn, and what must hold for any labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from clustering.errors import StudioError
from clustering.metrics import external, matched_labels
from clustering.metrics.external import accuracy, ami, ari, f1_macro, mutual_information_of, nmi, purity
from clustering.metrics.matching import contingency

FIRST = ([0, 0, 0, 1, 1, 1, 2, 2, 2, 2], [1, 1, 0, 0, 0, 0, 2, 2, 1, 2])
SECOND = ([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 2, 3])
NORMS = ("arithmetic", "geometric", "min", "max")

labelings = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n) for _ in range(2)])
)


def by_name(qualities):
    return {quality.name: quality for quality in qualities}


def test_the_first_worked_example_comes_out():
    assert accuracy(*FIRST) == pytest.approx(0.8)
    assert purity(*FIRST) == pytest.approx(0.8)
    assert mutual_information_of(contingency(*FIRST)) == pytest.approx(0.6730116671, abs=1e-10)
    for norm in NORMS:
        assert nmi(*FIRST, norm) == pytest.approx(0.6180656463, abs=1e-10)
    assert ari(*FIRST) == pytest.approx(0.4318181818, abs=1e-10)
    assert ami(*FIRST) == pytest.approx(0.4772899900, abs=1e-10)


def test_the_second_worked_example_tells_the_normalisations_apart():
    assert accuracy(*SECOND) == pytest.approx(0.625)
    assert purity(*SECOND) == 1
    expected = dict(zip(NORMS, (0.6883167376, 0.7244020602, 1, 0.5247583448), strict=True))
    for norm, value in expected.items():
        assert nmi(*SECOND, norm) == pytest.approx(value, abs=1e-9)
    assert ari(*SECOND) == pytest.approx(0.4494382022, abs=1e-10)
    assert ami(*SECOND) == pytest.approx(0.5619431320, abs=1e-10)
    found = by_name(external(*SECOND))
    assert found["homogeneity"].value == pytest.approx(1)
    assert found["completeness"].value == pytest.approx(0.5247583447, abs=1e-9)
    assert "geometric 0.724, min 1.000, max 0.525" in found["nmi"].note


@settings(max_examples=60, deadline=None)
@given(labelings)
def test_measures_agree_with_scikit_learn(pair):
    y, c = pair
    found = {name: quality.value for name, quality in by_name(external(y, c, resamples=0)).items()}
    assert found["nmi"] == pytest.approx(sk.normalized_mutual_info_score(y, c), abs=1e-9)
    assert found["ari"] == pytest.approx(sk.adjusted_rand_score(y, c), abs=1e-9)
    assert found["ami"] == pytest.approx(sk.adjusted_mutual_info_score(y, c), abs=1e-9)
    h, complete, v = sk.homogeneity_completeness_v_measure(y, c)
    assert (found["homogeneity"], found["completeness"]) == pytest.approx((h, complete), abs=1e-9)
    assert found["v_measure"] == pytest.approx(v, abs=1e-9)
    for norm in NORMS:
        expected = sk.normalized_mutual_info_score(y, c, average_method=norm)
        assert nmi(y, c, norm) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(labelings, st.permutations(range(5)), st.randoms(use_true_random=False))
def test_names_of_clusters_and_order_of_items_do_not_matter(pair, names, shuffler):
    y, c = (np.array(labels) for labels in pair)
    order = list(range(len(y)))
    shuffler.shuffle(order)
    renamed = np.array(names)[c][order]
    for measure in (accuracy, purity, nmi, ari, f1_macro):
        assert measure(y, c) == pytest.approx(measure(y[order], renamed), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(labelings)
def test_measures_stay_within_their_bounds_and_symmetric_ones_are_symmetric(pair):
    y, c = pair
    assert 0 < accuracy(y, c) <= purity(y, c) <= 1
    assert 0 <= nmi(y, c) <= 1
    assert -1 <= ari(y, c) <= 1
    assert 0 <= f1_macro(y, c) <= 1
    assert nmi(y, c) == pytest.approx(nmi(c, y), abs=1e-12)
    assert ari(y, c) == pytest.approx(ari(c, y), abs=1e-12)
    assert accuracy(y, c) == pytest.approx(accuracy(c, y), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(labelings)
def test_accuracy_is_the_best_over_all_matchings(pair):
    from itertools import permutations

    y, c = (np.array(labels) for labels in pair)
    best = max(np.mean(np.array(names)[c] == y) for names in permutations(range(5)))
    assert accuracy(y, c) == pytest.approx(best)


def test_accuracy_equals_the_papers_square_matrix():
    rng = np.random.default_rng(0)
    y, c = rng.integers(0, 4, 200), rng.integers(0, 7, 200)
    from scipy.optimize import linear_sum_assignment

    square = np.zeros((7, 7), dtype=int)
    np.add.at(square, (c, y), 1)
    rows, columns = linear_sum_assignment(square.max() - square)
    assert accuracy(y, c) == pytest.approx(square[rows, columns].sum() / 200)


def test_macro_f1_is_that_of_scikit_learn_after_matching():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, 300)
    c = np.where(rng.random(300) < 0.7, (y + 1) % 4, rng.integers(0, 4, 300))
    assert f1_macro(y, c) == pytest.approx(sk.f1_score(y, matched_labels(y, c), average="macro"))


def test_noise_is_wrong_for_accuracy_and_one_more_cluster_for_information():
    y, c = [0, 0, 1, 1], [0, 0, -1, -1]
    assert accuracy(y, c) == 0.5
    assert purity(y, c) == 0.5
    assert nmi(y, c) == pytest.approx(1)
    assert accuracy(y, [-1] * 4) == 0
    found = by_name(external(y, c))
    assert "Noise" in found["accuracy"].note
    assert "Noise" in found["nmi"].note


def test_items_without_a_reference_label_are_left_out_and_words_will_do():
    y = ["baroque", None, "rococo", "rococo", np.nan, "baroque"]
    found = external(y, [0, 1, 1, 1, 0, 0])
    assert by_name(found)["accuracy"].value == 1
    assert {quality.n_used for quality in found} == {4}


def test_degenerate_labels_give_numbers_not_nan():
    for y, c in (([0], [0]), ([0, 0, 0], [1, 1, 1]), ([0, 1, 2], [0, 0, 0]), ([0, 0, 0], [0, 1, 2])):
        for quality in external(y, c):
            assert np.isfinite(quality.value), quality
            assert quality.low is None or quality.low <= quality.value <= quality.high


def test_the_bootstrap_interval_covers_what_fresh_samples_would_give():
    rng = np.random.default_rng(0)
    joint = np.array([[30, 5, 5], [4, 25, 3], [2, 6, 20]]) / 100

    def sample(n):
        return np.divmod(rng.choice(9, size=n, p=joint.ravel()), 3)

    interval = by_name(external(*sample(400), seed=3))["accuracy"]
    fresh = np.array([accuracy(*sample(400)) for _ in range(200)])
    assert interval.high - interval.low == pytest.approx(np.ptp(np.percentile(fresh, [2.5, 97.5])), rel=0.3)
    assert interval.low < interval.value < interval.high
    again = by_name(external(*FIRST, seed=3))["ari"]
    assert again == by_name(external(*FIRST, seed=3))["ari"]


def test_a_million_items_take_a_moment():
    rng = np.random.default_rng(0)
    y, c = rng.integers(0, 10, 1_000_000), rng.integers(0, 10, 1_000_000)
    assert by_name(external(y, c, resamples=0))["nmi"].value == pytest.approx(0, abs=1e-4)


def test_labels_that_do_not_fit_are_refused_in_words():
    with pytest.raises(StudioError, match="3 reference labels for 2 items"):
        external([0, 1, 2], [0, 1])
    with pytest.raises(StudioError, match="No item has a reference label"):
        external([None, None], [0, 1])
    with pytest.raises(StudioError, match=r"whole numbers.*float64"):
        external([0, 1], [0.5, 1.0])


def test_matched_labels_keep_the_numbers_and_so_the_colours():
    before = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    after = np.array([2, 2, 2, 0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(matched_labels(before, after), before)
    split = np.array([5, 5, 9, 7, 7, 7, 3, 3, 3])
    np.testing.assert_array_equal(matched_labels(before, split), [0, 0, 3, 1, 1, 1, 2, 2, 2])
    noisy = np.array([-1, 2, 2, 0, 0, -1, 1, 1, 1])
    np.testing.assert_array_equal(matched_labels(before, noisy), [-1, 0, 0, 1, 1, -1, 2, 2, 2])
    with pytest.raises(StudioError, match="2 items cannot be matched to labels of 9"):
        matched_labels(before, [0, 1])


@settings(max_examples=60, deadline=None)
@given(labelings)
def test_matched_labels_only_rename(pair):
    before, after = pair
    renamed = matched_labels(before, after)
    assert ari(after, renamed) == 1
    assert len(set(renamed.tolist())) == len(set(after))
    assert np.mean(renamed == before) == pytest.approx(accuracy(before, after))
