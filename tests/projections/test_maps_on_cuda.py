"""On a graphics processor: neighbours, maps and measures are those of the CPU, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clustering.metrics.neighbourhood import neighbourhoods
from clustering.neighbors import nearest_neighbors, neighbors_in
from clustering.projections.on_device.repulsion import Field, exact_repulsion, nodes_for
from clustering.projections.on_device.spectral import spectral_start
from clustering.projections.on_device.umap_layout import fuzzy_graph
from clustering.projections.tsne import TSNE
from clustering.projections.umap import UMAP

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.fixture(scope="module")
def rows():
    random_state = np.random.default_rng(0)
    centers = 4 * random_state.normal(size=(30, 24))
    return (centers[random_state.integers(0, 30, 9_000)] + random_state.normal(size=(9_000, 24))).astype(
        np.float32
    )


def test_it_finds_the_neighbours_that_the_cpu_finds(rows):
    on_gpu, on_cpu = (nearest_neighbors(rows, 31, engine=engine) for engine in ("cuda", "cpu"))
    np.testing.assert_array_equal(on_gpu.indices, on_cpu.indices)
    np.testing.assert_allclose(on_gpu.distances, on_cpu.distances, rtol=1e-6)
    assert torch.cuda.get_device_name() in on_gpu.engine
    few, many = neighbors_in(rows, rows[:5] + 1, 9), neighbors_in(rows, rows[:2_000] + 1, 9)
    np.testing.assert_array_equal(few.indices, many.indices[:5])
    np.testing.assert_array_equal(few.distances, many.distances[:5])


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_the_same_seed_gives_the_same_map_and_new_items_do_not_depend_on_their_company(rows, kind):
    one, other = (kind(engine="own", **kind.info.test_settings).fit(rows) for _ in range(2))
    np.testing.assert_array_equal(one.embedding_, other.embedding_)
    assert torch.cuda.get_device_name() in one.engine_
    new = rows[:20] + np.float32(0.3)
    alone = np.concatenate([one.transform(new[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, one.transform(new), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_the_map_keeps_neighbours_as_well_as_the_one_of_the_cpu(rows, kind, monkeypatch):
    on_gpu = kind(engine="own").fit_transform(rows[:4_000])
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    on_cpu = kind(engine="own").fit_transform(rows[:4_000])
    trust = [neighbourhoods(rows[:4_000], map_, (15,))[0].trustworthiness.mean() for map_ in (on_gpu, on_cpu)]
    assert trust[0] == pytest.approx(trust[1], abs=0.01)


def test_every_item_is_measured_as_on_the_cpu(rows, monkeypatch):
    on_gpu = neighbourhoods(rows, rows[:, :2], (15,))[0]
    assert not on_gpu.sampled
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    on_cpu = neighbourhoods(rows, rows[:, :2], (15,), anchors=300)[0]
    for name in ("trustworthiness", "continuity", "recall"):
        np.testing.assert_allclose(getattr(on_gpu, name)[on_cpu.rows], getattr(on_cpu, name), atol=1e-9)


@pytest.mark.parametrize("n_dimensions", [1, 2, 3])
def test_the_field_is_the_sum_over_pairs_and_the_same_twice(n_dimensions):
    points = 12 * torch.rand((4_000, n_dimensions), device="cuda")
    nodes = nodes_for(12.0, n_dimensions)
    forces, totals = exact_repulsion(points, points, 1.0)
    felt, found = Field.of(points, nodes, 1.0).at(points)
    assert float((felt - forces).norm() / forces.norm()) < 0.02
    assert float((found - totals).abs().max() / totals.max()) < 0.02
    assert torch.equal(Field.of(points, nodes, 1.0).at(points)[0], felt)


def test_the_spectral_start_solves_the_eigenproblem(rows):
    graph = fuzzy_graph(nearest_neighbors(rows, 14), "cuda")
    root = graph.summed(graph.weights[:, None])[:, 0].sqrt()
    for vector in spectral_start(graph, 2, 0).T:
        unit = vector / vector.norm()
        pulled = (graph.weights / root[graph.heads.long()] / root[graph.tails.long()])[:, None]
        image = graph.summed(pulled * unit[graph.tails.long(), None])[:, 0]
        assert float((image - (image @ unit) * unit).norm()) < 0.01
