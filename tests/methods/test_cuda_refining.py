"""SPICE, USL-T and FixMatch on a graphics processor: recorded steps see what changes, and fits repeat."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score

from clustering.methods.fixmatch import refine
from clustering.methods.spice import SPICE
from clustering.methods.usl_t import USLT

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.mark.parametrize("views", ["noise", "digits"])
def test_labels_are_spread_on_the_device_as_they_are_on_the_host_and_alike_in_every_fit(views):
    X, y = load_digits(n_class=4, return_X_y=True)
    X, labels = (X / 16).astype(np.float32), np.where(np.arange(len(y)) < 60, y, -1)
    one, two = (refine(X, labels, views=views, steps=300, device="cuda") for _ in range(2))
    np.testing.assert_array_equal(one.labels_, two.labels_)
    assert (one.labels_ == y).mean() > 0.9


@pytest.mark.parametrize("pretext", ["features", "contrast"])
def test_groups_are_found_in_all_stages_on_the_device(pretext):
    X, y = make_blobs(2000, centers=4, n_features=8, cluster_std=1.5, random_state=2)
    settings = {"pretext": pretext, "pretrain_epochs": 10, "epochs": 15, "semi_steps": 300}
    one, two = (SPICE(4, **settings, device="cuda").fit(X) for _ in range(2))
    np.testing.assert_array_equal(one.labels_, two.labels_)
    assert adjusted_rand_score(y, one.labels_) > 0.9


@pytest.mark.parametrize("settings", [{}, {"pretext": "contrast", "views": "digits"}])
def test_sizes_that_a_recorded_step_of_usl_t_counts_are_those_of_a_plain_one(settings):
    X, y = load_digits(n_class=4, return_X_y=True)
    X = (X / 16).astype(np.float32)
    told = {**settings, "pretrain_epochs": 10, "epochs": 30}
    one, two, host = (USLT(4, **told, device=device).fit(X) for device in ("cuda", "cuda", "cpu"))
    np.testing.assert_array_equal(one.labels_, two.labels_)
    assert adjusted_rand_score(y, one.labels_) > 0.75
    assert adjusted_rand_score(y, host.labels_) > 0.75
    assert one.weights_["shares"].sum() == pytest.approx(1, abs=1e-4)
    assert abs(one.weights_["shares"] - 0.25).max() < 0.15
