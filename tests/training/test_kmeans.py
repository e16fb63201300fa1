"""k-means by matrix products against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, load_wine, make_blobs
from torch import Tensor

from clustering.training import kmeans as module
from clustering.training.kmeans import batched_kmeans, kmeans


def data_sets() -> dict[str, tuple[np.ndarray, int]]:
    digits = load_digits().data
    return {
        "digits": (digits / 16, 10),
        "digits, ten columns": (digits[:, 10:20], 10),
        "iris": (load_iris().data, 3),
        "wine, columns of unlike size": (load_wine().data, 3),
        "fifteen blobs": (
            make_blobs(2000, centers=15, n_features=10, cluster_std=2, random_state=0)[0] / 10,
            15,
        ),
        "small blobs far from zero": (
            make_blobs(
                500, centers=8, n_features=3, cluster_std=0.01, center_box=(900, 1000), random_state=1
            )[0],
            8,
        ),
    }


def to_nearest(latents: Tensor, centers: Tensor) -> float:
    """Sum the squared distances to the nearest centre in double precision, one difference at a time."""
    return float((latents.double()[:, None] - centers.double()).square().sum(2).amin(1).sum())


@pytest.mark.parametrize("name", data_sets())
def test_restarts_side_by_side_reach_the_inertia_of_scikit_learn(name):
    X, n_clusters = data_sets()[name]
    latents = torch.from_numpy(X.astype(np.float32))
    reference = KMeans(n_clusters, n_init=20, random_state=0).fit(latents.double().numpy())
    centers, inertia = batched_kmeans(latents, n_clusters, seed=0)
    assert centers.shape == (n_clusters, latents.shape[1])
    assert inertia <= 1.001 * reference.inertia_
    assert inertia == pytest.approx(to_nearest(latents, centers), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=st.integers(-8, 8)),
    st.integers(1, 6),
    st.integers(0, 1000),
)
def test_the_inertia_is_that_of_the_nearest_centres_and_no_mean_would_lower_it(X, n_clusters, seed):
    latents = torch.from_numpy(X)
    centers, inertia = batched_kmeans(latents, n_clusters, seed, n_restarts=3)
    assert torch.isfinite(centers).all()
    assert inertia == pytest.approx(to_nearest(latents, centers), rel=1e-4, abs=1e-3)
    nearest = (latents[:, None] - centers).square().sum(2).argmin(1)
    means = centers.clone()
    for group in nearest.unique():
        means[group] = latents[nearest == group].mean(0)
    assert inertia <= to_nearest(latents, means) * 1.01 + 1e-3  # to the tolerance that ends the search


@pytest.mark.parametrize("solve", [kmeans, batched_kmeans])
def test_clear_blobs_are_found_and_the_seed_decides_every_bit(solve):
    X, truth = make_blobs(200, centers=4, n_features=3, cluster_std=0.3, random_state=2)
    latents = torch.from_numpy(X.astype(np.float32))
    centers, inertia = solve(latents, 4, seed=3)
    labels = torch.cdist(latents, centers).argmin(1).numpy()
    assert len({(a, b) for a, b in zip(truth, labels, strict=True)}) == 4
    again, same = solve(latents, 4, seed=3)
    assert torch.equal(centers, again)
    assert inertia == same


@pytest.fixture
def noise() -> Tensor:
    return torch.randn(5000, 4, generator=torch.Generator().manual_seed(0))


def test_the_seed_decides_every_bit_also_in_parts_where_starts_and_ends_differ(noise, monkeypatch):
    monkeypatch.setattr(module, "WORK_ELEMENTS", 1024 * 30)
    one, two = (batched_kmeans(noise, 6, seed=5) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert one[1] == two[1]
    assert batched_kmeans(noise, 6, seed=6)[1] != one[1]


def test_no_work_tensor_is_larger_than_its_budget(noise, monkeypatch):
    reference = KMeans(8, n_init=20, random_state=0).fit(noise.numpy()).inertia_
    budget, largest = 1024 * 60, 0
    monkeypatch.setattr(module, "WORK_ELEMENTS", budget)
    product = torch.mm

    def watched(*arguments: Tensor) -> Tensor:
        nonlocal largest
        result = product(*arguments)
        largest = max(largest, result.numel())
        return result

    monkeypatch.setattr(torch, "mm", watched)
    centers, inertia = batched_kmeans(noise, 8, seed=0)
    assert 0 < largest <= budget
    assert inertia == pytest.approx(to_nearest(noise, centers), rel=1e-5)
    assert inertia == pytest.approx(reference, rel=0.003)


def test_a_start_from_a_sample_ends_as_low_as_one_from_all(noise, monkeypatch):
    whole = batched_kmeans(noise, 5, seed=0)[1]
    monkeypatch.setattr(module, "SAMPLE", 1500)
    centers, inertia = batched_kmeans(noise, 5, seed=0)
    assert inertia == pytest.approx(whole, rel=0.003)
    assert inertia == pytest.approx(to_nearest(noise, centers), rel=1e-5)


def test_a_restart_goes_as_far_alone_as_in_company():
    X = make_blobs(600, centers=7, n_features=5, cluster_std=4, random_state=4)[0].astype(np.float32)
    points = module._Points(torch.from_numpy(X))
    first = module._plus_plus(points, 7, 6, torch.Generator().manual_seed(1))
    together = module._lloyd(points, first)
    alone = torch.cat([module._lloyd(points, start[None]) for start in first])
    torch.testing.assert_close(together, alone)


def test_draws_follow_the_weights_whatever_the_chunk(monkeypatch):
    monkeypatch.setattr(module, "WORK_ELEMENTS", 1)
    monkeypatch.setattr(module, "BLOCK", 2)
    weights = torch.tensor([[0.0, 1.0, 0.0, 2.0, 1.0], [5.0, 0.0, 0.0, 0.0, 0.0]])
    drawn = module._draws(weights, 20_000, torch.Generator().manual_seed(0))
    shares = drawn[0].bincount(minlength=5) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0, 0.25, 0, 0.5, 0.25]), atol=0.02, rtol=0)
    assert not drawn[1].any()


def test_fewer_different_points_than_clusters_end_without_an_error():
    latents = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).repeat(5, 1)
    centers, inertia = batched_kmeans(latents, 3, seed=0)
    assert torch.isfinite(centers).all()
    assert inertia == pytest.approx(0, abs=1e-6)
