"""CC and PICA: the loss as published, whose turn it is, which views are seen, and what a person is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.losses.contrast import group_contrast, pair_contrast
from clustering.losses.partition_confidence import least_confidence_loss, partition_confidence
from clustering.losses.uneven_sizes import uneven_sizes
from clustering.methods.cc import CC
from clustering.methods.learning_from_views import Seen, Watch, confused
from clustering.methods.pica import PICA
from clustering.methods.viewing import Viewing
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 8, "epochs": 3, "device": "cpu"}
both = pytest.mark.parametrize("method", [CC, PICA])


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(200, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X[:300] / 16).astype(np.float32), y[:300]


def prepared(method, items: np.ndarray):
    """A network about to take its first step, with the views of the method and its phase."""
    network = method.setup(items.shape[1], torch.Generator().manual_seed(0))
    data = Data(items, CPU)
    (learn,) = method.phases(network, data)
    learn.begin()
    return network, Viewing(data, method.views, method.strength), learn


def batch_of(items: np.ndarray, rows: list[int], seed: int = 0) -> Batch:
    numbers = torch.tensor(rows)
    return Batch(torch.from_numpy(items)[numbers], numbers, {}, torch.Generator().manual_seed(seed))


def test_cc_contrasts_two_views_by_their_features_and_by_their_groups(blobs):
    method = CC(4, **SMALL, temperature=0.3, group_temperature=0.7)
    network, viewing, learn = prepared(method, blobs)
    rows = list(range(0, 60, 2))
    first, second = viewing.pair(batch_of(blobs, rows, seed=7), network.neighbours)
    latents = [network.learn(view) for view in (first, second)]  # each by its own statistics
    groups = [torch.softmax(network.groups(z), dim=1) for z in latents]
    terms = learn.loss(batch_of(blobs, rows, seed=7))
    torch.testing.assert_close(terms["items"], pair_contrast(*map(network.items, latents), 0.3))
    torch.testing.assert_close(terms["groups"], group_contrast(*groups, 0.7))


def test_picas_heads_take_turns_pass_by_pass_the_fine_one_first(blobs):
    method = PICA(4, **SMALL, batch_size=50, repeats=2)
    network, viewing, learn = prepared(method, blobs)
    assert learn.steps == 8  # a pass of four steps for either head
    fine, main = network.heads
    assert (fine.out_features, main.out_features) == (12, 4)
    rows = list(range(50))
    for step in range(8):
        before = {name: value.clone() for name, value in network.state_dict().items()}
        network.zero_grad()
        terms = learn.loss(batch_of(blobs, rows, seed=step))
        sum(terms.values()).backward()
        turn, idle, name = (fine, main, "fine ") if step < 4 else (main, fine, "")
        assert float(turn.weight.grad.abs().max()) > 0
        assert float(idle.weight.grad.abs().max()) == 0  # Adam's momentum may still move it, as published
        batch = batch_of(blobs, rows, seed=step)
        network.load_state_dict(before)
        items = torch.softmax(turn(network.learn(batch.features)), dim=1)
        views = torch.softmax(turn(network.learn(viewing.other(batch, network.neighbours, 2))), dim=1)
        confusion = partition_confidence(items.repeat(2, 1), views) - least_confidence_loss(items.shape[1])
        torch.testing.assert_close(terms[f"{name}confusion"], 2 * confusion)
        torch.testing.assert_close(terms[f"{name}uneven sizes"], 2 * 2 * uneven_sizes(items))
        network.steps += 1


def test_the_other_look_at_an_item_is_one_of_its_nearest_neighbours(blobs):
    still = Viewing(Data(blobs, CPU), "neighbours", 1.0)
    neighbours = still.neighbours(0)
    assert neighbours.shape == (200, 10)
    apart = torch.cdist(torch.from_numpy(blobs), torch.from_numpy(blobs)).fill_diagonal_(torch.inf)
    nearest = apart.topk(10, largest=False).indices
    assert torch.equal(neighbours.sort(dim=1).values, nearest.sort(dim=1).values)
    assert Viewing(Data(blobs, CPU), "neighbours", 0.3).neighbours(0).shape == (200, 3)
    quiet = Viewing(Data(blobs, CPU), "neighbours", 0.0)
    batch = batch_of(blobs, [3, 5])
    torch.testing.assert_close(quiet.other(batch, quiet.neighbours(0), 2), batch.features.repeat(2, 1))


@both
def test_what_is_kept_of_every_item_is_gone_from_a_fitted_model(method, blobs):
    model = method(4, **SMALL).fit(blobs)
    assert all(len(blobs) not in weights.shape for weights in model.weights_.values())


@both
def test_centres_are_the_mean_features_of_the_groups(method, blobs):
    model = method(4, **SMALL).fit(blobs)
    q = model.soft_assignments_
    means = q.T @ model.embedding_ / q.sum(axis=0)[:, None]
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=1e-3, atol=1e-4)


@both
@pytest.mark.parametrize("views", ["digits", "artworks", "photographs"])
def test_views_of_pictures_need_pictures_and_say_so(method, views, blobs):
    with pytest.raises(StudioError, match="6 features are no pixels") as refusal:
        method(4, **SMALL, views=views).fit(blobs)
    assert "neighbours" in refusal.value.mend


@both
def test_one_item_is_too_few_to_learn_from(method):
    with pytest.raises(StudioError, match="only 1 item"):
        method(1, **SMALL).fit(np.ones((1, 3)))


def test_every_way_to_collapse_has_its_sentence_and_a_mend():
    well = Seen(agreed=0.95, sure=0.9, alike=0.3, overlap=0.2, pair=(0, 1))
    assert confused(well, 4) == []
    for change, words, mend in (
        ({"alike": 0.999}, "look alike", "learning rate"),
        ({"agreed": 0.3}, "Only 30% of the views", "strength"),
        ({"sure": 0.3}, "sure of hardly any item", "fewer groups"),
        ({"overlap": 0.95, "pair": (3, 1)}, "Groups 2 and 4 share", "fewer groups"),
    ):
        (told,) = confused(well._replace(**change), 4)
        assert words in told
        assert mend in told
        assert confused(well._replace(**change), 1) == []


def test_a_network_that_has_collapsed_is_seen_and_told_and_a_fresh_one_is_left_alone(blobs):
    method = CC(4, **SMALL | {"epochs": 10})
    network, viewing, _ = prepared(method, blobs)
    watch = Watch(method, network, Data(blobs, CPU), viewing)
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.fill_(1)
    watch.look()
    watch.look()
    assert watch.warnings() == ()  # it has not had the time to learn
    for _ in range(2):
        seen = watch.look()
    assert "look alike" in watch.warnings()[0]
    assert seen.figures["views in the same group"] == 1


def test_a_batch_too_small_for_so_many_groups_is_told_once(blobs):
    epochs = []
    CC(20, **SMALL, batch_size=100).fit(
        blobs, emit=lambda event: epochs.append(event) if isinstance(event, Epoch) else None
    )
    told = ["100 items for 20 groups" in " ".join(event.alarms) for event in epochs]
    assert told == [True, False, False]


def test_pictures_of_digits_are_grouped_better_by_cc_than_before_it_learned(digits):
    X, y = digits
    settings = {"latent_dim": 32, "batch_size": 50, "learning_rate": 2e-3, "device": "cpu"}
    before, after = (CC(10, views="digits", epochs=epochs, **settings).fit(X).labels_ for epochs in (1, 6))
    assert normalized_mutual_info_score(y, after) > normalized_mutual_info_score(y, before) + 0.2
