"""Weights in and out of a network, latents of many rows, and the threads of a resumed fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from clustering.networks.autoencoder import Autoencoder
from clustering.training import inference as module
from clustering.training.data import Data
from clustering.training.inference import encode_all, in_parts, threads, weights_of, with_weights


def network(seed: int) -> Autoencoder:
    return Autoencoder(4, (6,), 2, 3, "fan_in", torch.Generator().manual_seed(seed))


def test_weights_taken_out_are_copies_and_make_another_network_the_same():
    one, two = network(0), network(1)
    weights = weights_of(one)
    with_weights(two, weights)
    inputs = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(inputs), two(inputs))
    with torch.no_grad():
        one.centers += 1
    assert not weights["centers"].any()


def test_buffers_and_top_parameters_take_the_shape_that_is_given():
    holder = network(0)
    holder.encoder.register_buffer("kept", torch.zeros(0, 2))
    holder.register_buffer("items", torch.zeros(0, 2))
    weights = weights_of(holder) | {
        "items": np.ones((7, 2), np.float32),
        "centers": np.ones((5, 2), np.float32),
        "encoder.kept": np.ones((3, 2), np.float32),
    }
    with_weights(holder, weights)
    assert holder.encoder.kept.shape == (3, 2)
    assert holder.items.shape == (7, 2)
    assert isinstance(holder.centers, nn.Parameter)
    assert holder.centers.shape == (5, 2)


def test_a_buffer_that_older_weights_lack_stays_as_it_was_made():
    weights = weights_of(network(0))
    newer = network(1)
    newer.register_buffer("order", torch.arange(3))
    with_weights(newer, weights)
    assert newer.order.tolist() == [0, 1, 2]
    torch.testing.assert_close(newer.centers.detach(), torch.from_numpy(weights["centers"]))


def test_latents_of_all_rows_do_not_depend_on_the_chunks(monkeypatch):
    features = np.random.default_rng(0).normal(size=(23, 4)).astype(np.float32)
    data, encoder = Data(features, torch.device("cpu")), network(0)
    whole = encode_all(encoder, data)
    assert whole.shape == (23, 2)
    assert not whole.requires_grad
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 5)
    torch.testing.assert_close(encode_all(encoder, data), whole)


def test_work_in_parts_gives_what_it_gives_at_once_and_sees_no_more_rows_than_said(monkeypatch):
    rows = torch.randn(23, 4, generator=torch.Generator().manual_seed(0))
    seen: list[int] = []

    def work(part: torch.Tensor) -> torch.Tensor:
        seen.append(len(part))
        return part.softmax(dim=1)

    whole = in_parts(work, rows)
    monkeypatch.setattr(module, "ROWS_IN_PART", 10)
    assert torch.equal(in_parts(work, rows), whole)
    assert seen == [23, 10, 10, 3]


def test_the_number_of_threads_is_changed_inside_the_block_only():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    with threads(None):
        assert torch.get_num_threads() == before
    assert torch.get_num_threads() == before
