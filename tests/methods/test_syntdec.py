"""SyntDEC: contexts against a plain loop and the worked example, its two objectives, and what it warns of."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from clustering.errors import StudioError
from clustering.losses.context import context_codes, context_reconstruction, contexts_of
from clustering.methods.syntdec import SyntDEC

QUICK = SyntDEC.info.test_settings
CODES = torch.tensor([[1.0, 0], [0, 1], [1, 1], [2, 0], [0, 2]])  # a sentence of five words
NEAR = torch.tensor([[0, 1], [0, 2], [1, 2], [1, 3], [2, 3], [2, 4], [3, 4]])  # two words on either side


@pytest.fixture(scope="module")
def words() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_blobs(120, centers=3, n_features=6, cluster_std=0.7, random_state=4)
    return X.astype(np.float32), y


def test_the_context_of_a_word_is_that_of_the_worked_example():
    contexts = contexts_of(NEAR, 5)
    near = CODES[contexts.neighbours[2]][None]
    means = context_codes(near, contexts.weights[2:3])
    torch.testing.assert_close(means, torch.tensor([[0.75, 0.75]]))
    error = context_reconstruction(CODES[2:3], means, contexts.weights[2:3])
    assert float(error) == pytest.approx(0.0625)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 8), st.integers(0, 2**31))
def test_context_losses_agree_with_a_plain_loop(n, seed):
    rng = np.random.default_rng(seed)
    codes, inputs = rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
    linked = np.triu(rng.random((n, n)) < 0.4, 1)
    edges = torch.from_numpy(np.argwhere(linked))
    errors = []
    for t in range(n):
        context = [s for s in range(n) if linked[t, s] or linked[s, t]]
        if context:
            mean = sum(codes[s] for s in context) / len(context)
            errors.append(((mean - inputs[t]) ** 2).mean())
    contexts = contexts_of(edges, n)
    means = context_codes(torch.from_numpy(codes)[contexts.neighbours], contexts.weights.double())
    found = context_reconstruction(torch.from_numpy(inputs), means, contexts.weights)
    assert float(found) == pytest.approx(np.mean(errors) if errors else 0.0)


def test_a_word_without_neighbours_has_no_part_in_the_context_loss():
    contexts = contexts_of(torch.tensor([[0, 1]]), 3)
    assert contexts.weights[2].sum() == 0
    inputs = torch.tensor([[1.0], [2.0], [1e6]])
    means = context_codes(inputs[contexts.neighbours], contexts.weights)
    assert float(context_reconstruction(inputs, means, contexts.weights)) == pytest.approx(1.0)


def test_words_predicted_from_their_context_fall_into_groups(words):
    X, y = words
    # neighbours of one kind: as if nouns stood beside nouns
    edges = [pair for k in range(3) for pair in pairwise(np.flatnonzero(y == k).tolist())]
    fitted = SyntDEC(**QUICK, objective="context", random_state=1).fit(X, edges=edges)
    assert adjusted_rand_score(y, fitted.labels_) > 0.9
    shares = [row["figures"]["share rebuilt"] for row in fitted.history_ if row.get("figures")]
    assert shares[-1] > 0.3


def test_links_change_nothing_where_a_word_rebuilds_itself(words):
    X, _ = words
    alone = SyntDEC(**QUICK).fit(X)
    linked = SyntDEC(**QUICK).fit(X, edges=[(0, 1), (1, 2)])
    np.testing.assert_array_equal(alone.soft_assignments_, linked.soft_assignments_)


def test_a_context_without_links_is_refused_with_the_mend(words):
    with pytest.raises(StudioError, match="which stand near which") as refusal:
        SyntDEC(**QUICK, objective="context").fit(words[0])
    assert "itself" in refusal.value.mend


def test_a_context_of_too_many_words_is_refused(words):
    hub = [(0, other) for other in range(1, 90)]
    with pytest.raises(StudioError, match="One item has 89 neighbours"):
        SyntDEC(**QUICK, objective="context").fit(words[0], edges=hub)


def test_contexts_that_tell_nothing_are_told(words):
    X, _ = words
    rng = np.random.default_rng(0)
    edges = rng.integers(0, len(X), (240, 2))
    settings = QUICK | {"pretrain_epochs": 1, "epochs": 1}
    fitted = SyntDEC(**settings, objective="context").fit(X, edges=edges)
    alarms = [text for row in fitted.history_ for text in row.get("alarms", ())]
    assert any("words around a word tell" in text for text in alarms)


def test_the_clustering_weight_narrows_the_groups_and_the_reconstruction_holds_against_it(words):
    X, _ = words
    settings = QUICK | {"epochs": 20, "cluster_learning_rate": 3e-3, "tolerance": 0}

    def told(weight):
        fitted = SyntDEC(**settings, clustering_weight=weight).fit(X)
        last = [row for row in fitted.history_ if row.get("phase") == "cluster"][-1]
        return fitted.soft_assignments_.max(axis=1).mean(), last["figures"]["share rebuilt"]

    (loose, rebuilt), (tight, less) = told(0.0), told(10.0)
    assert tight > loose
    assert less < rebuilt


def test_groups_follow_when_every_column_is_stretched(words):
    X, _ = words
    stretched = X * np.array([1, 100, 0.01, 3, 1000, 1], dtype=np.float32) + 7
    ours, theirs = (SyntDEC(**QUICK).fit(rows).labels_ for rows in (X, stretched))
    assert adjusted_rand_score(ours, theirs) > 0.95
