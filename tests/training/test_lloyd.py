"""k-means of pseudo-label methods, the whitening before it and the draw after it, against their sources."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clustering.training.lloyd import lloyd, random_rows, spherical
from clustering.training.order import uniform_over_clusters
from clustering.training.whitening import whitened, whitening


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_whitened_rows_have_the_products_of_the_specification():
    X = torch.tensor([[3, 1], [1, 2], [-2, 0], [-2, -3]], dtype=torch.float64)
    rows = whitened(X, *whitening(X, 2))
    expected = np.array(
        [
            [1, 0.017471413945, -0.938102675637, -0.207564173465],
            [0.017471413945, 1, 0.329914439537, -0.981698530319],
            [-0.938102675637, 0.329914439537, 1, -0.144097604426],
            [-0.207564173465, -0.981698530319, -0.144097604426, 1],
        ]
    )
    np.testing.assert_allclose(rows @ rows.T, expected, atol=1e-11)
    variances = torch.linalg.eigvalsh((X - X.mean(0)).T @ (X - X.mean(0)) / 4)
    np.testing.assert_allclose(variances, [1.204915028125, 6.795084971875], atol=1e-11)


def test_whitening_gives_every_component_the_same_weight_and_drops_what_does_not_vary():
    X = torch.randn(500, 3, generator=drawn()) @ torch.tensor([[5.0, 0, 0, 1], [0, 0.1, 0, 0], [0, 0, 2, 1]])
    X = torch.cat([X, torch.full((500, 1), 7.0)], dim=1)
    mean, directions = whitening(X, 5)
    parts = (X - mean) @ directions
    np.testing.assert_allclose(parts[:, :3].square().mean(dim=0), 1, rtol=1e-3)
    assert (parts[:, 3:] == 0).all()  # rank 3; the constant column and the fourth direction are only rounding
    assert torch.isfinite(whitened(torch.ones(4, 3), *whitening(torch.ones(4, 3), 8))).all()


def test_the_spherical_step_is_that_of_the_specification():
    E = torch.tensor([[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]], dtype=torch.float64)
    found = spherical(E, torch.eye(2, dtype=torch.float64), rounds=1)
    expected = [[0.948683298051, 0.316227766017], [-0.316227766017, 0.948683298051]]
    np.testing.assert_allclose(found.centers, expected, atol=1e-11)
    assert found.labels.tolist() == [0, 0, 1, 1]
    again = spherical(E, found.centers, rounds=1)
    assert again.labels.tolist() == [0, 0, 1, 1]


def test_a_direction_without_items_stays_where_it_is():
    E = torch.nn.functional.normalize(torch.tensor([[1.0, 0.1], [1.0, -0.1]]), dim=1)
    away = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    found = spherical(E, away, rounds=3)
    assert found.idle == 1
    torch.testing.assert_close(found.centers[1], away[1])


def plain_lloyd(points: np.ndarray, centers: np.ndarray, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    def labels_now() -> list[int]:
        return [int(np.argmin([((p - c) ** 2).sum() for c in centers])) for p in points]

    for _ in range(rounds):
        labels = labels_now()
        centers = np.array(
            [
                np.mean([p for p, label in zip(points, labels, strict=True) if label == k], axis=0)
                for k in range(len(centers))
            ]
        )
    return centers, np.array(labels_now())


def test_rounds_of_k_means_are_those_of_a_plain_loop():
    points = torch.randn(60, 3, generator=drawn(), dtype=torch.float64)
    first = random_rows(points, 4, drawn(1))
    found = lloyd(points, first, 5, drawn())
    centers, labels = plain_lloyd(points.numpy(), first.numpy(), 5)
    np.testing.assert_allclose(found.centers, centers)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.idle == 0


def test_a_centre_without_items_takes_half_of_anothers():
    points = torch.randn(40, 2, generator=drawn())
    far = torch.tensor([[0.0, 0.0], [1e3, 1e3], [-1e3, 1e3]])
    one = lloyd(points, far, 1, drawn())
    assert one.idle == 2
    assert (one.centers.abs() < 10).all()  # copies lie where the items are
    later = lloyd(points, far, 6, drawn())
    assert later.idle == 0
    assert torch.bincount(later.labels, minlength=3).min() > 0


def test_more_centres_than_points_that_can_be_shared_end_well():
    points = torch.tensor([[0.0, 1.0], [5.0, 5.0]])
    found = lloyd(points, torch.cat([points, points + 100]), 3, drawn())
    assert torch.isfinite(found.centers).all()
    assert found.labels[0] != found.labels[1]


def test_the_draw_is_fair_to_clusters_and_passes_over_empty_ones():
    labels = torch.tensor([0] * 6 + [1] * 3 + [3])  # the third of four clusters is empty
    for seed in range(20):
        rows = uniform_over_clusters(labels, 4, drawn(seed))
        assert len(rows) == 10
        counts = torch.bincount(labels[rows], minlength=4)
        assert counts[2] == 0
        assert counts.max() <= 4  # ⌊10/3⌋ + 1 a cluster
        assert counts.sum() == 10
        of_first = rows[labels[rows] == 0]
        assert len(of_first.unique()) == len(of_first)  # six items give four of them without repeating any


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(0, 2**31))
def test_every_draw_has_as_many_rows_as_items_and_no_cluster_beyond_its_share(labels, seed):
    labels = torch.tensor(labels)
    rows = uniform_over_clusters(labels, 7, drawn(seed))
    assert len(rows) == len(labels)
    assert rows.min() >= 0
    assert rows.max() < len(labels)
    share = len(labels) // len(labels.unique()) + 1
    assert torch.bincount(labels[rows]).max() <= share


def test_random_rows_are_different_ones():
    rows = random_rows(torch.arange(30)[:, None], 30, drawn())
    assert sorted(rows[:, 0].tolist()) == list(range(30))
    assert len(random_rows(torch.arange(5)[:, None], 9, drawn())) == 5


@pytest.mark.parametrize("rounds", [0, 3])
def test_the_same_generator_gives_the_same_clusters(rounds):
    points = torch.randn(50, 4, generator=drawn())
    one, two = (lloyd(points, random_rows(points, 8, drawn(3)), rounds, drawn(4)) for _ in range(2))
    assert torch.equal(one.labels, two.labels)
