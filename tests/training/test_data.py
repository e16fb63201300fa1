"""Batches: every row at most once a pass, all of one shape, resident or streamed alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs

from clustering.methods.dec import DEC
from clustering.training import data as module
from clustering.training.data import Data, batch_shape
from clustering.training.streaming import Belt


@given(st.integers(1, 100_000), st.integers(1, 5_000))
def test_a_pass_is_cut_into_equal_batches_that_leave_out_fewer_rows_than_there_are_batches(n, size):
    batches, rows = batch_shape(n, size)
    assert batches >= 1
    assert rows >= 1
    assert 0 <= n - batches * rows < batches
    assert rows <= 1.5 * size + 1


def test_published_batches_of_256_stay_256_on_mnist_and_digits():
    assert batch_shape(70_000, 256) == (273, 256)
    assert batch_shape(1_797, 256) == (7, 256)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(st.booleans(), st.integers(0, 100))
def test_batches_hold_the_rows_their_numbers_name(resident, seed):
    features = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    data = Data(features, torch.device("cpu"))
    data.resident = resident
    order = data.order(torch.Generator().manual_seed(seed))
    table = order[:20].view(4, 5)
    seen = []
    for numbers, batch in data.batches(table):
        np.testing.assert_array_equal(batch.numpy(), features[numbers.numpy()])
        seen += numbers.tolist()
    assert seen == order[:20].tolist()
    assert len(set(seen)) == 20


def test_the_order_is_a_permutation_that_follows_from_the_generator(features):
    data = Data(features, torch.device("cpu"))
    one = data.order(torch.Generator().manual_seed(1))
    assert sorted(one.tolist()) == list(range(23))
    assert torch.equal(one, data.order(torch.Generator().manual_seed(1)))
    assert not torch.equal(one, data.order(torch.Generator().manual_seed(2)))


@pytest.fixture
def streamed(features, tmp_path, monkeypatch) -> Data:
    """A memory map that counts as too large, in pieces of ten rows."""
    monkeypatch.setattr(module, "RESIDENT_SHARE", 0.0)
    monkeypatch.setattr(module, "CHUNK_BYTES", 10 * 3 * 4)
    np.save(tmp_path / "features.npy", features)
    return Data(np.load(tmp_path / "features.npy", mmap_mode="r"), torch.device("cpu"))


def test_the_whole_set_is_handed_out_only_where_it_is_resident(features, streamed):
    np.testing.assert_array_equal(Data(features, torch.device("cpu")).features.numpy(), features)
    assert not streamed.resident
    with pytest.raises(RuntimeError, match="do not fit"):
        _ = streamed.features


def test_only_a_memory_map_may_be_too_large_for_the_host(features, streamed, tmp_path):
    assert Data(features, torch.device("cpu")).resident
    view = np.asarray(np.load(tmp_path / "features.npy", mmap_mode="r"))[2:]
    assert not Data(view, torch.device("cpu")).resident


@pytest.mark.parametrize("size", [1, 4, 5, 23])
def test_streamed_batches_and_chunks_are_those_of_resident_data(size, features, streamed):
    resident = Data(features, torch.device("cpu"))
    order = streamed.order(torch.Generator().manual_seed(0))
    assert torch.equal(order, resident.order(torch.Generator().manual_seed(0)))
    table = order[: 23 // size * size].view(-1, size)
    for _ in range(2):
        for (rows, one), (same, two) in zip(resident.batches(table), streamed.batches(table), strict=True):
            assert torch.equal(rows, same)
            assert torch.equal(one, two)
        for (part, one), (also, two) in zip(resident.chunks(size), streamed.chunks(size), strict=True):
            assert part == also
            assert torch.equal(one, two)
    assert torch.equal(streamed.take(order[:6]), resident.take(order[:6]))


def test_features_are_scaled_on_the_way_to_the_same_bits_and_the_source_stays(features, streamed, tmp_path):
    shift, factor = np.array([1.0, -2.0, 0.1]), np.array([0.3, 5.0, 1 / 3])
    before = features.copy()
    wanted = torch.from_numpy((features - shift.astype(np.float32)) * factor.astype(np.float32))
    resident = Data(features, torch.device("cpu"), shift, factor)
    moving = Data(np.load(tmp_path / "features.npy", mmap_mode="r"), torch.device("cpu"), shift, factor)
    rows = torch.tensor([[3, 22, 7], [0, 1, 9]])
    for data in (resident, moving):
        assert torch.equal(data.take(rows[0]), wanted[rows[0]])
        assert torch.equal(torch.cat([part.clone() for _, part in data.chunks(5)]), wanted)
        assert torch.equal(torch.stack([batch.clone() for _, batch in data.batches(rows)]), wanted[rows])
    np.testing.assert_array_equal(features, before)
    assert not moving.resident


def test_a_fit_on_streamed_rows_ends_with_the_labels_of_one_on_resident_rows(tmp_path, monkeypatch):
    items = make_blobs(600, centers=3, n_features=8, random_state=0)[0].astype(np.float32)
    np.save(tmp_path / "items.npy", items)
    settings = DEC.info.test_settings | {"batch_size": 32}
    resident = DEC(**settings).fit(items)
    monkeypatch.setattr(module, "RESIDENT_SHARE", 0.0)
    monkeypatch.setattr(module, "CHUNK_BYTES", 5000)
    belts: list[Belt] = []
    monkeypatch.setattr(module, "Belt", lambda *made_of: belts.append(Belt(*made_of)) or belts[-1])
    streamed = DEC(**settings).fit(np.load(tmp_path / "items.npy", mmap_mode="r"))
    assert len(belts) == 2  # one for the first batches, a larger one for all that follows
    np.testing.assert_array_equal(resident.labels_, streamed.labels_)


def test_a_run_left_before_its_end_or_one_inside_another_disturbs_nothing(features, streamed):
    for number, (part, rows) in enumerate(streamed.chunks(4)):
        for other, inner in streamed.chunks(3):
            np.testing.assert_array_equal(inner.numpy(), features[other])
        np.testing.assert_array_equal(rows.numpy(), features[part])
        if number == 2:
            break
    whole = np.concatenate([rows.numpy().copy() for _, rows in streamed.chunks(7)])
    np.testing.assert_array_equal(whole, features)


def test_chunks_cover_all_rows_in_order(features):
    data = Data(features, torch.device("cpu"))
    parts = list(data.chunks(10))
    assert [len(rows) for _, rows in parts] == [10, 10, 3]
    np.testing.assert_array_equal(torch.cat([rows for _, rows in parts]).numpy(), features)


def test_a_read_only_memory_map_is_read_without_a_warning(features, tmp_path, recwarn):
    np.save(tmp_path / "features.npy", features)
    data = Data(np.load(tmp_path / "features.npy", mmap_mode="r"), torch.device("cpu"))
    np.testing.assert_array_equal(data.take(torch.tensor([4, 2])).numpy(), features[[4, 2]])
    assert not [warning for warning in recwarn if "writable" in str(warning.message)]
