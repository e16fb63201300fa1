"""Used-up memory is a sentence that names the batch and offers half of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clustering.errors import MemoryFullError
from clustering.methods.dec import DEC
from clustering.methods.deep import DeepClusterer
from clustering.training.memory import memory_told


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."), "graphics processor"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), "graphics processor"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "machine"),
        (MemoryError(), "machine"),
    ],
)
def test_half_the_batch_is_offered(error, whose):
    with pytest.raises(MemoryFullError, match=rf"{whose} is used up: batches of 512 items.*of 256") as told:
        with memory_told(512, 70_000):
            raise error
    assert told.value.batch_size == 256


def test_a_batch_is_never_larger_than_the_collection_and_the_smallest_offers_nothing():
    with pytest.raises(MemoryFullError) as told, memory_told(1024, 300):
        raise MemoryError
    assert told.value.batch_size == 150
    with pytest.raises(MemoryFullError, match="even with batches of 10 items") as told, memory_told(256, 10):
        raise MemoryError
    assert told.value.batch_size is None


def test_other_errors_are_left_alone():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), memory_told(256, 1000):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_device_without_room_offers_half_the_batch_and_can_be_used_afterwards():
    items = np.random.default_rng(0).normal(size=(4096, 512)).astype(np.float32)
    settings = {
        "n_clusters": 4,
        "hidden_dims": (4096, 4096),
        "pretrain_epochs": 1,
        "epochs": 1,
    }
    torch.cuda.set_per_process_memory_fraction(0.001)  # some eighty megabytes
    try:
        with pytest.raises(MemoryFullError, match="graphics processor") as told:
            DEC(batch_size=4096, device="cuda", **settings).fit(items)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert told.value.batch_size == 2048
    del told
    assert len(DEC(batch_size=2048, device="cuda", **settings).fit(items).labels_) == 4096


def test_a_fit_for_which_the_device_is_too_small_says_so_and_tells_its_listener(monkeypatch):
    def too_large(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(DeepClusterer, "_train", too_large)
    events = []
    with pytest.raises(MemoryFullError) as told:
        DEC(n_clusters=3, batch_size=64).fit(
            np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32), emit=events.append
        )
    assert told.value.batch_size == 32
    assert [event.kind for event in events] == ["failed"]
