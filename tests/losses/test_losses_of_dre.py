"""DRE's losses agree with slow, plain sums, with worked numbers, and with finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from clustering.losses.fuzzy_cross_entropy import fuzzy_cross_entropy, sampled_fuzzy_cross_entropy
from clustering.losses.heavy_divergence import heavy_divergence, sampled_heavy_divergence
from clustering.losses.student_divergence import sampled_student_divergence, student_divergence

# Worked by hand in float64: X = (0,0), (1,0), (0,2), (3,3); perplexity 2; a map of the four items.
PLACES = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, 1.0], [2.0, 2.0]], dtype=torch.float64)
UPPER = np.triu_indices(4, 1)
P = np.zeros((4, 4))
P[UPPER] = 0.172275491, 0.122848562, 0.006075348, 0.073071722, 0.033430060, 0.092298817
P = torch.from_numpy(P + P.T)
GRADIENT = [
    [0.0380949262, 0.0032283717],
    [-0.0483693951, 0.0513212739],
    [-0.0451380652, -0.0745628286],
    [0.0554125342, 0.0200131831],
]
C = math.log2(3) - 1  # membership of the second neighbour
MU = np.zeros((4, 4))
MU[UPPER] = 1, 1, 0, 2 * C - C**2, C, 1
MU = torch.from_numpy(MU + MU.T)
HEAVY = 4.1348162, 0.6737622  # DRE's kernel at min_dist .001
UMAPS = 1.5769434603, 0.8950608779  # UMAP's at .1


@pytest.fixture
def cloud():
    generator = torch.Generator().manual_seed(0)
    affinities = torch.rand(9, 9, generator=generator, dtype=torch.float64).fill_diagonal_(0)
    affinities = affinities + affinities.T
    return affinities / affinities.sum(), torch.randn(9, 2, generator=generator, dtype=torch.float64)


def test_the_divergence_of_four_items_is_the_one_worked_by_hand():
    places = PLACES.clone().requires_grad_()
    value = student_divergence(P, places)
    value.backward()
    assert value.item() == pytest.approx(0.0863785227, abs=1e-8)
    np.testing.assert_allclose(places.grad, GRADIENT, atol=1e-7)


def test_the_released_second_stage_of_four_items_is_the_one_worked_by_hand():
    assert heavy_divergence(MU / MU.sum(), PLACES, *HEAVY).item() == pytest.approx(
        0.21367 + 0.01619, abs=1e-4
    )


def test_umaps_cross_entropy_of_four_items_is_the_one_worked_by_hand():
    entropy = (torch.special.xlogy(MU, MU) + torch.special.xlogy(1 - MU, 1 - MU)).sum().item()
    value = 4 * fuzzy_cross_entropy(MU, PLACES, *UMAPS).item()
    assert value + entropy == pytest.approx(9.2334, abs=1e-3)


def test_the_losses_are_their_plain_sums(cloud):
    p, y = cloud
    n, (a, b) = len(y), HEAVY
    distances = [[((y[i] - y[j]) ** 2).sum().item() for j in range(n)] for i in range(n)]
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    student = {(i, j): 1 / (1 + distances[i][j]) for i, j in pairs}
    heavy = {(i, j): (1 + a * distances[i][j]) ** -b for i, j in pairs}
    whole, whole_heavy = sum(student.values()), sum(heavy.values())
    expected = sum(p[i, j] * math.log(p[i, j] / (student[i, j] / whole)) for i, j in pairs)
    assert student_divergence(p, y).item() == pytest.approx(expected.item())
    near = sum(p[i, j] * math.log(p[i, j] / (heavy[i, j] / whole_heavy)) for i, j in pairs)
    far = sum((1 - p[i, j]) * math.log((1 - p[i, j]) / (1 - heavy[i, j] / whole_heavy)) for i, j in pairs)
    assert heavy_divergence(p, y, a, b).item() == pytest.approx((near + far).item())
    a, b = UMAPS
    kept = {(i, j): min(max(1 / (1 + a * distances[i][j] ** b), 1e-4), 1 - 1e-4) for i, j in pairs}
    cross = -sum(p[i, j] * math.log(kept[i, j]) + (1 - p[i, j]) * math.log(1 - kept[i, j]) for i, j in pairs)
    assert fuzzy_cross_entropy(p, y, a, b).item() == pytest.approx(cross.item() / n)


@pytest.mark.parametrize("loss", ["student", "heavy", "cross"])
def test_gradients_are_those_of_finite_differences(cloud, loss):
    p, y = cloud
    losses = {
        "student": lambda places: student_divergence(p, places),
        "heavy": lambda places: heavy_divergence(p, places, *HEAVY),
        "cross": lambda places: fuzzy_cross_entropy(p, places, *UMAPS),
    }
    assert torch.autograd.gradcheck(losses[loss], y.requires_grad_())


@pytest.mark.parametrize("loss", ["student", "heavy", "cross"])
def test_edges_drawn_in_proportion_to_the_affinities_estimate_the_whole_loss(loss):
    generator = torch.Generator().manual_seed(1)
    n, e = 40, 1500
    y = 2 * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    p = torch.ones(n, n, dtype=torch.float64).fill_diagonal_(0)  # all alike: ends are drawn evenly
    p = p / p.sum()
    drawn = torch.multinomial(p.flatten(), e, replacement=True, generator=generator)
    heads, tails = y[drawn // n], y[drawn % n]
    entropy = torch.special.xlogy(p, p).sum()
    if loss == "cross":
        a, b = UMAPS
        kept = (1 / (1 + a * torch.cdist(y, y).square().clamp_min(1e-4) ** b)).clamp(1e-4, 1 - 1e-4)
        off = ~torch.eye(n, dtype=torch.bool)
        # A random pair of the sample is one item with itself once in n; its distance counts as 1e-4.
        push = -torch.log1p(-kept)
        wanted = -kept[off].log().mean() + 5 * push.mean()
        estimate = sampled_fuzzy_cross_entropy(heads, tails, a, b)
    elif loss == "student":
        wanted = student_divergence(p, y) - entropy
        estimate = sampled_student_divergence(heads, tails) + math.log(n * n)
        own = n / (1 / (1 + torch.cdist(y, y).square())).sum()
        wanted = wanted - torch.log1p(-own)
    else:
        a, b = HEAVY
        kernel = (1 + a * torch.cdist(y, y).square()) ** -b
        log_q = kernel.log() - kernel.sum().log()
        wanted = -(p * log_q).sum()
        estimate = sampled_heavy_divergence(heads, tails, a, b) + math.log(n * n)
    assert estimate.item() == pytest.approx(wanted.item(), abs=0.07)


def test_items_on_one_spot_leave_every_gradient_finite():
    for loss in (
        lambda y: student_divergence(P, y),
        lambda y: heavy_divergence(P, y, *HEAVY),
        lambda y: fuzzy_cross_entropy(MU, y, *UMAPS),
        lambda y: sampled_fuzzy_cross_entropy(*y.chunk(2), *UMAPS),
    ):
        for places in (torch.zeros(4, 2), 1e6 * PLACES.float()):
            places = places.clone().requires_grad_()
            loss(places).backward()
            assert torch.isfinite(places.grad).all()
