"""LaptSNE's penalty: worked numbers, finite differences, a bound that holds, sums without a matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clustering.losses import student_graph
from clustering.losses.laplacian_penalty import SMALLEST, Surrogate
from clustering.losses.student_graph import StudentGraph

# Worked in float64 for four places.
PLACES = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, 1.0], [2.0, 2.0]], dtype=torch.float64)
DEGREES = [1.4111111111, 1.3823754789, 1.1111111111, 0.4157088123]
EIGENVALUES = [0, 1.0739482791, 1.3476795544, 1.5783721666]
GRADIENT_OF_THE_SUM = [
    [-0.0576335516, 0.0604612797],
    [0.1066258829, 0.0578689916],
    [-0.0430250144, -0.0763831994],
    [-0.0059673168, -0.0419470719],
]
LOG = 0.0713418376
GRADIENT_OF_THE_LOG = [
    [-0.0536651092, 0.0562981298],
    [0.0992840018, 0.0538843376],
    [-0.0400624642, -0.0711237225],
    [-0.0055564285, -0.0390587449],
]


def laplacian(places: torch.Tensor) -> torch.Tensor:
    """The normalised Laplacian, entry by entry."""
    n = len(places)
    kernel = [
        [0 if i == j else 1 / (1 + ((places[i] - places[j]) ** 2).sum()) for j in range(n)] for i in range(n)
    ]
    degrees = [sum(row) for row in kernel]
    rows = [
        [float(i == j) - kernel[i][j] / (degrees[i] * degrees[j]) ** 0.5 for j in range(n)] for i in range(n)
    ]
    return torch.stack([torch.stack([torch.as_tensor(value) for value in row]) for row in rows])


def surrogate_at(places: torch.Tensor, n_groups: int) -> Surrogate:
    values, vectors = torch.linalg.eigh(laplacian(places))
    return Surrogate(vectors[:, :n_groups], values[:n_groups])


def moved(places: torch.Tensor, by: float, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return places + by * torch.randn(places.shape, generator=generator, dtype=places.dtype)


@pytest.fixture
def cloud() -> torch.Tensor:
    return 3 * torch.randn(12, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def differences(function, places: torch.Tensor, step: float = 1e-6) -> torch.Tensor:
    """Central finite differences."""
    gradient = torch.empty_like(places)
    for index in np.ndindex(*places.shape):
        ends = []
        for side in (step, -step):
            shifted = places.clone()
            shifted[index] += side
            ends.append(float(function(shifted)))
        gradient[index] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def test_the_graph_of_four_places_is_the_one_worked_by_hand():
    graph = StudentGraph(PLACES)
    np.testing.assert_allclose(graph.degrees, DEGREES, atol=1e-9)
    similar = graph.similarities(torch.eye(4, dtype=torch.float64))
    np.testing.assert_allclose(1 - torch.linalg.eigvalsh(similar).flip(0), EIGENVALUES, atol=1e-9)


def test_the_gradient_of_four_places_is_the_one_worked_by_hand():
    values, vectors = torch.linalg.eigh(laplacian(PLACES))
    graph = StudentGraph(PLACES)
    # λ₁ + λ₂: both with weight 1.
    both = Surrogate(vectors[:, :2], torch.ones(2, dtype=torch.float64))
    np.testing.assert_allclose(both.gradient(graph), GRADIENT_OF_THE_SUM, atol=1e-9)
    second = Surrogate(vectors[:, :2], values[:2])
    assert second.penalty == pytest.approx(LOG, abs=1e-9)
    np.testing.assert_allclose(second.gradient(graph), GRADIENT_OF_THE_LOG, atol=1e-9)


@pytest.mark.parametrize("n_groups", [2, 4, 7])
@pytest.mark.parametrize("n_dimensions", [1, 2, 3])
def test_at_its_own_map_the_gradient_is_that_of_the_logarithms(n_groups, n_dimensions):
    places = moved(torch.zeros(10, n_dimensions, dtype=torch.float64), 2.0)

    def penalty(y: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvalsh(laplacian(y))[1:n_groups].log().sum()

    found = surrogate_at(places, n_groups).gradient(StudentGraph(places))
    np.testing.assert_allclose(found, differences(penalty, places), atol=1e-8)


def test_away_from_its_own_map_the_gradient_is_that_of_the_bound(cloud):
    surrogate, elsewhere = surrogate_at(cloud, 4), moved(cloud, 0.5)
    found = surrogate.gradient(StudentGraph(elsewhere))
    expected = differences(lambda y: surrogate.value(StudentGraph(y)), elsewhere)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    weights = 1 / surrogate.values[[1, 1, 2, 3]]  # the first eigenvector weighs as much as the second
    matrix = surrogate.vectors @ torch.diag(weights) @ surrogate.vectors.T
    assert float(surrogate.value(StudentGraph(elsewhere))) == pytest.approx(
        float((matrix * laplacian(elsewhere)).sum())
    )


@pytest.mark.parametrize("n_groups", [2, 4])
def test_the_bound_lies_above_the_penalty_even_at_the_map_worst_for_it(n_groups):
    """A search for maps that break it: it finds them at once when the first eigenvector is left out."""
    from scipy.optimize import minimize

    def excess(pair: np.ndarray, first: float) -> tuple[float, np.ndarray]:
        both = torch.tensor(pair.reshape(2, 8, 2), requires_grad=True)
        values, vectors = torch.linalg.eigh(dense(both[0]))
        weights = torch.cat([first / values[1:2], 1 / values[1:n_groups]])
        matrix = (vectors[:, :n_groups] * weights) @ vectors[:, :n_groups].T
        penalties = [torch.linalg.eigvalsh(dense(y))[1:n_groups].log().sum() for y in both]
        gap = penalties[0] - (n_groups - 1) + (matrix * dense(both[1])).sum() - penalties[1]
        gap.backward()
        return gap.item(), both.grad.numpy().ravel()

    def dense(y: torch.Tensor) -> torch.Tensor:
        kernel = 1 / (1 + (y[:, None] - y[None]).square().sum(dim=2)) - torch.eye(8, dtype=y.dtype)
        root = kernel.sum(dim=1).rsqrt()
        return torch.eye(8, dtype=y.dtype) - root[:, None] * kernel * root

    random = np.random.default_rng(0)
    for _ in range(3):
        maps = 3 * random.normal(size=(2, 8, 2))
        maps[1] = maps[0] + random.normal(size=(8, 2))
        least, least_without = (
            minimize(
                excess, maps.ravel(), (first,), jac=True, method="L-BFGS-B", options={"maxiter": 100}
            ).fun
            for first in (1.0, 0.0)
        )
        assert least > -1e-9
        assert least_without < -0.1


def test_the_bound_touches_the_penalty_at_its_own_map(cloud):
    surrogate = surrogate_at(cloud, 4)
    assert float(surrogate.value(StudentGraph(cloud))) == pytest.approx(3)  # k − 1, the tangent's constant


def test_moving_the_whole_map_changes_nothing(cloud):
    found = surrogate_at(cloud, 5).gradient(StudentGraph(cloud))
    np.testing.assert_allclose(found.sum(dim=0), 0, atol=1e-12)
    np.testing.assert_allclose(
        surrogate_at(cloud, 5).gradient(StudentGraph(cloud + 100)), found, rtol=1e-6, atol=1e-9
    )


def test_a_part_that_has_split_off_no_longer_pulls():
    """The eigenvalue is floored, or its logarithm would outweigh everything else."""
    apart = torch.cat([PLACES, PLACES + 1e5])
    surrogate = surrogate_at(apart, 2)
    assert float(surrogate.values[1]) < SMALLEST
    assert surrogate.penalty == pytest.approx(np.log(SMALLEST))
    assert torch.isfinite(surrogate.gradient(StudentGraph(apart))).all()
    assert float(surrogate.gradient(StudentGraph(apart)).abs().max()) < 1e-3


def test_sums_made_in_pieces_are_those_made_at_once(cloud, monkeypatch):
    whole = StudentGraph(cloud)
    charges = moved(torch.zeros(12, 3, dtype=torch.float64), 1.0)
    monkeypatch.setattr(student_graph, "CELLS_AT_ONCE", {"cpu": 30})
    monkeypatch.setattr(student_graph, "CELLS_KEPT", {"cpu": 30})
    pieces = StudentGraph(cloud)
    for power in (1, 2):
        np.testing.assert_allclose(pieces.sums(charges, power), whole.sums(charges, power), rtol=1e-14)
    np.testing.assert_allclose(pieces.degrees, whole.degrees, rtol=1e-14)


def test_places_on_one_spot_leave_the_gradient_finite():
    for places in (torch.zeros(6, 2), 1e6 * torch.eye(6, 2)):
        graph = StudentGraph(places)
        surrogate = Surrogate(torch.linalg.qr(torch.randn(6, 3)).Q, torch.full((3,), 0.5))
        assert torch.isfinite(surrogate.gradient(graph)).all()
