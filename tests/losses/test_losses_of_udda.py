"""Losses of UDDA against the worked example, plain loops and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.link_smoothness import link_smoothness, links_of, pair_smoothness
from clustering.losses.pairwise_discrepancy import pairwise_discrepancy
from clustering.losses.scatter_discrepancy import (
    between_scatter,
    matrix_ratio,
    trace_ratio,
    within_scatter,
)
from clustering.losses.spread_assignment import spread_assignments
from clustering.networks.discriminant_autoencoder import classes_of, membership
from clustering.networks.statistics_pooling import pooled_statistics

Z = torch.tensor([[0, 0], [2, 0], [6, 1], [6, 3]], dtype=torch.float64)
LABELS = torch.tensor([0, 0, 1, 1])
PATH = torch.tensor([[0, 1], [1, 2], [2, 3]])
ALL = torch.tensor([True, True])


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def scatters(z: torch.Tensor, labels: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    members = membership(labels, k).to(z)
    classes = classes_of(z, members)
    return within_scatter(z, members, classes.means), between_scatter(classes.means, classes.shares)


def test_scatters_and_their_ratios_are_those_of_the_worked_example():
    within, between = scatters(Z, LABELS, 2)
    close(4 * within, [[2, 0], [0, 2]])  # worked with sums, not means
    close(4 * between, [[25, 10], [10, 4]])
    close(4 * (within + between), [[27, 10], [10, 6]])
    close(trace_ratio(within, between), 0.137931034483)
    close(matrix_ratio(4 * within, 4 * between, 1.0), 2.066666666667)


def test_the_pairwise_discrepancy_is_that_of_the_worked_example():
    classes = classes_of(Z, membership(LABELS, 2).double())
    close(classes.spreads, [1, 1])
    close(pairwise_discrepancy(classes.means, classes.spreads, ALL), 0.068965517241, 3e-9)  # δ is 1e-6


def test_statistics_of_soft_groups_add_up_to_the_whole_scatter():
    p = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]], dtype=torch.float64)
    pooled = pooled_statistics(Z, p)
    close(pooled.means, [[1.904761904762, 0.476190476190], [5.263157894737, 1.578947368421]])
    intra = (pooled.sizes * pooled.variances.sum(dim=1)).sum()
    inter = 4 * between_scatter(pooled.means, pooled.sizes / 4).trace()
    close(intra, 20.536340852130)
    close(inter, 12.463659147870)
    close(intra + inter, 33.0)


def test_the_smoothness_on_a_path_is_that_of_the_worked_example():
    close(3 * link_smoothness(Z, links_of(PATH, 4)), 25.0)  # tr(ZᵀLZ), three links
    close(pair_smoothness(Z[PATH[:, 0]], Z[PATH[:, 1]]), 25 / 3)
    alone = links_of(torch.tensor([[1, 3]]), 5)  # items without a link take no part
    close(link_smoothness(torch.cat([Z, Z[:1]]), alone), 25.0)


tables = given(n=st.integers(2, 9), k=st.integers(2, 4), m=st.integers(1, 3), seed=st.integers(0, 2**31))


@settings(max_examples=30, deadline=None)
@tables
def test_they_agree_with_plain_loops(n, k, m, seed):
    rng = np.random.default_rng(seed)
    z, labels = rng.normal(2, 1, (n, m)), rng.integers(0, k, n)
    tensor, classes_in = torch.from_numpy(z), torch.from_numpy(labels)
    classes = classes_of(tensor, membership(classes_in, k).double())
    held = classes.shares > 0
    means = {j: z[labels == j].mean(axis=0) for j in range(k) if (labels == j).any()}
    spreads = {j: ((z[labels == j] - mean) ** 2).sum(axis=1).mean() for j, mean in means.items()}
    pairs = [(a, b) for a in means for b in means if a < b]
    expected = sum((spreads[a] + spreads[b]) / (((means[a] - means[b]) ** 2).sum() + 1e-6) for a, b in pairs)
    found = pairwise_discrepancy(classes.means, classes.spreads, held)
    close(found, expected / (k * (k - 1) / 2), 1e-9 * (1 + abs(expected)))
    within, between = scatters(tensor, classes_in, k)
    loop_within = sum(np.outer(row - means[y], row - means[y]) for row, y in zip(z, labels, strict=True)) / n
    close(within, loop_within, 1e-10)
    close(within + between, np.cov(z.T, bias=True).reshape(m, m), 1e-10)
    inverse = np.linalg.inv(between.numpy() + 0.1 * np.eye(m))
    close(matrix_ratio(within, between, 0.1), np.trace(inverse @ within.numpy()), 1e-9)
    distances = np.array([[((row - classes.means[j].numpy()) ** 2).sum() for j in range(k)] for row in z])
    q = np.exp(-distances / 1.7)
    found_q = spread_assignments(tensor, classes.means, torch.tensor(1.7, dtype=torch.float64))
    close(found_q, q / q.sum(axis=1, keepdims=True), 1e-9)
    edges = [(a, b) for a in range(n) for b in range(a + 1, n) if rng.random() < 0.5] or [(0, 1)]
    by_hand = sum(((z[a] - z[b]) ** 2).sum() for a, b in edges) / len(edges)
    close(link_smoothness(tensor, links_of(torch.tensor(edges), n)), by_hand, 1e-9)


@settings(max_examples=20, deadline=None)
@tables
def test_scale_and_names_of_the_groups_do_not_matter(n, k, m, seed):
    rng = np.random.default_rng(seed)
    z = torch.from_numpy(rng.normal(0, 10, (n, m)))
    labels, names = torch.from_numpy(rng.integers(0, k, n)), torch.from_numpy(rng.permutation(k))
    found = []
    for latents, groups in ((z, labels), (3 * z, labels), (z, names[labels])):
        classes = classes_of(latents, membership(groups, k).double())
        found.append(pairwise_discrepancy(classes.means, classes.spreads, classes.shares > 0))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3)  # but for δ
    np.testing.assert_allclose(found[2], found[0], rtol=1e-9)


@pytest.mark.parametrize("form", ["pairwise", "trace", "matrix"])
def test_gradients_are_those_of_finite_differences(form):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(9, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    members = membership(torch.arange(9) % 3, 3).double()

    def objective(latents):
        classes = classes_of(latents, members)
        if form == "pairwise":
            return pairwise_discrepancy(classes.means, classes.spreads, classes.shares > 0)
        within = within_scatter(latents, members, classes.means)
        between = between_scatter(classes.means, classes.shares)
        return trace_ratio(within, between) if form == "trace" else matrix_ratio(within, between, 0.05)

    assert torch.autograd.gradcheck(objective, (z,))


def test_the_gradient_of_the_smoothness_is_that_of_finite_differences():
    links = links_of(torch.tensor([[0, 1], [1, 2], [0, 4]]), 6)
    q = torch.rand(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda rows: link_smoothness(rows, links), (q,))


def test_the_pairwise_form_cannot_be_lowered_by_one_group_sent_away_as_the_trace_can():
    near = torch.tensor([[0.0, 0], [1, 0], [30, 0]])
    far = near * torch.tensor([[1.0], [1], [100]])
    spreads, shares = torch.ones(3), torch.tensor([0.49, 0.49, 0.02])
    pairwise = [float(pairwise_discrepancy(means, spreads, shares > 0)) for means in (near, far)]
    traces = [float(trace_ratio(torch.eye(2) / 2, between_scatter(means, shares))) for means in (near, far)]
    assert pairwise[1] > 0.99 * pairwise[0]  # the two that lie side by side weigh as before
    assert traces[1] < 0.001 * traces[0]


def test_a_group_without_items_and_one_group_alone_count_for_nothing():
    classes = classes_of(Z, membership(LABELS, 3).double())
    found = pairwise_discrepancy(classes.means, classes.spreads, classes.shares > 0)
    close(found, 0.068965517241 / 3, 3e-9)
    assert float(pairwise_discrepancy(Z[:1], torch.ones(1), torch.tensor([True]))) == 0


def test_assignments_to_groups_of_no_width_are_hard_and_finite():
    q = spread_assignments(Z.float(), Z[[0, 3]].float(), torch.tensor(0.0))
    assert torch.isfinite(q).all()
    close(q.amax(dim=1), np.ones(4))
