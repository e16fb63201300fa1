"""Our own UMAP and t-SNE on the CPU: forces and graphs against plain ones, maps against the libraries'."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from clustering.errors import MemoryFullError, Stopped
from clustering.neighbors import Neighbors, nearest_neighbors
from clustering.projections import engines
from clustering.projections.engines import chosen_engine, with_search
from clustering.projections.on_device import repulsion, tsne_layout
from clustering.projections.on_device.graph import symmetric_graph
from clustering.projections.on_device.repulsion import Field, exact_repulsion, nodes_for
from clustering.projections.on_device.spectral import spectral_start
from clustering.projections.on_device.tsne_layout import affinity_graph
from clustering.projections.on_device.umap_layout import Kernel, fuzzy_graph
from clustering.projections.tsne import TSNE
from clustering.projections.umap import UMAP
from clustering.projections.unfolding import kernel_of


@pytest.fixture(scope="module")
def digits():
    pictures, _ = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).choice(len(pictures), 900, replace=False)
    return pictures[chosen[:700]].astype(np.float32), pictures[chosen[700:]].astype(np.float32)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)  # numba's compiling has set it to all cores, which small tensors only wait for


@pytest.fixture(scope="module")
def maps(digits):
    return {
        (kind, engine): kind(engine=engine).fit(digits[0])
        for engine in ("own", "library")
        for kind in (UMAP, TSNE)
    }


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_ours_keeps_neighbours_as_well_as_the_library(digits, maps, kind):
    library, own = (
        trustworthiness(digits[0], maps[kind, engine].embedding_, n_neighbors=15)
        for engine in ("library", "own")
    )
    assert own > library - 0.003


def test_ours_ends_at_the_divergence_of_opentsne(maps):
    assert maps[TSNE, "own"].kl_divergence_ == pytest.approx(maps[TSNE, "library"].kl_divergence_, rel=0.05)


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_the_same_seed_gives_the_same_map_and_new_items_return_to_it(digits, kind):
    model = kind(engine="own", **kind.info.test_settings).fit(digits[0][:200])
    again = kind(engine="own", **kind.info.test_settings).fit(digits[0][:200])
    np.testing.assert_array_equal(model.embedding_, again.embedding_)
    np.testing.assert_array_equal(model.transform(digits[0][:200]), model.embedding_)
    assert "our own" in model.engine_ and "on CPU: as asked" in model.engine_


@pytest.mark.parametrize("kind", [UMAP, TSNE])
@pytest.mark.parametrize("n_components", [1, 2, 3])
@pytest.mark.parametrize("n_items", [5, 9, 60])
def test_ours_maps_any_number_to_one_to_three_dimensions(digits, kind, n_components, n_items):
    model = kind(engine="own", n_components=n_components, **kind.info.test_settings)
    assert np.isfinite(model.fit_transform(digits[0][:n_items])).all()
    assert np.isfinite(model.transform(digits[1][:3])).all()


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_ours_tells_its_steps_and_stops_when_asked(digits, kind):
    def stop_half_way(done, total, doing):
        return doing == "moving the points" and done >= total // 2

    model = kind(engine="own", **kind.info.test_settings)
    with pytest.raises(Stopped):
        model.fit(digits[0][:100], progress=stop_half_way)
    assert not hasattr(model, "embedding_")


def test_the_grid_is_used_for_many_points_and_gives_a_map_as_good(digits, monkeypatch):
    exact = TSNE(engine="own", n_iter=30).fit(digits[0])
    monkeypatch.setattr(tsne_layout, "EXACT_UP_TO", {2: 0})
    on_grid = TSNE(engine="own", n_iter=30).fit(digits[0])
    assert on_grid.kl_divergence_ == pytest.approx(exact.kl_divergence_, rel=0.05)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2), st.floats(1e-4, 80), st.sampled_from([0.6, 1.0, 2.0]), st.integers(0, 2**31))
@example(1, 79.0, 0.6, 150377)  # a narrow kernel, for which the grid of the usual one is too coarse
def test_the_field_on_the_grid_is_the_sum_over_pairs(c, width, dof, seed):
    points = torch.from_numpy(np.random.default_rng(seed).uniform(0, width, size=(300, c)))
    nodes = nodes_for(float((points.amax(dim=0) - points.amin(dim=0)).amax()), c, dof)
    forces, totals = exact_repulsion(points, points, dof)
    felt, found = Field.of(points, nodes, dof).at(points)
    assert float((felt - forces).norm()) < 0.04 * float(forces.norm()) + 1e-9
    assert float((found - totals).abs().max()) < 0.03 * float(totals.max())


def test_a_field_in_three_dimensions_too(monkeypatch):
    monkeypatch.setattr(repulsion, "FEWEST_NODES", 48)
    points = torch.from_numpy(np.random.default_rng(0).uniform(0, 8, size=(300, 3)))
    forces, _ = exact_repulsion(points, points, 1.0)
    felt, _ = Field.of(points, nodes_for(8.0, 3), 1.0).at(points)
    assert float((felt - forces).norm()) < 0.02 * float(forces.norm())


def test_forces_between_pairs_are_the_plain_sum():
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(30, 2)))
    others = torch.from_numpy(np.random.default_rng(1).normal(size=(40, 2)))
    for dof in (0.7, 1.0):
        apart = points[:, None] - others
        kernel = (1 + apart.square().sum(dim=2) / dof) ** -dof
        forces, totals = exact_repulsion(points, others, dof)
        torch.testing.assert_close(totals, kernel.sum(dim=1))
        torch.testing.assert_close(forces, (kernel[:, :, None] ** (1 + 1 / dof) * apart).sum(dim=1))


@given(st.floats(0, 1e6), st.integers(1, 3))
@example(506.5 / 3, 2)  # a little more than 512 nodes: between a size and the next power of two
def test_sizes_of_the_grid_transform_quickly_and_are_wide_enough(width, n_dimensions):
    nodes = nodes_for(width, n_dimensions)
    assert min(3 * width, repulsion.MOST_NODES[n_dimensions]) <= nodes <= max(2 * (3 * width + 8), 256)
    for prime in (2, 3, 5, 7):
        while nodes % prime == 0:
            nodes //= prime
    assert nodes == 1


@pytest.mark.parametrize("join", [lambda a, b: a + b, lambda a, b: a + b - a * b], ids=["sum", "union"])
def test_links_are_joined_from_both_ends(digits, join):
    found = nearest_neighbors(digits[0][:80], 6)
    values = np.random.default_rng(0).uniform(size=(80, 6)).astype(np.float32)
    dense = np.zeros((80, 80), dtype=np.float32)
    np.put_along_axis(dense, found.indices.astype(np.int64), values, axis=1)
    graph = symmetric_graph(torch.from_numpy(found.indices), torch.from_numpy(values), join)
    joined = np.zeros_like(dense)
    joined[graph.heads.numpy(), graph.tails.numpy()] = graph.weights.numpy()
    np.testing.assert_allclose(joined, join(dense, dense.T), rtol=1e-6)
    np.testing.assert_allclose(graph.summed(graph.weights[:, None])[:, 0], joined.sum(axis=1), rtol=1e-5)
    kept = graph.without(0.5)
    assert float(kept.weights.min()) >= 0.5 and int(kept.offsets[-1]) == len(kept.weights)


def test_the_fuzzy_graph_is_that_of_umap_learn(digits):
    from umap.umap_ import fuzzy_simplicial_set

    rows = digits[0]
    found = nearest_neighbors(rows, 14)
    itself = np.arange(len(rows))[:, None]
    known, _, _ = fuzzy_simplicial_set(
        rows,
        15,
        np.random.RandomState(0),
        "euclidean",
        knn_indices=np.hstack([itself, found.indices]),
        knn_dists=np.hstack([0.0 * itself, found.distances]).astype(np.float32),
    )
    graph = fuzzy_graph(found, "cpu")
    dense = np.zeros(known.shape)
    dense[graph.heads.numpy(), graph.tails.numpy()] = graph.weights.numpy()
    np.testing.assert_allclose(dense, known.toarray(), atol=1e-4)


def test_affinities_are_those_of_opentsne(digits):
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    found = nearest_neighbors(digits[0], 90)
    known = PerplexityBasedNN(
        perplexity=30,
        knn_index=PrecomputedNeighbors(found.indices.astype(np.int64), found.distances.astype(np.float64)),
    ).P.toarray()
    graph = affinity_graph(found, 30, "cpu")
    dense = np.zeros(known.shape)
    dense[graph.heads.numpy(), graph.tails.numpy()] = graph.weights.numpy()
    np.testing.assert_allclose(dense, known, rtol=1e-3, atol=1e-9)
    assert float(graph.weights.sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("min_dist", "a", "b"),
    [
        (0.1, 1.5769434603, 0.8950608779),
        (0.001, 1.9290733959, 0.7915045334),
        (0.5, 0.5830300203, 1.3341669924),
    ],
)
def test_the_kernel_has_the_known_constants(min_dist, a, b):
    assert kernel_of(1.0, min_dist) == pytest.approx((a, b), abs=1e-4)


def test_pull_and_push_are_the_slopes_of_the_cross_entropy():
    kernel, squared = Kernel(1.577, 0.895), torch.linspace(0.1, 9, 20, dtype=torch.float64).requires_grad_()
    linked = 1 / (1 + kernel.a * squared**kernel.b)
    (pull,) = torch.autograd.grad(linked.log().sum(), squared, retain_graph=True)
    torch.testing.assert_close(kernel.attraction(squared.detach()), 2 * pull)
    (push,) = torch.autograd.grad((1 - linked).log().sum(), squared)
    torch.testing.assert_close(kernel.repulsion(squared.detach()), 2 * push, rtol=0.02, atol=0)
    assert float(kernel.repulsion(torch.zeros(1))) == 0


@pytest.mark.parametrize("n_items", [80, 700])
def test_the_spectral_start_solves_the_eigenproblem(digits, n_items, monkeypatch):
    monkeypatch.setattr("clustering.projections.on_device.spectral.DENSE_UP_TO", 100)
    graph = fuzzy_graph(nearest_neighbors(digits[0][:n_items], 14), "cpu")
    dense = torch.zeros(n_items, n_items)
    dense[graph.heads.long(), graph.tails.long()] = graph.weights
    root = dense.sum(dim=1).sqrt()
    dense = dense / root / root[:, None]
    places = spectral_start(graph, 2, 0)
    for vector in places.T / places.norm(dim=0)[:, None]:
        image = dense @ vector
        assert float((image - (image @ vector) * vector).norm()) < 0.01


def test_the_engine_is_chosen_by_what_is_there_and_says_why(monkeypatch):
    def chosen(wanted, n_items):
        return chosen_engine(wanted, "umap-learn", "umap", n_items, 2_000)

    assert chosen("auto", 100).sentence.endswith("on CPU: 100 items; a graphics processor pays from 2,000")
    assert chosen("library", 100_000).sentence.endswith("on CPU: as asked")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert chosen("auto", 5_000).sentence.endswith("on CPU: no graphics processor was found")
    assert chosen("own", 5_000).own and chosen("own", 5_000).device == "cpu"
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    assert chosen("auto", 100).own
    assert chosen("auto", 5_000).sentence.endswith("on CPU: umap-learn is not installed")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "GPU 9000")
    assert chosen("auto", 5_000).sentence.endswith("on GPU 9000: it pays from 2,000 items")
    assert chosen("auto", 5_000).own and chosen("auto", 5_000).device == "cuda"


def test_a_map_from_nearly_all_neighbours_says_so():
    none = np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.float32)
    assert with_search("ours on CPU", Neighbors(*none, "exact search on CPU")) == "ours on CPU"
    assert (
        with_search("ours", Neighbors(*none, "NN-descent on CPU")) == "ours; neighbours by NN-descent on CPU"
    )


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_a_full_graphics_memory_is_a_sentence_with_a_mend(digits, kind, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "GPU 9000")
    monkeypatch.setattr("clustering.projections.on_device.umap_layout.lay_out", full)
    monkeypatch.setattr("clustering.projections.on_device.tsne_layout.lay_out", full)
    with pytest.raises(MemoryFullError, match="60 items does not fit in the memory of GPU 9000") as refused:
        kind(engine="own").fit(digits[0][:60])
    assert "library" in refused.value.mend
