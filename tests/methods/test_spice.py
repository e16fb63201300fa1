"""SPICE-Self and SPICE: which items are labelled, which head speaks, what is reliable, what is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score
from torch.nn.functional import normalize

from clustering.losses.partition_confidence import least_confidence_loss
from clustering.losses.prototype_labels import double_softmax_cross_entropy, prototype_labels
from clustering.methods.prototyping import Prototyping, directions
from clustering.methods.scan import SCAN
from clustering.methods.spice import SPICE
from clustering.methods.spice_self import SPICESelf
from clustering.methods.viewing import Viewing
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.kept_weights import weights_kept_in
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"epochs": 6, "device": "cpu"}
LEARNED = {"pretext": "contrast", "pretrain_epochs": 2, "hidden_dims": (16,), "latent_dim": 8}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(200, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X[:500] / 16).astype(np.float32), y[:500]


def prepared(method, items: np.ndarray):
    """A network whose features stand still, and the rounds that would follow."""
    network, data = method.setup(items.shape[1], torch.Generator().manual_seed(0)), Data(items, CPU)
    phases = method.phases(network, data)
    method.start(network, data)
    return network, Prototyping(method, network, data, Viewing(data, method.views, 1.0)), phases


def epochs_of(method, items: np.ndarray) -> tuple[list[Epoch], object]:
    events = []
    model = method.fit(items, emit=events.append)
    return [event for event in events if isinstance(event, Epoch)], model


def alarms_of(epochs: list[Epoch], phase: str) -> str:
    return " ".join(alarm for epoch in epochs if epoch.phase == phase for alarm in epoch.alarms)


# SPICE-Self ----------------------------------------------------------------------------------------------


def test_heads_learn_their_own_labels_of_strong_views_above_the_least_there_is(blobs):
    network, rounds, _ = prepared(SPICESelf(4, **SMALL), blobs)
    rounds.label()
    odds = torch.softmax(network.heads(network.codes), dim=2).transpose(0, 1)
    about_the_mean = normalize(torch.from_numpy(blobs - blobs.mean(axis=0)), dim=1)
    torch.testing.assert_close(directions(network, network.codes), about_the_mean, rtol=1e-4, atol=1e-4)
    assert torch.equal(network.labelled, prototype_labels(odds, directions(network, network.codes), 0.5))
    assert network.labelled.shape == (5, 4, 50)
    assert not torch.equal(network.seen, network.codes)  # a strong view
    places = rounds.draw(rounds.steps, torch.Generator().manual_seed(0))
    assert rounds.steps == 4 and places.shape == (4, 128)
    terms = rounds.loss(Batch(torch.zeros(0), places[0], {}, torch.Generator()))
    losses = []
    for head in range(5):
        rows = [int(network.labelled[head, place // 50, place % 50]) for place in places[0].tolist()]
        own = torch.softmax(network.heads(network.seen[rows])[head], dim=1)
        losses.append(double_softmax_cross_entropy(own[None], (places[:1] // 50)))
    expected = torch.stack(losses).mean() - least_confidence_loss(4)
    torch.testing.assert_close(terms["prototypes"], expected)


def test_every_labelled_item_is_met_once_before_any_is_met_again(blobs):
    _, rounds, _ = prepared(SPICESelf(3, **SMALL), blobs)
    assert rounds.steps == 4  # 198 pairs, one step a pass
    places = rounds.draw(3, torch.Generator().manual_seed(0)).flatten()
    assert sorted(places[:198].tolist()) == list(range(198))


def test_the_head_of_the_lowest_loss_of_all_rounds_speaks_and_no_label_is_asked(blobs):
    network, rounds, _ = prepared(SPICESelf(4, **SMALL), blobs)
    truth = torch.cdist(network.codes, network.codes[[0, 1, 2, 3]]).argmin(dim=1)
    with torch.no_grad():
        network.heads.second.zero_()
        network.heads.second_bias.zero_()
        network.heads.first.normal_(generator=torch.Generator().manual_seed(1))
        hidden = torch.baddbmm(
            network.heads.first_bias, network.codes.expand(5, -1, -1), network.heads.first
        ).relu()[2]
        goal = 8 * torch.nn.functional.one_hot(truth, 4).float()
        network.heads.second[2] = torch.linalg.lstsq(hidden, goal).solution  # one head is sure
    rounds.choose()
    torch.testing.assert_close(
        network.logits(network.codes), network.heads(network.codes)[2], rtol=1e-3, atol=1e-3
    )
    lowest, spoken = float(network.lowest), network.logits(network.codes)
    with torch.no_grad():
        network.heads.second.zero_()
    rounds.choose()  # a worse round changes nothing
    assert float(network.lowest) == lowest
    assert torch.equal(network.logits(network.codes), spoken)


def test_the_features_stand_still_while_heads_learn(digits):
    X, _ = digits
    settings = {"pretext": "contrast", "views": "digits", "pretrain_epochs": 1, "latent_dim": 8}
    method = SPICESelf(10, **SMALL, **settings)
    network, rounds, phases = prepared(method, X)
    assert {id(weight) for weight in phases[1].parameters} == {id(w) for w in network.heads.parameters()}
    before = {name: value.clone() for name, value in network.trunk.state_dict().items()}
    rounds.label()
    rounds.choose()
    rounds.loss(Batch(torch.zeros(0), torch.arange(20), {}, torch.Generator()))
    for name, value in network.trunk.state_dict().items():
        assert torch.equal(value, before[name]), name  # statistics of strong views are not gathered


def test_prototypes_are_sought_among_as_many_as_asked_but_no_fewer_than_a_hundred_a_group(blobs):
    many = np.tile(blobs, (4, 1))
    for asked, taken in ((1, 400), (600, 600), (None, 800)):
        network, rounds, _ = prepared(SPICESelf(4, **SMALL, selection_size=asked), many)
        rounds.label()
        assert len(network.seen) == taken


def test_prototypes_that_have_not_parted_are_told(blobs):
    network, rounds, _ = prepared(SPICESelf(4, **SMALL), blobs)
    network.looks.fill_(5)
    assert rounds.warnings() == ()
    network.twice.fill_(0.4)
    (told,) = rounds.warnings()
    assert "40% of the items are labelled with two groups" in told
    assert "fewer groups" in told


def test_features_are_learned_once_for_scan_and_both(blobs, tmp_path):
    with weights_kept_in(tmp_path):
        SCAN(4, **LEARNED, **SMALL, self_label_epochs=0).fit(blobs)
        for method in (SPICESelf(4, **LEARNED, **SMALL), SPICE(4, **LEARNED, **SMALL, semi_steps=2)):
            epochs, _ = epochs_of(method, blobs)
            assert not [epoch for epoch in epochs if epoch.phase == "features"]
    assert len(list(tmp_path.iterdir())) == 1


def test_digits_by_their_pixels_are_grouped(digits):
    X, y = digits
    model = SPICESelf(10, epochs=15, device="cpu").fit(X)
    assert normalized_mutual_info_score(y, model.labels_) > 0.6


# SPICE ---------------------------------------------------------------------------------------------------


def test_without_its_last_stage_spice_is_spice_self(blobs):
    one = SPICESelf(4, **SMALL).fit(blobs)
    other = SPICE(4, **SMALL, semi_steps=0).fit(blobs)
    np.testing.assert_array_equal(one.soft_assignments_, other.soft_assignments_)


@pytest.mark.parametrize(("n_items", "asked"), [(200, 24), (10_000, 99), (9, 1)])
def test_as_many_neighbours_are_asked_as_half_a_group_has_items_and_no_more_than_published(n_items, asked):
    assert SPICE(4).near(n_items) == asked
    assert SPICE(4, n_asked=7).near(n_items) == 7


def test_reliable_items_teach_and_a_group_without_any_gives_its_best_and_is_told(blobs):
    method = SPICE(4, **SMALL)
    network, _, _ = prepared(method, blobs)
    truth = torch.cdist(network.codes, network.codes[[0, 1, 2, 3]]).argmin(dim=1)
    scores = 20 * torch.nn.functional.one_hot(truth, 4).float()
    scores[truth == 2] /= 10  # unsure of one group
    network.logits = lambda codes: scores
    method.find_teachers(network)
    assert bool(network.teaches)
    assert int(network.reliable[2]) == 0
    assert network.relaxed.tolist()[2]
    taught = network.given[network.given >= 0]
    assert int((taught == 2).sum()) == 10
    assert torch.equal(taught, truth[network.given >= 0])
    network.rounds.fill_(2)
    told = " ".join(method.scarce(network))
    assert "Fewer than 10 items of group" in told
    assert ", ".join(map(str, network.reliable.tolist())) in told
    network.rounds.fill_(3)
    assert method.scarce(network) == ()


def test_where_one_group_takes_all_the_last_stage_is_left_out_and_says_so(blobs):
    method = SPICE(4, **SMALL)
    network, _, phases = prepared(method, blobs)
    network.logits = lambda codes: torch.tensor([9.0, 0, 0, 0]).expand(len(codes), -1)
    method.find_teachers(network)
    assert not bool(network.teaches)
    assert "All epochs were run but the last stage: fewer than two groups" in phases[-1].ends()


def test_a_fresh_network_takes_over_after_its_first_epoch_and_tells_what_it_moved(digits):
    X, y = digits
    settings = {"views": "digits", "epochs": 6, "semi_steps": 80, "semi_batch_size": 16, "ratio": 2}
    epochs, model = epochs_of(SPICE(10, **settings, device="cpu"), X)
    last = epochs[-1]
    assert last.phase == "spread"
    assert 0 < last.figures["items that teach"] < 1
    assert 0 < last.figures["moved by the last stage"] < 0.6
    assert model.embedding_.shape == X.shape  # as wide as before
    assert normalized_mutual_info_score(y, model.labels_) > 0.6


def test_what_is_kept_of_every_item_is_gone_from_a_fitted_model(blobs):
    model = SPICE(4, **SMALL, semi_steps=3).fit(blobs)
    assert all(len(blobs) not in weights.shape for weights in model.weights_.values())
