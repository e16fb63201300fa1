"""Neighbours of every engine are those of the full distance matrix; what was found is not searched again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import Stopped
from clustering.neighbors import kept_in, nearest_neighbors, neighbors_in
from clustering.neighbors import search as search_module
from clustering.neighbors.blocks import search_in_blocks
from clustering.progress import silent


@pytest.fixture
def rows():
    random_state = np.random.default_rng(0)
    return (random_state.normal(size=(90, 7)) * np.arange(7, 0, -1)).astype(np.float32)


def plain(rows, k, new=None):
    queries = rows if new is None else new
    distances = np.linalg.norm(queries[:, None].astype(np.float64) - rows[None], axis=2)
    if new is None:
        np.fill_diagonal(distances, np.inf)
    indices = distances.argsort(axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(distances, indices, axis=1)


def in_blocks(rows, k, new=None, progress=silent):
    return search_in_blocks(rows, new, k, "cpu", progress)


@pytest.mark.parametrize("search", [nearest_neighbors, in_blocks], ids=["scikit-learn", "blocks"])
def test_neighbours_are_those_of_the_full_distance_matrix(rows, monkeypatch, search):
    monkeypatch.setattr(search_module, "BLOCK", 32)
    monkeypatch.setattr("clustering.neighbors.blocks.BYTES_AT_ONCE_CPU", 4 * 96 * 32)
    found = search(rows, 10)
    indices, distances = plain(rows, 10)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-6)
    assert found.indices.dtype == np.int32 and found.distances.dtype == np.float32
    assert found.engine == "exact search on CPU"


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 150), st.integers(1, 5), st.integers(0, 2**32 - 1), st.data())
def test_searching_in_blocks_is_exact_for_any_size_with_ties_and_twins(n, d, seed, data):
    rows = np.random.default_rng(seed).integers(0, 4, size=(n, d)).astype(np.float32)
    k = data.draw(st.integers(1, min(n - 1, 20)))
    found = in_blocks(rows, k)
    _, distances = plain(rows, k)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-6)
    assert (found.indices != np.arange(n)[:, None]).all()
    assert all(len(set(row)) == k for row in found.indices.tolist())


def test_both_searches_agree_far_from_the_origin(rows):
    moved = rows + np.float32(4096)
    np.testing.assert_array_equal(in_blocks(moved, 10).indices, nearest_neighbors(moved, 10).indices)
    huge = rows * np.float32(1e30)
    np.testing.assert_array_equal(in_blocks(huge, 10).indices, plain(huge, 10)[0])


@pytest.mark.parametrize("search", [neighbors_in, lambda rows, new, k: in_blocks(rows, k, new)])
def test_neighbours_of_new_rows_do_not_depend_on_their_company(rows, search):
    known, new = rows[:60], rows[60:]
    whole = search(known, new, 9)
    np.testing.assert_array_equal(whole.indices, plain(known, 9, new)[0])
    for row in range(0, 30, 7):
        alone = search(known, new[row : row + 1], 9)
        np.testing.assert_array_equal(alone.indices[0], whole.indices[row])
        np.testing.assert_array_equal(alone.distances[0], whole.distances[row])


def test_large_sets_use_the_approximate_search_and_find_nearly_all(rows, monkeypatch):
    exact = nearest_neighbors(rows, 10)
    monkeypatch.setattr(search_module, "EXACT_WORK", 50)
    found = nearest_neighbors(rows, 10)
    assert "NN-descent" in found.engine
    assert (found.indices != np.arange(len(rows))[:, None]).all()
    shared = [len(set(a) & set(b)) for a, b in zip(exact.indices, found.indices, strict=True)]
    assert np.mean(shared) > 9.8


@pytest.mark.parametrize("search", [neighbors_in, lambda rows, new, k: in_blocks(rows, k, new)])
def test_of_equally_near_rows_the_first_comes_first(search):
    rows = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], dtype=np.float32)
    np.testing.assert_array_equal(search(rows, np.zeros((3, 2), dtype=np.float32), 2).indices, [[0, 1]] * 3)


@pytest.mark.parametrize("search", [nearest_neighbors, in_blocks])
def test_the_search_can_be_stopped(rows, search):
    with pytest.raises(Stopped):
        search(rows, 5, progress=lambda done, total, doing: done > 0)


def test_what_was_found_is_kept_and_not_searched_again(rows, tmp_path, monkeypatch):
    without = nearest_neighbors(rows, 12)
    with kept_in(tmp_path / "neighbours"):
        nearest_neighbors(rows, 30)
        monkeypatch.setattr(search_module, "_candidates", None)  # a second search would fail
        again = nearest_neighbors(rows, 12)
    np.testing.assert_array_equal(again.indices, without.indices)
    np.testing.assert_array_equal(again.distances, without.distances)
    assert again.engine == without.engine
    assert [file.suffix for file in (tmp_path / "neighbours").iterdir()] == [".npz"]


def test_other_rows_more_neighbours_and_broken_files_are_searched_anew(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(search_module, "SHARED", 0)
    with kept_in(tmp_path):
        nearest_neighbors(rows, 5)
        np.testing.assert_array_equal(nearest_neighbors(rows, 12).indices, plain(rows, 12)[0])
        np.testing.assert_array_equal(nearest_neighbors(rows[::-1], 5).indices, plain(rows[::-1], 5)[0])
        for file in tmp_path.iterdir():
            file.write_bytes(b"nonsense")
        np.testing.assert_array_equal(nearest_neighbors(rows, 12).indices, plain(rows, 12)[0])
    assert len(list(tmp_path.iterdir())) == 2


def test_a_graphics_processor_is_started_for_much_work_and_used_for_less_once_it_runs(monkeypatch):
    def chosen(n_rows, started):
        monkeypatch.setattr("torch.cuda.is_initialized", lambda: started)
        return search_module._chosen(n_rows, n_rows, 50)

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert [chosen(n, False) for n in (499, 3_499, 3_500)] == ["cpu", "cpu", "cuda"]
    assert [chosen(n, True) for n in (499, 500)] == ["cpu", "cuda"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert [chosen(n, False) for n in (70_000, 70_001)] == ["cpu", "nn-descent"]


def test_where_the_graphics_processor_is_too_small_the_cpu_searches(rows, monkeypatch):
    import torch

    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(search_module, "CUDA_WORK", 0)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("clustering.neighbors.blocks.search_in_blocks", full)
    assert nearest_neighbors(rows, 5).engine == "exact search on CPU"
    with pytest.raises(torch.OutOfMemoryError):
        nearest_neighbors(rows, 5, engine="cuda")
