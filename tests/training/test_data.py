"""Batches: every row at most once a pass, all of one shape, resident or streamed alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.training.data import Data, batch_shape


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
