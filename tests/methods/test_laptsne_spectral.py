"""LaptSNE spectral: it finds curved groups, says what the graph suggests, stops with what it has."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_moons
from sklearn.metrics import adjusted_rand_score

from clustering.errors import StudioError
from clustering.methods.kmeans import KMeans
from clustering.methods.laptsne_spectral import LaptsneSpectral
from clustering.metrics.external import nmi
from clustering.training.events import Epoch


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    rows, labels = load_digits(return_X_y=True)
    return rows[:600].astype(np.float32), labels[:600]


@pytest.fixture(scope="module")
def fitted(digits) -> LaptsneSpectral:
    return LaptsneSpectral(10, device="cpu").fit(digits[0])


def test_it_finds_written_digits_better_than_k_means(digits, fitted):
    rows, labels = digits
    assert nmi(labels, fitted.labels_) > nmi(labels, KMeans(10, device="cpu").fit(rows).labels_) + 0.04
    assert nmi(labels, fitted.labels_) > 0.85


def test_it_follows_groups_that_are_curved():
    rows, labels = make_moons(300, noise=0.05, random_state=0)
    model = LaptsneSpectral(2, perplexity=15, device="cpu").fit(rows)
    assert adjusted_rand_score(labels, model.labels_) > 0.95


def test_the_map_has_come_apart_and_its_rows_have_length_one(digits, fitted):
    assert fitted.map_.shape == (600, 2)
    assert fitted.embedding_.shape == (600, 10)
    np.testing.assert_allclose(np.linalg.norm(fitted.embedding_, axis=1), 1, atol=1e-5)
    plain = LaptsneSpectral(10, strength=0, device="cpu").fit(digits[0])
    assert fitted.eigenvalues_.sum() < 0.6 * plain.eigenvalues_.sum()


def test_it_says_what_the_graph_of_the_data_suggests(fitted):
    assert fitted.graph_eigenvalues_.shape == (31,)
    suggests = f"suggests {fitted.suggested_clusters_} clusters"
    assert suggests in fitted.history_[-1]["reason"]


def test_a_stop_on_the_way_cuts_the_map_as_it_is(digits):
    rows = digits[0][:200]
    heard = []

    def listener(event):
        if isinstance(event, Epoch):
            heard.append(event)
            return len(heard) == 3
        return None

    model = LaptsneSpectral(10, n_iter=100, device="cpu").fit(rows, emit=listener)
    assert [event.phase for event in heard] == ["map"] * 3
    assert len(set(model.labels_)) == 10
    whole = LaptsneSpectral(10, n_iter=100, device="cpu").fit(rows)
    assert np.abs(whole.map_ - model.map_).max() > 1


def test_of_many_items_a_sample_is_mapped_and_it_says_so(digits):
    model = LaptsneSpectral(10, n_iter=60, max_items=150, device="cpu").fit(digits[0])
    assert len(model.map_) == 150
    first = next(row for row in model.history_ if row["kind"] == "epoch")
    assert "150 of the 600" in first["alarms"][0]


def test_too_few_different_items_are_refused():
    with pytest.raises(StudioError, match="needs 4 different items; there are 3"):
        LaptsneSpectral(2).fit(np.repeat(np.eye(3), 5, axis=0))
