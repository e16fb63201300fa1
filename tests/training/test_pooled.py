"""Clusters in a space that is only known up to a linear map: what they may not depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.networks.autoencoder import Autoencoder
from clustering.training.kmeans import kmeans
from clustering.training.pooled import lower_determinant, rounding


def cigars(seed: int = 0, n: int = 300) -> tuple[torch.Tensor, np.ndarray]:
    """Two long clusters that lean, side by side: k-means draws the border upright between them."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1], n)
    points = rng.normal(size=(2 * n, 2)) @ [[1.5, 1.5], [0.2, -0.2]] + np.c_[3.0 * truth, np.zeros(2 * n)]
    return torch.from_numpy(points.astype(np.float32)), truth


def nearest(latents: torch.Tensor, found) -> np.ndarray:
    metric = torch.linalg.inv(found.covariance)
    apart = latents.double()[:, None] - found.centers.double()
    return torch.einsum("nki,ij,nkj->nk", apart, metric, apart).argmin(dim=1).numpy()


def agreement(truth: np.ndarray, labels: np.ndarray) -> float:
    same = (truth == labels).mean()
    return float(max(same, 1 - same))


def test_long_clusters_that_k_means_cuts_are_found_whole():
    latents, truth = cigars()
    centers, _ = kmeans(latents, 2, seed=0)
    assert agreement(truth, torch.cdist(latents, centers).argmin(dim=1).numpy()) < 0.8
    assert agreement(truth, nearest(latents, lower_determinant(latents, centers))) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_a_linear_map_of_the_space_changes_no_cluster(seed):
    rng = np.random.default_rng(seed)
    latents = torch.from_numpy(rng.normal(size=(90, 3)) + 4 * rng.integers(0, 3, (90, 1))).float()
    centers = latents[torch.from_numpy(rng.choice(90, 3, replace=False))]
    change = torch.linalg.qr(torch.from_numpy(rng.normal(size=(3, 3))))[0] * torch.tensor([0.3, 1.0, 4.0])
    begun = lower_determinant(latents, centers)  # the start itself is judged by plain distances
    again = lower_determinant(latents, begun.centers)
    moved = lower_determinant((latents.double() @ change), (again.centers.double() @ change))
    first = nearest(latents, again)
    second = nearest((latents.double() @ change), moved)
    if np.array_equal(
        torch.cdist(latents.double() @ change, again.centers.double() @ change).argmin(1), first
    ):
        np.testing.assert_array_equal(first, second)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 5))
def test_the_determinant_of_the_pooled_covariance_never_rises(seed, k):
    rng = np.random.default_rng(seed)
    latents = torch.from_numpy(rng.normal(size=(120, 3)) * [1, 3, 0.5] + rng.integers(0, k, (120, 1)) * 3.0)
    centers, _ = kmeans(latents.float(), k, seed=0, n_restarts=2)
    labels = torch.cdist(latents, centers.double()).argmin(dim=1)
    means = torch.stack([latents[labels == c].mean(dim=0) for c in range(k)])
    apart = latents - means[labels]
    before = torch.linalg.det(apart.T @ apart / len(latents))
    assert torch.linalg.det(lower_determinant(latents, centers).covariance) <= before * (1 + 1e-6)


def test_rounding_makes_clusters_round_and_keeps_their_mean_size():
    covariance = torch.tensor([[4.0, 1.0], [1.0, 0.5]], dtype=torch.float64)
    change = rounding(covariance)
    torch.testing.assert_close(
        change.T @ covariance @ change, torch.eye(2, dtype=torch.float64) * covariance.trace() / 2
    )


def test_stretching_the_latent_space_leaves_what_is_rebuilt():
    network = Autoencoder(6, (8,), 3, 0, "fan_in", torch.Generator().manual_seed(0))
    inputs = torch.randn(20, 6, generator=torch.Generator().manual_seed(1))
    latents, rebuilt = network.encode(inputs), network(inputs)
    change = torch.tensor([[2.0, 0.3, 0], [0.3, 0.5, 0], [0, 0, 1.0]])
    network.stretch(change)
    torch.testing.assert_close(network.encode(inputs), latents @ change)
    torch.testing.assert_close(network(inputs), rebuilt, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("flat", [0.0, 1e-6])
def test_a_flat_direction_is_not_blown_up(flat):
    latents, _ = cigars()
    latents = torch.cat([latents, flat * torch.randn(len(latents), 1, generator=torch.Generator())], dim=1)
    found = lower_determinant(latents, latents[:2])
    change = rounding(found.covariance)
    assert torch.isfinite(change).all()
    assert change.abs().max() <= 10 * 3**0.5  # the root of a hundredth of the mean variance


def test_equal_points_end_in_numbers():
    found = lower_determinant(torch.ones(10, 2), torch.ones(2, 2))
    assert torch.isfinite(found.centers).all()
    assert torch.isfinite(rounding(found.covariance)).all()
