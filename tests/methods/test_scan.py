"""SCAN and the features it begins with: learned once and kept, judged without labels; its two stages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.losses.contrast import pair_contrast
from clustering.losses.neighbour_agreement import neighbour_agreement, self_label_loss
from clustering.losses.uneven_sizes import uneven_sizes
from clustering.methods.learning_from_views import LOOKED_AT
from clustering.methods.pretext import TEMPERATURE, mutual_share
from clustering.methods.scan import SCAN
from clustering.methods.viewing import Viewing
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.kept_weights import weights_kept_in
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 8, "epochs": 4, "self_label_epochs": 0, "device": "cpu"}
LEARNED = SMALL | {"pretext": "contrast", "pretrain_epochs": 2}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(200, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


def phases_of(method, items: np.ndarray):
    network = method.setup(items.shape[1], torch.Generator().manual_seed(0))
    return network, method.phases(network, Data(items, CPU))


def batch_of(items: np.ndarray, rows: list[int], seed: int = 0) -> Batch:
    numbers = torch.tensor(rows)
    return Batch(torch.from_numpy(items)[numbers], numbers, {}, torch.Generator().manual_seed(seed))


def epochs_of(method, items: np.ndarray) -> tuple[list[Epoch], object]:
    events = []
    model = method.fit(items, emit=events.append)
    return [event for event in events if isinstance(event, Epoch)], model


# Losses --------------------------------------------------------------------------------------------------


def test_the_agreement_of_neighbours_is_that_of_the_specification():
    own = torch.tensor([[2.0, 0], [0, 1], [1, 1]], dtype=torch.float64)
    near = torch.tensor([[1.0, 0], [0, 2], [3, 0]], dtype=torch.float64)
    agreement = neighbour_agreement(own[:, None], near[:, None])
    assert float(agreement[0]) == pytest.approx(0.492117291512, abs=1e-11)
    entropy = np.log(2) - float(uneven_sizes(torch.softmax(own, dim=1)))
    assert entropy == pytest.approx(0.688156290203, abs=1e-11)
    assert float(agreement[0]) - 5 * entropy == pytest.approx(-2.948664159505, abs=1e-10)


def test_self_labels_are_those_of_the_specification_and_none_where_nothing_is_sure():
    own = torch.tensor([[5, 0, 0], [0, 6, 0], [5.5, 0, 0], [1, 0.5, 0]], dtype=torch.float64)
    seen = torch.tensor([[2, 0, 0], [0, 1, 0], [1, 1, 0], [3, 0, 0]], dtype=torch.float64, requires_grad=True)
    loss = self_label_loss(own, seen, 0.98)
    assert float(loss.detach()) == pytest.approx(0.551107249536, abs=1e-11)
    nothing = self_label_loss(own, seen, 0.9999)
    nothing.backward()
    assert float(nothing.detach()) == 0
    assert float(seen.grad.abs().max()) == 0


# Features ------------------------------------------------------------------------------------------------


def test_features_as_they_are_are_only_brought_to_one_scale(blobs):
    network, (cluster,) = phases_of(SCAN(4, **SMALL), blobs)
    cluster.begin()
    expected = (blobs - blobs.mean(axis=0)) / blobs.std(axis=0)
    np.testing.assert_allclose(network.codes, expected, atol=1e-4)
    torch.testing.assert_close(network.encode(torch.from_numpy(blobs)), network.codes)
    unit = torch.nn.functional.normalize(torch.from_numpy(blobs), dim=1)
    cosines = (unit @ unit.T).fill_diagonal_(-2)
    nearest = cosines.topk(20).indices
    assert torch.equal(network.neighbours.sort(dim=1).values, nearest.sort(dim=1).values)


def test_a_constant_column_of_the_features_is_no_fault_of_a_network(blobs):
    still = np.concatenate([blobs, np.full((len(blobs), 2), 3, np.float32)], axis=1)
    epochs, _ = epochs_of(SCAN(4, **SMALL), still)
    told = " ".join(alarm for epoch in epochs for alarm in epoch.alarms)
    assert "2 of the features never vary" in told
    assert "latent dimensions do not vary" not in told


def test_learned_features_come_from_the_contrast_of_two_views(blobs):
    method = SCAN(4, **LEARNED)
    network, (features, *_) = phases_of(method, blobs)
    features.begin()
    rows = list(range(30))
    terms = features.loss(batch_of(blobs, rows, seed=3))
    views = Viewing(Data(blobs, CPU), "neighbours", 1.0).pair(
        batch_of(blobs, rows, seed=3), network.neighbours
    )
    expected = pair_contrast(*(network.compared(network.learn(view)) for view in views), TEMPERATURE)
    torch.testing.assert_close(terms["items"], expected)


def test_learned_features_are_kept_and_shared_and_change_nothing(blobs, tmp_path):
    def fitted(**settings):
        return epochs_of(SCAN(4, **LEARNED | settings), blobs)

    apart, alone = fitted()
    with weights_kept_in(tmp_path):
        first, one = fitted()
        (file,) = tmp_path.iterdir()
        second, two = fitted()
        other, _ = fitted(n_neighbours=5)  # a setting of its own: the same features
        assert list(tmp_path.iterdir()) == [file]
        fresh, _ = fitted(random_state=3)
        assert len(list(tmp_path.iterdir())) == 2
    learning = [
        sum(epoch.phase == "features" for epoch in epochs) for epochs in (apart, first, second, other, fresh)
    ]
    assert learning == [2, 2, 0, 0, 2]
    np.testing.assert_array_equal(alone.embedding_, one.embedding_)
    np.testing.assert_array_equal(one.soft_assignments_, two.soft_assignments_)


def test_features_that_were_not_learned_to_the_end_or_are_broken_are_not_taken(blobs, tmp_path):
    with weights_kept_in(tmp_path):
        SCAN(4, **LEARNED).fit(blobs, emit=lambda event: isinstance(event, Epoch))  # stopped after the first
        assert list(tmp_path.iterdir()) == []
        SCAN(4, **LEARNED).fit(blobs)
        (file,) = tmp_path.iterdir()
        file.write_bytes(b"broken")
        epochs, _ = epochs_of(SCAN(4, **LEARNED), blobs)
    assert sum(epoch.phase == "features" for epoch in epochs) == 2


def test_features_are_judged_by_their_neighbours_without_labels(blobs):
    assert float(mutual_share(torch.tensor([[1], [0], [1]]))) == pytest.approx(2 / 3)
    epochs, _ = epochs_of(SCAN(4, **SMALL), blobs)
    assert 0.5 < epochs[-1].figures["mutual neighbours"] < 1
    assert epochs[-1].figures["neighbours together"] > 0.9
    noise = np.random.default_rng(0).normal(size=(200, 40)).astype(np.float32)
    epochs, _ = epochs_of(SCAN(20, **SMALL), noise)
    assert "of the nearest neighbours fall into one group of k-means" in " ".join(epochs[-1].alarms)


# The two stages ------------------------------------------------------------------------------------------


def test_only_the_heads_learn_from_neighbours_and_the_one_of_the_lowest_loss_is_chosen(blobs):
    method = SCAN(4, **SMALL)
    network, (cluster,) = phases_of(method, blobs)
    cluster.begin()
    assert {id(weight) for weight in cluster.parameters} == {id(w) for w in network.heads.parameters()}
    with torch.no_grad():
        network.heads.weight.mul_(0.01)
        # The third head says what k-means would: one sure group a blob.
        centers = KMeans(4, n_init=3, random_state=0).fit(network.codes.numpy()).cluster_centers_
        centers = torch.from_numpy(centers).float()
        network.heads.weight[8:12] = 20 * centers
        network.heads.bias[8:12] = -10 * centers.square().sum(dim=1)
    cluster.refresh()
    assert network.best.tolist() == [2]
    third = network.all_logits(network.codes)[:, 2]
    torch.testing.assert_close(network.logits(network.codes), third[:, network.order])


def test_another_head_keeps_the_numbers_of_the_groups(blobs):
    network, (cluster,) = phases_of(SCAN(4, **SMALL), blobs)
    cluster.begin()
    centers = KMeans(4, n_init=3, random_state=0).fit(network.codes.numpy()).cluster_centers_
    centers = torch.from_numpy(centers).float()

    def speak(head: int, order: list[int], sureness: float) -> None:
        rows = slice(4 * head, 4 * head + 4)
        with torch.no_grad():
            network.heads.weight[rows] = sureness * centers[order]
            network.heads.bias[rows] = -sureness * centers[order].square().sum(dim=1) / 2

    for head in range(5):
        speak(head, [0, 1, 2, 3], sureness=0.0)
    speak(1, [0, 1, 2, 3], sureness=20)
    first = cluster.refresh()
    assert network.best.tolist() == [1]
    speak(1, [0, 1, 2, 3], sureness=1)
    speak(3, [2, 0, 3, 1], sureness=20)
    second = cluster.refresh()
    assert network.best.tolist() == [3]
    assert torch.equal(first.labels, second.labels)


def test_a_look_encodes_no_item_whose_features_stand_still_and_every_other_once(blobs, monkeypatch):
    method = SCAN(4, **LEARNED | {"self_label_epochs": 1})
    network, (_, cluster, tune, teach) = phases_of(method, blobs)
    cluster.begin()
    encoded, encode = [], network.encode
    monkeypatch.setattr(network, "encode", lambda inputs: encoded.append(len(inputs)) or encode(inputs))
    views = min(LOOKED_AT, len(blobs))
    for phase, items in ((cluster, 0), (tune, len(blobs)), (teach, len(blobs))):
        encoded.clear()
        phase.refresh()
        assert sum(encoded) == items + views, phase.name


def test_learned_features_go_on_learning_from_neighbours_in_strong_views(blobs):
    method = SCAN(4, **LEARNED)
    network, (_, cluster, tune) = phases_of(method, blobs)
    cluster.begin()
    moved = {id(weight) for weight in tune.parameters}
    assert moved == {
        id(weight) for part in (network.trunk, network.last, network.heads) for weight in part.parameters()
    }
    still = network.codes.clone()
    terms = tune.loss(batch_of(blobs, list(range(40))))
    assert set(terms) == {"neighbours", "uneven sizes"}
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in tune.parameters)
    with torch.no_grad():
        for weight in tune.parameters:
            weight.sub_(weight.grad)
    tune.refresh()  # chooses the head by the features as they are now
    assert not torch.equal(network.codes, still)
    torch.testing.assert_close(network.codes, network.encode(torch.from_numpy(blobs)))


@pytest.mark.parametrize("settings", [{"pretext": "features"}, {"tuning_epochs": 0}])
def test_features_that_were_given_or_shall_stand_still_are_not_tuned(blobs, settings):
    _, phases = phases_of(SCAN(4, **LEARNED | {"self_label_epochs": 1} | settings), blobs)
    assert [phase.name for phase in phases if phase.name != "features"] == ["cluster", "self-label"]


def test_what_teaches_is_labelled_by_the_statistics_of_its_batch_as_its_views_are(blobs):
    method = SCAN(4, **LEARNED | {"self_label_epochs": 1, "threshold": 0.0, "strength": 0.0})
    network, phases = phases_of(method, blobs)
    phases[1].begin()
    batch = batch_of(blobs, list(range(60)))
    terms = phases[-1].loss(batch)
    own = network.logits(network.learn(batch.features))
    torch.testing.assert_close(terms["self-labels"], self_label_loss(own, own, 0.0))


def test_the_last_stage_needs_a_sure_item_in_every_group_and_says_when_it_is_left_out(blobs):
    settings = SMALL | {"epochs": 12, "self_label_epochs": 2, "batch_size": 20}
    epochs, model = epochs_of(SCAN(4, **settings, threshold=0.5), blobs)
    assert sum(epoch.phase == "self-label" for epoch in epochs) == 2
    assert model.history_[-1]["reason"] == "All epochs were run."
    epochs, model = epochs_of(SCAN(4, **settings, threshold=1.0), blobs)
    assert sum(epoch.phase == "self-label" for epoch in epochs) == 0
    assert "no item the network is sure of" in model.history_[-1]["reason"]


def test_the_last_stage_is_undone_where_it_leaves_a_group_without_a_sure_item(blobs):
    method = SCAN(4, **LEARNED | {"epochs": 12, "self_label_epochs": 2, "batch_size": 20, "threshold": 0.5})
    network, (*_, cluster, tune, teach) = phases_of(method, blobs)
    cluster.begin()
    with torch.no_grad():  # a sure head: k-means' groups of the features as they are now
        network.heads.weight.copy_(
            torch.from_numpy(KMeans(4, random_state=0).fit(network.codes.numpy()).cluster_centers_).repeat(
                5, 1
            )
        )
    tune.refresh()
    teach.begin()
    assert teach.ends() == ""
    before = {name: weight.clone() for name, weight in network.parts().state_dict().items()}
    assert teach.refresh().told == ()
    with torch.no_grad():
        network.last.weight.zero_()  # all items alike: one group takes all
        network.last.bias.add_(1)
    seen = teach.refresh()
    assert "It was undone" in seen.told[0]
    assert len(set(seen.labels.tolist())) == 4
    for name, weight in network.parts().state_dict().items():
        torch.testing.assert_close(weight, before[name], rtol=0, atol=0)
    assert "the last stage was left out" in teach.ends()


def test_hardly_a_teacher_left_is_told(blobs):
    method = SCAN(4, **SMALL)
    network, _ = phases_of(method, blobs)
    assert method.teachers_left(network) == ()
    network.sure.fill_(0.002)
    (told,) = method.teachers_left(network)
    assert "0.2% of the items are sure enough" in told


def test_digits_by_their_pixels_are_grouped_in_line_with_their_neighbours():
    X, y = load_digits(return_X_y=True)
    X, y = (X[:600] / 16).astype(np.float32), y[:600]
    model = SCAN(10, epochs=30, batch_size=100, self_label_epochs=0, device="cpu").fit(X)
    assert normalized_mutual_info_score(y, model.labels_) > 0.75
