"""Alarms: each sign of trouble gives its sentence, a healthy space gives none."""

from __future__ import annotations

import pytest
import torch

from clustering.errors import StudioError
from clustering.training.alarms import Health, alarms, check_losses, giant_share, health, scale_alarms


def healthy(**changes) -> Health:
    values = {
        "sizes": (30, 40, 30),
        "confidence": 0.8,
        "dead": 0,
        "n_latents": 4,
        "nearest_centers": (0, 1),
        "nearest_share": 0.9,
    }
    return Health(**(values | changes))


def test_a_healthy_space_raises_no_alarm():
    assert alarms(healthy()) == ()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"sizes": (60, 0, 40)}, "Group 2 holds no item"),
        ({"sizes": (50, 0, 50, 0)}, "Groups 2, 4 hold no item"),
        ({"sizes": (95, 3, 2)}, "Group 1 holds 95% of all items"),
        ({"confidence": 0.35}, "nearly uniform"),
        ({"dead": 2}, "2 of 4 latent dimensions do not vary"),
        ({"nearest_centers": (1, 2), "nearest_share": 0.01}, "groups 2 and 3 are merging"),
    ],
)
def test_each_trouble_has_its_sentence(trouble, words):
    (sentence,) = alarms(healthy(**trouble))
    assert words in sentence
    assert sentence.endswith(".")


def test_where_one_group_holds_all_it_is_named_first_and_nobody_is_told_to_ask_for_fewer():
    collapse, empty = alarms(healthy(sizes=(0, 100, 0)))
    assert collapse.startswith("Group 2 holds 100% of all items")
    assert empty == "Groups 1, 3 hold no item."


def test_two_groups_of_nine_to_one_are_no_giant_but_nineteen_of_twenty_in_ten_groups_are():
    assert giant_share(2) > 0.9
    assert giant_share(10) < 0.95


def test_health_measures_what_a_loop_over_the_arrays_finds():
    latents = torch.tensor([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0], [9.0, 5.0]])
    centers = torch.tensor([[0.0, 5.0], [0.1, 5.0], [9.0, 5.0], [20.0, 5.0]])
    found = health(latents, torch.tensor([0, 1, 1, 2]), torch.tensor([0.5, 0.6, 0.7, 1.0]), centers)
    assert found.sizes == (1, 2, 1, 0)
    assert found.confidence == pytest.approx(0.7)
    assert (found.dead, found.n_latents) == (1, 2)
    assert found.nearest_centers == (0, 1)
    distances = sorted([0.1, 9.0, 20.0, 8.9, 19.9, 11.0])
    assert found.nearest_share == pytest.approx(0.1 / distances[2], rel=1e-4)


def test_one_cluster_has_no_neighbour_and_no_alarm():
    latents = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    found = health(latents, torch.zeros(5, dtype=torch.long), torch.ones(5), torch.zeros(1, 2))
    assert found.sizes == (5,)
    assert alarms(found) == ()


def test_a_loss_that_is_no_number_names_itself_and_the_mend():
    check_losses({"reconstruction": 0.1}, "pretrain", 1)
    with pytest.raises(StudioError, match=r"reconstruction.*“pretrain”, epoch 3") as refusal:
        check_losses({"reconstruction": float("nan"), "total": float("nan")}, "pretrain", 3)
    assert "smaller learning rate" in refusal.value.mend


def test_features_of_odd_size_and_constant_columns_are_named():
    assert scale_alarms(0.3, []) == ()
    assert "root mean square 1e+03" in scale_alarms(1e6, [])[0]
    assert "2 of the features never vary" in scale_alarms(1.0, [3, 4])[0]
