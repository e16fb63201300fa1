"""DMSC: losses against the worked example and plain loops, pairs that are heeded, views that are missing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from clustering.errors import StudioError
from clustering.losses.fused_assignment import log_fused_assignments
from clustering.losses.kl import kl_divergence
from clustering.losses.pairwise_constraints import balanced_hinge, pair_log_likelihood, signed_distances
from clustering.losses.soft_assignment import soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.dmsc import DMSC
from clustering.methods.view_codes import filled_codes, squared_distances
from clustering.networks.view_autoencoders import Codes

QUICK = DMSC.info.test_settings
CODES = (torch.tensor([[0.0, 0], [1, 0], [4, 0], [4, 2]]), torch.tensor([[0.0], [0.5], [2], [3]]))
CENTERS = (torch.tensor([[0.0, 0], [4, 1]]), torch.tensor([[0.0], [2.5]]))
LOGITS = torch.tensor([[0.6, 0.5], [0.4, 0.5]]).log()
Q = torch.tensor(
    [[0.9117903930, 0.0882096070], [0.8099762470, 0.1900237530],
     [0.1506533436, 0.8493466564], [0.0954274354, 0.9045725646]]
)  # fmt: skip


def test_fused_assignments_target_and_loss_are_those_of_the_worked_example():
    log_q = log_fused_assignments(CODES, CENTERS, LOGITS)
    torch.testing.assert_close(log_q.exp(), Q)
    p = target_distribution(log_q.exp())
    expected = [0.9910183003, 0.9493994431, 0.0314678113, 0.0113621833]
    torch.testing.assert_close(p[:, 0], torch.tensor(expected))
    assert float(kl_divergence(p, log_q)) == pytest.approx(0.0718672297, abs=1e-6)


def test_pair_losses_are_those_of_the_worked_example():
    near, far = torch.tensor([1.25]), torch.tensor([11.25])
    assert float(signed_distances(near, far)) / 4 == pytest.approx(-5)
    assert float(balanced_hinge(near, far, 10)) == pytest.approx(0.125)
    assert float(balanced_hinge(near, far, 20)) == pytest.approx(0.5)
    nothing = torch.empty(0, 2)
    assert float(pair_log_likelihood(Q[[0, 1]].log(), nothing, 1, 1)) == pytest.approx(0.2806528604, abs=1e-6)
    assert float(pair_log_likelihood(nothing, Q[[1, 2]].log(), 1, 1)) == pytest.approx(0.3332677133, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**31))
def test_fused_assignments_agree_with_a_plain_loop_over_the_views_an_item_has(n, n_views, seed):
    rng = np.random.default_rng(seed)
    codes = [rng.normal(size=(n, 2)) for _ in range(n_views)]
    centers = [rng.normal(size=(3, 2)) for _ in range(n_views)]
    logits, present = rng.normal(size=(n_views, 3)), rng.random((n, n_views)) < 0.6
    weights = np.exp(logits) / np.exp(logits).sum(axis=0)
    expected = np.zeros((n, 3))
    for i in range(n):
        views = [v for v in range(n_views) if present[i, v]] or range(n_views)
        for j in range(3):
            share = sum(weights[v, j] for v in views)
            kernels = [1 / (1 + ((codes[v][i] - centers[v][j]) ** 2).sum()) for v in views]
            expected[i, j] = sum(weights[v, j] / share * k for v, k in zip(views, kernels, strict=True))
    expected /= expected.sum(axis=1, keepdims=True)
    torches = [[torch.from_numpy(part) for part in parts] for parts in (codes, centers)]
    found = log_fused_assignments(*torches, torch.from_numpy(logits), torch.from_numpy(present))
    np.testing.assert_allclose(found.exp().numpy(), expected, atol=1e-9)


def test_one_view_gives_the_assignments_of_dec():
    found = log_fused_assignments(CODES[:1], CENTERS[:1], LOGITS[:1])
    torch.testing.assert_close(found.exp(), soft_assignments(CODES[0], CENTERS[0]))


@pytest.fixture(scope="module")
def two_views() -> tuple[np.ndarray, np.ndarray]:
    """Four groups of which each view tells only two apart."""
    rng = np.random.default_rng(2)
    y = np.repeat(np.arange(4), 30)
    one = rng.normal(size=(120, 3)) * 0.4 + 3 * (y % 2)[:, None]
    other = rng.normal(size=(120, 5)) * 0.4 + 3 * (y // 2)[:, None]
    return np.hstack([one, other]).astype(np.float32), y


def fitted(X: np.ndarray, **given: object) -> DMSC:
    chosen = {"view_sizes": (3, 5), "n_clusters": 4} | {
        name: given.pop(name) for name in list(given) if name not in ("must_link", "cannot_link")
    }
    return DMSC(**{**QUICK, **chosen}).fit(X, **given)


def test_views_that_each_tell_half_are_fused_and_their_weights_sum_to_one(two_views):
    X, y = two_views
    model = fitted(X)
    assert adjusted_rand_score(y, model.labels_) > 0.95
    assert model.embedding_.shape == (120, 8)
    np.testing.assert_allclose(model.view_weights_.sum(axis=0), 1, atol=1e-6)
    told = [row for row in model.history_ if row["kind"] == "epoch" and row["phase"] == "cluster"]
    assert set(told[-1]["figures"]) == {"weight of view 1", "weight of view 2"}


def test_items_that_lack_a_view_are_grouped_by_the_other_and_columns_of_it_tell_nothing(two_views):
    X, y = two_views
    lacks = np.zeros((120, 2), dtype=np.float32)
    lacks[::10, 0], lacks[5::10, 1] = 1, 1
    marked = np.hstack([X, lacks])
    model = fitted(marked)
    whole = lacks.sum(axis=1) == 0
    assert adjusted_rand_score(y[whole], model.labels_[whole]) > 0.95
    spoilt = marked.copy()
    spoilt[::10, :3], spoilt[5::10, 3:8] = 99, -99
    np.testing.assert_allclose(model.predict_proba(spoilt), model.soft_assignments_, atol=1e-5)
    assert np.isfinite(model.embedding_).all()
    kept = y[::10] // 2  # what the view they have tells
    halves = [set(model.labels_[::10][kept == half]) for half in (0, 1)]
    assert not halves[0] & halves[1]


@pytest.mark.parametrize("loss", ["hinge", "sdec", "logprob"])
def test_pairs_are_heeded_where_views_say_nothing(loss):
    """Two groups of one cloud: only the pairs know them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)).astype(np.float32)
    must = [[i, i + 1] for i in range(9)] + [[i, i + 1] for i in range(30, 39)]
    apart = [[i, i + 30] for i in range(10)]
    settings = {"view_sizes": None, "n_clusters": 2, "epochs": 25, "pair_loss": loss, "tolerance": 0}
    settings |= {"cluster_learning_rate": 0.01}
    free = fitted(X, **settings, pair_weight=0.0, must_link=must, cannot_link=apart)
    bound = fitted(X, **settings, pair_weight=10.0, must_link=must, cannot_link=apart)
    kept = [sum(m.labels_[i] != m.labels_[j] for i, j in apart) for m in (free, bound)]
    assert kept[1] > kept[0]
    assert bound.history_[-2]["figures"]["pairs kept"] > free.history_[-2]["figures"]["pairs kept"]


def test_without_pairs_their_weight_changes_nothing(two_views):
    X, _ = two_views
    np.testing.assert_array_equal(
        fitted(X, pair_weight=0.0).soft_assignments_, fitted(X, pair_weight=5.0).soft_assignments_
    )


def test_decoders_may_be_dropped_and_one_seed_of_several_is_kept(two_views):
    X, _ = two_views
    model = fitted(X, keep_decoders=False, n_init=2, initial_centers="kmeans", must_link=[[0, 1]])
    last = [row for row in model.history_ if row["kind"] == "epoch"][-1]
    assert set(last["losses"]) == {"clustering", "pairs", "total"}
    assert model.init_labels_.shape == (2, 120)


def test_many_pairs_are_drawn_anew_every_step(two_views):
    X, y = two_views
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 120, size=(900, 2))
    same = y[rows[:, 0]] == y[rows[:, 1]]
    model = fitted(X, must_link=rows[same], cannot_link=rows[~same])
    assert adjusted_rand_score(y, model.labels_) > 0.95


def test_views_that_do_not_add_up_are_refused_with_the_mend(two_views):
    with pytest.raises(StudioError, match=r"2 views have 9 columns together .* the data have 8") as refusal:
        fitted(two_views[0], view_sizes=(4, 5))
    assert "one more a view" in refusal.value.mend


@pytest.fixture(scope="module")
def bars() -> tuple[np.ndarray, np.ndarray]:
    """Pictures with a bar, upright or lying, and numbers that tell two other halves apart."""
    rng = np.random.default_rng(5)
    pictures, y = rng.normal(size=(60, 6, 7)) * 0.1, np.arange(60) % 4
    for at, kind in enumerate(y):
        pictures[at, *((2, slice(None)) if kind % 2 else (slice(None), 4))] += 1
    numbers = rng.normal(size=(60, 2)) * 0.1 + (y // 2)[:, None]
    return np.hstack([numbers, pictures.reshape(60, -1)]).astype(np.float32), y


PICTURES = {"view_sizes": (2, 42), "view_shapes": (0, 0, 0, 6, 7, 1), "picture_encoder": "convolutional"}


def test_views_that_are_pictures_are_read_by_convolutions_and_the_model_comes_back_from_disk(bars, tmp_path):
    X, y = bars
    model = fitted(X, **PICTURES, pretrain_epochs=30, learning_rate=3e-3)
    assert len({*zip(model.labels_, y % 2, strict=True)}) == 4  # no group mixes upright and lying bars
    weights = {name: array.shape for name, array in model.weights_.items()}
    assert weights["views.1.down.0.weight"] == (32, 1, 5, 5)
    assert weights["views.0.encoder.layers.0.weight"] == (16, 2)  # the numbers keep their linear layers
    model.save(tmp_path)
    again = DMSC.load(tmp_path)
    np.testing.assert_array_equal(again.predict_proba(X[:9]), model.predict_proba(X[:9]))
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_convolutions_read_pictures_on_cuda_in_recorded_steps_too(bars, precision):
    X, y = bars
    chosen = {"pretrain_epochs": 40, "learning_rate": 3e-3, "device": "cuda", "precision": precision}
    model = fitted(X, **PICTURES, **chosen)
    assert len({*zip(model.labels_, y % 2, strict=True)}) == 4
    assert np.isfinite(model.embedding_).all()


def test_a_picture_keeps_its_proportions_where_convolutions_read_it(bars):
    X, _ = bars
    shift, factor = DMSC(**PICTURES).scaling(X.mean(axis=0), X.var(axis=0))
    assert len(set(factor[2:])) == len(set(shift[2:])) == 1
    scaled = (X[:, 2:] - shift[2:]) * factor[2:]
    assert (scaled.mean(), scaled.std()) == pytest.approx((0, 1), abs=1e-5)
    marked = np.hstack([X, np.zeros((60, 2), dtype=np.float32)])
    shift, factor = DMSC(**PICTURES).scaling(marked.mean(axis=0), marked.var(axis=0))
    assert (shift[-2:].tolist(), factor[-2:].tolist()) == ([0, 0], [1, 1])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"view_shapes": None}, "None of the 2 views is pictures"),
        ({"view_shapes": None, "view_sizes": None}, "The one view is not pictures"),
        ({"view_shapes": (6, 7, 1)}, "holds 3 numbers for 2 views"),
        ({"view_shapes": (0, 0, 0, 6, 6, 1)}, "View 2 has 42 columns, but pictures of 6 × 6 .* have 36"),
    ],
)
def test_convolutions_without_a_picture_to_read_are_refused_with_the_mend(bars, changed, words):
    with pytest.raises(StudioError, match=words) as refusal:
        fitted(bars[0], **PICTURES | changed)
    assert "dense" in refusal.value.mend or "0, 0, 0" in refusal.value.mend


def test_a_fit_goes_on_from_its_checkpoint_only_with_the_same_pairs(two_views, tmp_path):
    X, _ = two_views
    heard: list[str] = []

    def fit(must: list[list[int]]) -> DMSC:
        model = DMSC(**{**QUICK, "view_sizes": (3, 5)})
        heard.clear()
        return model.fit(X, must_link=must, checkpoint=tmp_path, emit=lambda event: heard.append(event.kind))

    first = fit([[0, 1]])
    again = fit([[0, 1]])
    assert heard.count("epoch") == 0
    np.testing.assert_array_equal(again.labels_, first.labels_)
    fit([[0, 2]])
    assert heard.count("epoch") > 0


def test_a_pair_is_as_far_apart_as_in_the_views_both_have():
    one = Codes(
        (torch.tensor([[0.0, 0], [1, 0]]), torch.tensor([[1.0, 1], [3, 4]])),
        torch.tensor([[True, True], [False, True]]),
    )
    other = Codes(
        (torch.tensor([[3.0, 4], [9, 9]]), torch.tensor([[1.0, 2], [0, 0]])),
        torch.tensor([[True, True], [True, True]]),
    )
    network = SimpleNamespace(split=lambda codes: codes)
    assert squared_distances(network, one, other).tolist() == [25 + 1, 2 * 25]
    none = Codes(one.of_views, torch.zeros(2, 2, dtype=torch.bool))
    assert squared_distances(network, none, other).tolist() == [0, 0]
    torch.testing.assert_close(filled_codes(one)[1], torch.tensor([0.0, 0, 3, 4]))
