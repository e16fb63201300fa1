"""k-means by matrix products against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from clustering.training import kmeans as module
from clustering.training.kmeans import batched_kmeans, kmeans


def test_restarts_side_by_side_reach_the_inertia_of_scikit_learn_on_digits():
    latents = torch.from_numpy(load_digits(return_X_y=True)[0][:, 10:20].astype(np.float32))
    reference = KMeans(10, n_init=20, random_state=0).fit(latents.numpy())
    centers, inertia = batched_kmeans(latents, 10, seed=0)
    assert centers.shape == (10, 10)
    assert inertia == pytest.approx(reference.inertia_, rel=0.005)
    by_hand = (latents[:, None] - centers).square().sum(2).amin(1).sum()
    assert inertia == pytest.approx(float(by_hand), rel=1e-4)


@pytest.mark.parametrize("solve", [kmeans, batched_kmeans])
def test_clear_blobs_are_found_and_the_seed_decides_everything(solve):
    X, truth = make_blobs(200, centers=4, n_features=3, cluster_std=0.3, random_state=2)
    latents = torch.from_numpy(X.astype(np.float32))
    centers, _ = solve(latents, 4, seed=3)
    labels = torch.cdist(latents, centers).argmin(1).numpy()
    assert len({(a, b) for a, b in zip(truth, labels, strict=True)}) == 4
    again, _ = solve(latents, 4, seed=3)
    assert torch.equal(centers, again)


def test_restarts_that_do_not_fit_side_by_side_run_in_turns(monkeypatch):
    latents = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(module, "WORK_ELEMENTS", 60 * 3 * 2)
    _, inertia = batched_kmeans(latents, 3, seed=0)
    assert inertia == pytest.approx(KMeans(3, n_init=20, random_state=0).fit(latents).inertia_, rel=0.01)


def test_fewer_different_points_than_clusters_end_without_an_error():
    latents = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).repeat(5, 1)
    centers, inertia = batched_kmeans(latents, 3, seed=0)
    assert torch.isfinite(centers).all()
    assert inertia == pytest.approx(0, abs=1e-6)
