"""LaptSNE: it descends what it says, pulls groups apart without losing neighbours, and says what it did."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import silhouette_score

from clustering.errors import MemoryFullError
from clustering.losses.student_divergence import student_divergence
from clustering.losses.student_graph import StudentGraph
from clustering.metrics.neighbourhood import neighbourhoods
from clustering.neighbors import nearest_neighbors
from clustering.projections.base import Projection
from clustering.projections.laptsne import LaptSNE
from clustering.projections.laptsne_eigenvectors import first_eigenvectors
from clustering.projections.laptsne_groups import graph_spectrum, suggested_groups
from clustering.projections.laptsne_layout import Layout, kl_divergence, kl_gradient
from clustering.projections.on_device.graph import Graph
from clustering.projections.on_device.tsne_layout import affinity_graph
from clustering.projections.tsne import TSNE

N_ITER = 400


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    rows, labels = load_digits(return_X_y=True)
    return rows[:500].astype(np.float32), labels[:500]


@pytest.fixture(scope="module")
def maps(digits) -> dict[float, LaptSNE]:
    return {
        strength: LaptSNE(strength=strength, n_iter=N_ITER, device="cpu").fit(digits[0])
        for strength in (0.0, 0.01, 0.05)
    }


def affinities_of(rows: np.ndarray, perplexity: float) -> Graph:
    found = nearest_neighbors(rows.astype(np.float32), min(len(rows) - 1, int(3 * perplexity)))
    return affinity_graph(found, perplexity, "cpu")


def dense(graph: Graph) -> torch.Tensor:
    matrix = torch.zeros(graph.n_items, graph.n_items, dtype=torch.float64)
    matrix[graph.heads.long(), graph.tails.long()] = graph.weights.double()
    return matrix


def in_float64(graph: Graph) -> Graph:
    return Graph(graph.offsets, graph.heads, graph.tails, graph.weights.double())


def islands(n: int, n_islands: int, width: float = 3.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    centers = 40 * torch.randn(n_islands, 2, generator=generator, dtype=torch.float64)
    member = torch.randint(0, n_islands, (n,), generator=generator)
    return centers[member] + width * torch.randn(n, 2, generator=generator, dtype=torch.float64)


def test_the_gradient_of_the_divergence_is_that_of_its_definition(digits):
    graph = in_float64(affinities_of(digits[0][:60], 10))
    places = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moving = places.clone().requires_grad_()
    value = student_divergence(dense(graph), moving)
    value.backward()
    own = StudentGraph(places)
    np.testing.assert_allclose(kl_gradient(graph, own, 1.0), moving.grad, atol=1e-10)
    assert kl_divergence(graph, own) == pytest.approx(value.item(), abs=1e-9)


@pytest.mark.parametrize("n", [250, 900])
def test_the_first_eigenvectors_are_those_of_an_exact_solver(n):
    places = islands(n, 12)
    graph = StudentGraph(places)
    whole = torch.eye(n, dtype=torch.float64) - graph.similarities(torch.eye(n, dtype=torch.float64))
    expected = torch.linalg.eigvalsh(whole)[:10]
    vectors, values = first_eigenvectors(graph.similarities, graph.degrees, 10, tolerance=1e-7)
    np.testing.assert_allclose(values, expected, atol=1e-9)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(10), atol=1e-9)
    np.testing.assert_allclose(whole @ vectors, vectors * values, atol=1e-6)


def test_a_few_steps_from_the_last_vectors_follow_a_map_that_moved_a_little():
    places = islands(900, 12).float()
    before = StudentGraph(places)
    guess, _ = first_eigenvectors(before.similarities, before.degrees, 10)
    after = StudentGraph(places + 0.3 * torch.randn(places.shape, generator=torch.Generator().manual_seed(1)))
    exact = first_eigenvectors(after.similarities, after.degrees, 10, tolerance=0.0)[1]
    followed = first_eigenvectors(after.similarities, after.degrees, 10, guess=guess, steps=3)[1]
    from_chance = first_eigenvectors(after.similarities, after.degrees, 10, steps=3)[1]
    assert (followed - exact).abs().max() < 1e-3
    assert (from_chance - exact).abs().max() > 1e-2


def test_small_steps_without_momentum_never_raise_the_bound_nor_the_loss(digits):
    """Majorisation: while M is held, KL + β tr(M L) falls, and with it the loss of every refresh."""
    graph = in_float64(affinities_of(digits[0][:120], 15))
    layout = Layout(graph, islands(120, 4, width=2.0), 30, 0.05, 5, 0)
    places = layout.places
    losses = []
    for _ in range(6):
        surrogate = layout.eigenvectors(StudentGraph(places), 5)
        losses.append(kl_divergence(graph, StudentGraph(places)) + 0.05 * surrogate.penalty)
        bounds = []
        for _ in range(10):
            own = StudentGraph(places)
            bounds.append(kl_divergence(graph, own) + 0.05 * float(surrogate.value(own)))
            places = places - 5.0 * (kl_gradient(graph, own, 1.0) + 0.05 * surrogate.gradient(own))
        assert (np.diff(bounds) < 0).all()
    assert (np.diff(losses) < 0).all()


def test_the_penalty_lowers_the_eigenvalues_and_pays_with_the_divergence(maps):
    sums = [maps[strength].eigenvalues_.sum() for strength in (0.0, 0.01, 0.05)]
    assert sums[0] > 1.3 * sums[1] > 1.3**2 * sums[2]
    divergences = [maps[strength].kl_divergence_ for strength in (0.0, 0.01, 0.05)]
    assert divergences[0] < divergences[1] < divergences[2] < 1
    for model in maps.values():
        assert model.eigenvalues_.shape == (10,)
        assert model.eigenvalues_[0] == 0
        assert (np.diff(model.eigenvalues_) >= 0).all()


def test_groups_move_apart_while_neighbours_stay(digits, maps):
    rows, labels = digits
    apart = [silhouette_score(maps[strength].embedding_, labels) for strength in (0.0, 0.01, 0.05)]
    assert apart[0] + 0.03 < apart[1] < apart[2] - 0.05
    trust = [
        neighbourhoods(rows, model.embedding_, (10,))[0].trustworthiness.mean() for model in maps.values()
    ]
    assert min(trust) > 0.985
    assert max(trust) - min(trust) < 0.004


def test_without_the_penalty_it_is_t_sne(digits, maps):
    library = TSNE(engine="library", n_iter=300).fit(digits[0])
    assert maps[0.0].kl_divergence_ == pytest.approx(library.kl_divergence_, abs=0.02)
    one_group = LaptSNE(strength=0.05, n_groups=1, n_iter=N_ITER, device="cpu").fit(digits[0])
    np.testing.assert_array_equal(one_group.embedding_, maps[0.0].embedding_)


def test_the_graph_of_separate_groups_suggests_their_number():
    rows, _ = make_blobs(300, centers=6, n_features=8, cluster_std=0.5, random_state=1)
    vectors, values = graph_spectrum(affinities_of(rows, 10), seed=0)
    assert vectors.shape == (300, 31)
    np.testing.assert_allclose(values[:6], 0, atol=1e-5)
    assert suggested_groups(values) == 6
    assert LaptSNE(n_groups=None, n_iter=30, perplexity=10, device="cpu").fit(rows).eigenvalues_.shape == (6,)


def test_the_suggested_number_is_where_the_relative_gap_is_widest():
    assert suggested_groups(np.array([0, 0.10, 0.12, 0.50, 0.55])) == 3
    assert suggested_groups(np.array([0, 0.40, 0.50, 0.55])) == 2
    assert suggested_groups(np.array([0, 0, 0, 0.2, 0.9])) == 3
    assert suggested_groups(np.zeros(8)) == 2
    assert suggested_groups(np.array([0, 0.3])) == 2


def test_more_items_than_can_be_laid_out_are_placed_among_a_sample_and_it_says_so():
    rows, labels = make_blobs(400, centers=3, n_features=6, random_state=0)
    model = LaptSNE(n_iter=60, perplexity=10, n_groups=3, max_items=150, device="cpu").fit(rows)
    assert model.notes_[0].startswith("150 of 400 different items, drawn by chance")
    assert model.embedding_.shape == (400, 2)
    assert silhouette_score(model.embedding_, labels) > 0.5
    np.testing.assert_allclose(model.transform(rows), model.embedding_, atol=1e-4)
    told: list[tuple[int, int, str]] = []
    model.fit(rows, progress=lambda *step: told.append(step))
    assert ("placing the other items", 250) in {(doing, total) for _, total, doing in told}


def test_what_it_found_out_about_groups_survives_saving(maps, tmp_path):
    model = maps[0.01]
    model.save(tmp_path)
    loaded = Projection.load(tmp_path)
    assert isinstance(loaded, LaptSNE)
    np.testing.assert_array_equal(loaded.graph_eigenvalues_, model.graph_eigenvalues_)
    np.testing.assert_array_equal(loaded.eigenvalues_, model.eigenvalues_)
    assert (loaded.suggested_groups_, loaded.kl_divergence_) == (
        model.suggested_groups_,
        model.kl_divergence_,
    )


def test_the_starts_differ_and_another_seed_gives_another_map(digits):
    rows = digits[0][:150]
    starts = [
        LaptSNE(initialization=start, n_iter=30, random_state=seed, device="cpu").fit_transform(rows)
        for start, seed in (("spectral", 0), ("pca", 0), ("random", 0), ("random", 1))
    ]
    for one, other in pairwise(starts):
        assert np.abs(one - other).max() > 0.1


def test_the_page_says_that_gaps_are_exaggerated():
    assert "exaggerated by design" in LaptSNE.info.honesty


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_graphics_processor_makes_as_good_a_map(digits, maps):
    rows, _ = digits
    model, again = (LaptSNE(n_iter=N_ITER, device="cuda").fit(rows) for _ in range(2))
    assert torch.cuda.get_device_name() in model.engine_
    np.testing.assert_array_equal(model.embedding_, again.embedding_)
    assert model.kl_divergence_ == pytest.approx(maps[0.01].kl_divergence_, abs=0.02)
    assert model.eigenvalues_.sum() == pytest.approx(maps[0.01].eigenvalues_.sum(), rel=0.1)
    trust = [
        neighbourhoods(rows, each.embedding_, (10,))[0].trustworthiness.mean() for each in (model, maps[0.01])
    ]
    assert trust[0] == pytest.approx(trust[1], abs=0.004)


def test_a_device_without_room_is_told_in_words(digits, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("clustering.projections.laptsne.Layout.advance", full)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "a small one")
    with pytest.raises(MemoryFullError, match=r"LaptSNE of 60 items .* a small one\. Lower “max_items”"):
        LaptSNE(perplexity=10, device="cpu").fit(digits[0][:60])
