"""MoCo as a pretext: the contrast with a queue, an encoder that follows, and keys that nothing gives away."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from torch.nn.functional import normalize

from clustering.losses.contrast import queue_contrast
from clustering.methods.pretext import TEMPERATURE
from clustering.methods.scan import SCAN
from clustering.methods.viewing import Viewing
from clustering.networks.momentum import MomentumEncoder
from clustering.networks.views import PretextNetwork
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.kept_weights import weights_kept_in
from clustering.training.step import Batch

SMALL = {
    "pretext": "momentum",
    "hidden_dims": (16,),
    "latent_dim": 8,
    "pretrain_epochs": 2,
    "epochs": 1,
    "tuning_epochs": 0,
    "self_label_epochs": 0,
    "batch_size": 40,
    "device": "cpu",
}


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(240, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


@pytest.fixture
def network() -> PretextNetwork:
    return PretextNetwork(6, None, (16,), 8, 4, True, 5, chance())


def test_the_contrast_with_a_queue_is_that_of_a_plain_loop():
    queries = torch.randn(4, 3, dtype=torch.float64, generator=chance())
    keys, queue = (normalize(torch.randn(n, 3, dtype=torch.float64, generator=chance(n))) for n in (4, 7))
    total = 0.0
    for query, key in zip(queries, keys, strict=True):
        query = query / query.norm()
        right = math.exp(float(query @ key) / 0.2)
        total -= math.log(right / (right + sum(math.exp(float(query @ other) / 0.2) for other in queue)))
    assert float(queue_contrast(queries, keys, queue, 0.2)) == pytest.approx(total / 4, rel=1e-9)


def test_the_second_encoder_begins_as_the_first_and_follows_it_slowly(network):
    slow = MomentumEncoder(network, 8, 4, 0.9, chance())
    before = [weight.clone() for weight in slow.layers.parameters()]
    theirs = [weight for part in network.pretext_parts() for weight in part.parameters()]
    for own, other in zip(before, theirs, strict=True):
        assert torch.equal(own, other)
    with torch.no_grad():
        for weight in theirs:
            weight += 1
    slow.follow(network)
    for own, first, other in zip(slow.layers.parameters(), before, theirs, strict=True):
        torch.testing.assert_close(own, 0.9 * first + 0.1 * other)
    assert not any(weight.requires_grad for weight in slow.parameters())


def test_the_queue_begins_with_random_directions_and_the_oldest_make_room(network):
    slow = MomentumEncoder(network, 6, 2, 0.9, chance())
    torch.testing.assert_close(slow.queue.norm(dim=1), torch.ones(6))
    for number in range(4):
        slow.enqueue(torch.full((2, 5), float(number)))
    assert slow.queue[:, 0].tolist() == [3, 3, 1, 1, 2, 2]


def test_keys_are_made_in_random_parts_of_the_batch_each_by_its_own_statistics(network):
    slow = MomentumEncoder(network, 64, 64, 0.9, chance())
    views = torch.randn(64, 6, generator=chance())
    keys = slow.keys(views, chance(1))
    order = torch.rand(64, generator=chance(1)).argsort()
    network.train()
    for rows in order.split(16):
        expected = normalize(network.compared(network.last(network.trunk(views[rows]))), dim=1)
        torch.testing.assert_close(keys[rows], expected)
    assert not keys.requires_grad


def test_a_step_compares_one_view_with_keys_of_another_and_with_the_queue_before_it(blobs):
    method = SCAN(4, **SMALL)
    network = method.setup(6, chance())
    data = Data(blobs, torch.device("cpu"))
    features, _ = method.phases(network, data)
    features.begin()
    assert network.momentum.queue.shape == (40, 64)  # a quarter of the items, in whole batches
    queue, rows = network.momentum.queue.clone(), torch.arange(0, 80, 2)

    def batch() -> Batch:
        return Batch(torch.from_numpy(blobs)[rows], rows, {}, chance(3))

    same = batch()
    first, second = Viewing(data, "neighbours", 1.0).pair(same, network.neighbours)
    keys = network.momentum.keys(second, same.generator)
    items = network.compared(network.learn(first))
    terms = features.loss(batch())
    torch.testing.assert_close(terms["items"], queue_contrast(items, keys, queue, TEMPERATURE))
    torch.testing.assert_close(network.momentum.queue, keys)
    terms["items"].backward()


def test_features_learned_with_a_queue_are_kept_apart_from_others_and_leave_no_second_encoder(
    blobs, tmp_path
):
    def phases(**settings) -> tuple[list[str], SCAN]:
        heard = []
        model = SCAN(4, **SMALL | settings).fit(blobs, emit=heard.append)
        return [event.phase for event in heard if isinstance(event, Epoch)], model

    with weights_kept_in(tmp_path):
        first, model = phases()
        again, same = phases()
        other, _ = phases(pretext="contrast")
    assert first == other == ["features", "features", "cluster"]
    assert again == ["cluster"]
    np.testing.assert_array_equal(model.soft_assignments_, same.soft_assignments_)
    assert not any("momentum" in name for name in model.weights_)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_recorded_steps_with_a_queue_end_twice_alike(blobs):
    one, other = (SCAN(4, **SMALL | {"device": "cuda", "pretrain_epochs": 10}).fit(blobs) for _ in range(2))
    np.testing.assert_array_equal(one.embedding_, other.embedding_)
