"""FixMatch and `refine`: labels of some items are spread to all; what is drawn, and what a person is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs

from clustering.errors import Stopped, StudioError
from clustering.methods import method, methods
from clustering.methods.fixmatch import FixMatch, refine
from clustering.methods.refining import Schooling, Schoolroom
from clustering.methods.viewing import Viewing
from clustering.training import checkpoint as checkpoint_module
from clustering.training.data import Data
from clustering.training.events import Epoch

SMALL = {"steps": 120, "batch_size": 8, "ratio": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_blobs(200, centers=4, n_features=6, cluster_std=1.5, random_state=2)
    return X.astype(np.float32), y


def some_of(y: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    chance, labels = np.random.default_rng(seed), np.full(len(y), -1)
    for group in range(y.max() + 1):
        labels[chance.choice(np.flatnonzero(y == group), count, replace=False)] = group
    return labels


def alarms_of(model: FixMatch) -> list[str]:
    return [alarm for row in model.history_ if row["kind"] == "epoch" for alarm in row["alarms"]]


def room_of(items: np.ndarray, labels: np.ndarray, **settings) -> tuple[Schoolroom, FixMatch]:
    model = FixMatch(int(labels.max()) + 1, **SMALL)
    network = model.setup(items.shape[1], torch.Generator().manual_seed(0))
    network.given = torch.from_numpy(labels)
    viewing = Viewing(Data(items, torch.device("cpu")), "noise", 1.0)
    return Schoolroom(network, viewing, Schooling(120, labels_a_step=8, ratio=3, **settings), 1.0), network


def test_two_labels_a_group_are_spread_to_all_items_and_to_new_ones(blobs):
    X, y = blobs
    model = refine(X, some_of(y, 2), steps=100, device="cpu")
    assert (model.labels_ == y).mean() > 0.95
    assert model.soft_assignments_.shape == (200, 4)
    np.testing.assert_array_equal(model.predict(X[:9]), model.labels_[:9])


def test_pictures_are_learned_from_light_and_strong_views():
    X, y = load_digits(return_X_y=True)
    X, y = (X[y < 2] / 16).astype(np.float32), y[y < 2]
    settings = {"steps": 80, "batch_size": 8, "ratio": 2, "views": "digits", "latent_dim": 8, "device": "cpu"}
    model = FixMatch(2, **settings).fit(X, some_of(y, 3))
    assert model.embedding_.shape == (len(X), 8)
    assert (model.labels_ == y).mean() > 0.9


def test_those_that_teach_come_first_in_a_step_and_every_group_as_often(blobs):
    X, _ = blobs
    labels = np.full(200, -1)
    labels[:40], labels[50] = 0, 1
    room, _ = room_of(X, labels)
    rows = room.draw(50, torch.Generator().manual_seed(0))
    assert rows.shape == (50, 32)
    taught = labels[rows[:, :8]]
    assert 0.4 < (taught == 1).mean() < 0.6
    assert set(taught.ravel()) == {0, 1}
    assert len(np.unique(rows[:, 8:])) > 190
    room, _ = room_of(X, labels, balanced=False)
    assert (labels[room.draw(50, torch.Generator().manual_seed(0))[:, :8]] == 1).mean() < 0.1


def test_it_is_found_by_name_and_not_among_the_methods_that_find_groups_by_themselves():
    assert method("fixmatch") is FixMatch
    assert "fixmatch" not in methods()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "there are none"),
        (np.zeros(5, int), r"5 labels of shape \(5,\) for 200 items"),
        (np.full(200, -1), "no item has a label"),
        (np.where(np.arange(200) < 9, 2, -1), "all labels name group 3"),
        (np.where(np.arange(200) < 9, 4, 0), r"9 labels are no numbers of groups \(first: 4, row 1\)"),
        (np.full(200, "a"), "200 labels are no numbers"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_in_sentences(blobs, labels, words):
    with pytest.raises(StudioError, match=words) as refusal:
        FixMatch(4, **SMALL).fit(blobs[0], labels)
    assert refusal.value.mend.endswith(".")


def test_a_group_nobody_labelled_is_told_once_and_no_item_is_put_there(blobs):
    X, y = blobs
    labels = some_of(y, 3)
    labels[labels == 2] = -1
    model = FixMatch(4, **SMALL).fit(X, labels)
    told = [alarm for alarm in alarms_of(model) if "No item is labelled with group 3" in alarm]
    assert len(told) == 1
    assert 2 not in model.labels_


def test_where_nothing_is_sure_a_person_is_told_to_lower_the_threshold(blobs):
    X, y = blobs
    model = FixMatch(4, **SMALL | {"threshold": 1.0, "steps": 200}).fit(X, some_of(y, 2))
    assert "Choose a smaller threshold" in alarms_of(model)[-1]
    room, network = room_of(X, some_of(y, 2))
    network.rounds.fill_(9)
    network.taken.copy_(torch.tensor([0.3, 0.0, 0.3, 0.3]))
    (told,) = room.warnings()
    assert "surely of group 2" in told


def test_a_broken_fit_goes_on_and_other_labels_are_another_fit(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    X, y = blobs
    settings = SMALL | {"steps": 300}

    def broken(event):
        if isinstance(event, Epoch) and event.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        FixMatch(4, **settings).fit(X, some_of(y, 2), emit=broken, checkpoint=tmp_path)
    epochs = []

    def heard(event):
        epochs.extend([event.epoch] if isinstance(event, Epoch) else [])

    again = FixMatch(4, **settings).fit(X, some_of(y, 2), emit=heard, checkpoint=tmp_path)
    assert epochs == [3]
    whole = FixMatch(4, **settings).fit(X, some_of(y, 2))
    np.testing.assert_array_equal(again.soft_assignments_, whole.soft_assignments_)
    FixMatch(4, **settings).fit(X, some_of(y, 2, seed=1), emit=heard, checkpoint=tmp_path)
    assert epochs == [3, 1, 2, 3]
