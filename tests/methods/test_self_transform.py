"""SSL by self-transformation: views that stay near, probing without a trace, failures that are told."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.losses.balanced_labels import balanced_labels
from clustering.losses.swapped_prediction import swapped_prediction
from clustering.methods.self_transform import SelfTransform
from clustering.methods.transforming import NEAREST, Seen, Transforming
from clustering.training import data as data_module
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"n_prototypes": 12, "hidden_dims": (16,), "latent_dim": 8, "epochs": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(200, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


def transforming(items: np.ndarray, strength: float = 0.4, **settings) -> Transforming:
    """Everything made ready for the first step."""
    method = SelfTransform(3, **SMALL | settings)
    network = method.setup(items.shape[1], torch.Generator().manual_seed(0))
    network.remember(len(items), 1)
    ready = Transforming(network, Data(items, CPU), strength, 0.1, 0.05, 3, 0)
    ready.find_room()
    return ready


def batch_of(items: np.ndarray, seed: int = 0) -> Batch:
    rows = torch.arange(0, len(items), 3)
    return Batch(torch.from_numpy(items)[rows], rows, {}, torch.Generator().manual_seed(seed))


def distances(items: np.ndarray) -> np.ndarray:
    x = items.astype(np.float64)
    return np.linalg.norm(x[:, None] - x[None], axis=2)


def test_the_room_of_an_item_is_the_distance_of_its_tenth_neighbour(blobs):
    expected = np.sort(distances(blobs), axis=1)[:, NEAREST]  # the first is the item itself
    np.testing.assert_allclose(transforming(blobs).network.radii, expected, rtol=1e-5)


def test_an_item_with_ten_twins_has_the_room_of_an_ordinary_one_and_few_items_have_some(blobs):
    radii = transforming(np.concatenate([blobs, np.repeat(blobs[:1], 12, axis=0)])).network.radii
    assert radii.min() > 0
    assert transforming(blobs[:5]).network.radii.min() > 0
    assert (transforming(np.ones((20, 4), np.float32)).network.radii == 0).all()  # nobody has any


def test_where_the_rows_do_not_fit_a_sample_tells_the_room_of_all(blobs, monkeypatch):
    resident = transforming(blobs).network.radii
    monkeypatch.setattr(data_module, "_fits", lambda features, device: False)
    streamed = transforming(blobs).network.radii
    torch.testing.assert_close(streamed, resident.sort().values[(len(blobs) - 1) // 2].expand(200))


@pytest.mark.parametrize("adversarial", [True, False])
@pytest.mark.parametrize("strength", [0.1, 0.5])
def test_up_to_half_the_room_an_item_stays_among_the_ten_nearest_of_its_views(blobs, strength, adversarial):
    ready = transforming(blobs, strength)
    rows, radii = torch.from_numpy(blobs), ready.network.radii
    views = ready.views(rows, strength * radii, torch.Generator().manual_seed(3), adversarial)
    moved = (views - rows.repeat(2, 1)).norm(dim=1)
    assert (moved <= strength * radii.repeat(2) * 1.001).all()
    assert 0.4 < float((moved / (strength * radii.repeat(2))).mean()) < 0.6  # by a uniform share of it
    assert not torch.equal(*views.chunk(2))
    nearer = (torch.cdist(views, rows) < 0.999 * moved[:, None]).sum(dim=1)
    assert nearer.max() < NEAREST


def test_own_views_change_what_the_network_says_more_than_random_ones(blobs):
    ready = transforming(blobs, 1.0)
    rows = torch.from_numpy(blobs)
    changes = {}
    for adversarial in (True, False):
        generator = torch.Generator().manual_seed(5)
        views = ready.views(rows, ready.network.radii, generator, adversarial)[: len(rows)]
        logs = [torch.log_softmax(ready._logits(x), dim=1).detach() for x in (rows, views)]
        changes[adversarial] = float((logs[0].exp() * (logs[0] - logs[1])).sum(dim=1).mean())
    assert changes[True] > 2 * changes[False]


def test_probing_leaves_no_trace_and_learning_gathers_statistics(blobs):
    ready = transforming(blobs)
    before = {name: value.clone() for name, value in ready.network.state_dict().items()}
    rows = torch.from_numpy(blobs)
    ready.views(rows, ready.network.radii, torch.Generator().manual_seed(0), adversarial=True)
    for name, value in ready.network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(weight.grad is None for weight in ready.network.parameters())
    torch.testing.assert_close(ready.network.probe(rows), ready.network.learn(rows))
    assert not torch.equal(ready.network.trunk[1].running_mean, before["trunk.1.running_mean"])


def test_the_loss_is_swapped_prediction_among_item_and_views_with_labels_of_the_first_two(blobs):
    ready, batch = transforming(blobs), batch_of(blobs)
    ready.network.prototypes.data.mul_(7)
    (loss,) = ready.loss(batch).values()
    torch.testing.assert_close(ready.network.prototypes.detach().norm(dim=1), torch.ones(12))
    lengths = 0.4 * ready.network.radii[batch.rows]
    moved = ready.views(batch.features, lengths, torch.Generator().manual_seed(0), True)
    scores = ready.network.scores(ready.network.learn(torch.cat([batch.features, moved]))).chunk(3)
    labels = [balanced_labels(score, 0.05, 3) for score in scores[:2]]
    torch.testing.assert_close(loss, swapped_prediction(labels, scores, 0.1), rtol=1e-4, atol=1e-5)
    loss.backward()
    assert all(weight.grad is not None for weight in ready.network.parameters())


def test_prototypes_stand_still_in_the_first_epoch_alone_and_the_rate_rises(blobs):
    method = SelfTransform(3, **SMALL, learning_rate=0.6)
    network = method.setup(6, torch.Generator().manual_seed(0))
    phases = method.phases(network, Data(blobs, CPU))[:3]
    moved = [any(part is network.prototypes for part in phase.parameters) for phase in phases]
    assert moved == [False, True, True]
    rates = [phases[0].optimiser.schedule(0.0), *(phases[1].optimiser.schedule(e / 5) for e in range(5))]
    np.testing.assert_allclose(rates, np.arange(1, 7) / 6)
    assert phases[2].optimiser.schedule(0.3) == 1


def test_there_are_as_many_prototypes_as_asked_or_as_a_batch_has_items(blobs):
    for asked, batch_size, expected in ((7, 50, 7), (None, 50, 50), (None, 5000, 1000)):
        method = SelfTransform(3, **SMALL | {"n_prototypes": asked}, batch_size=batch_size)
        network = method.setup(6, torch.Generator().manual_seed(0))
        method.phases(network, Data(blobs, CPU))
        assert network.prototypes.shape == (expected, 8)
    model = SelfTransform(3, **SMALL | {"n_prototypes": None}).fit(blobs)
    assert model.weights_["prototypes"].shape == (32, 8)
    assert model.weights_["radii"].shape == (0,)  # nothing of every item is kept
    np.testing.assert_allclose(np.linalg.norm(model.embedding_, axis=1), 1, atol=1e-6)


def test_an_epoch_tells_of_views_and_prototypes(blobs):
    epochs = []
    SelfTransform(3, **SMALL).fit(
        blobs, emit=lambda event: epochs.append(event) if isinstance(event, Epoch) else None
    )
    names = {"agreement (NMI)", "views near their item", "prototypes in use", "change a view makes"}
    assert [set(event.figures) for event in epochs[:-1]] == [names] * 8
    assert epochs[-1].phase == "cluster"
    assert all(event.figures["views near their item"] == 1 for event in epochs[:-1])


def test_a_transformation_that_destroys_is_told(blobs):
    ready = transforming(blobs, strength=10)
    assert ready.look()["views near their item"] < 0.9
    assert any("destroys what it should keep" in alarm for alarm in ready.warnings())


def test_a_transformation_that_copies_is_told(blobs):
    ready = transforming(blobs, strength=1e-4)
    ready.look()
    assert any("copies in the eyes of the network" in alarm for alarm in ready.warnings())


def test_a_network_that_tells_nothing_apart_is_told(blobs):
    ready = transforming(blobs)
    with torch.no_grad():
        ready.network.last.weight.zero_()
    ready.look()
    assert any("spread evenly over all prototypes" in alarm for alarm in ready.warnings())


def test_items_that_all_choose_one_prototype_are_told(blobs):
    ready = transforming(blobs, n_prototypes=100, latent_dim=64)
    with torch.no_grad():
        ready.network.last.weight.zero_()[:, :] = ready.network.prototypes[0][:, None]
        ready.network.hidden[1].bias.fill_(5)  # every unit stirs, so that all features are that prototype
    ready.look()
    assert ready.seen.in_use < 0.05
    assert any("look all alike" in alarm for alarm in ready.warnings())
    assert any("100% of all items" in alarm for alarm in relabelled(ready, blobs))


def relabelled(ready: Transforming, items: np.ndarray) -> tuple[str, ...]:
    method = SelfTransform(3, **SMALL)
    latents = ready.network.encode(torch.from_numpy(items)).detach()
    ready.network.pseudo[0] = method.relabel(ready.network, latents, None)[0].labels
    return method.warnings(ready.network)


def test_labels_that_have_not_settled_are_told_and_more_rounds_mend_it(blobs):
    ready = transforming(blobs)
    ready.epsilon, ready.rounds = 0.002, 1
    ready.look()
    before = ready.seen.uneven
    assert any("have not settled" in alarm for alarm in ready.warnings())
    ready.rounds = 2000
    ready.look()
    assert ready.seen.uneven < 0.2 * before
    assert not any("have not settled" in alarm for alarm in ready.warnings())


def test_three_rounds_settle_the_labels_of_a_network_that_has_not_learned_yet():
    ready = transforming((load_digits().data[:256] / 6).astype(np.float32), n_prototypes=100, latent_dim=64)
    with torch.no_grad():
        scores = ready.network.scores(ready.network.learn(ready.data.features))
    shares = ready.labels(scores).mean(dim=0) * 100
    assert float((shares - 1).abs().max()) < 0.1


def test_a_fit_that_goes_well_is_told_nothing(blobs):
    ready = transforming(blobs)
    assert ready.warnings() == ()
    ready.seen = Seen(found=1.0, moved=0.2, undecided=0.5, in_use=0.9, uneven=0.1)
    assert ready.warnings() == ()


def test_convolutions_need_pictures_and_learn_from_them(blobs):
    with pytest.raises(StudioError, match="6 features are no pixels") as refusal:
        SelfTransform(3, **SMALL, trunk="convolution").fit(blobs)
    assert "dense" in refusal.value.mend
    pictures = (load_digits().data[:40] / 16).astype(np.float32)
    model = SelfTransform(3, **SMALL | {"epochs": 1}, trunk="convolution").fit(pictures)
    assert model.embedding_.shape == (40, 8)
    assert "trunk.1.weight" in model.weights_


def test_its_own_views_teach_it_the_digits_and_random_ones_do_not():
    X, y = load_digits(return_X_y=True)
    items, labels = (X[:600] / 16).astype(np.float32), y[:600]
    settings = SMALL | {"n_prototypes": 60, "hidden_dims": (64,), "latent_dim": 32, "epochs": 12}
    found = {}
    for directions in ("adversarial", "random"):
        model = SelfTransform(10, **settings, directions=directions, learning_rate=1e-3).fit(items)
        found[directions] = normalized_mutual_info_score(labels, model.labels_)
    assert found["adversarial"] > found["random"] + 0.05
