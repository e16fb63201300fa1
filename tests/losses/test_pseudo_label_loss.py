"""The cross-entropy of pseudo-labels against a plain loop and the specification."""

from __future__ import annotations

import math

import pytest
import torch

from clustering.losses.pseudo_labels import pseudo_label_loss


def plain(scores: list[list[list[float]]], labels: list[list[int]], temperature: float) -> float:
    losses = []
    for head, of_head in zip(scores, labels, strict=True):
        for row, label in zip(head, of_head, strict=True):
            total = sum(math.exp(score / temperature) for score in row)
            losses.append(-math.log(math.exp(row[label] / temperature) / total))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_it_is_the_mean_over_rows_and_heads_of_a_plain_loop(temperature):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 5, 4, generator=generator)
    labels = torch.randint(4, (3, 5), generator=generator)
    expected = plain(scores.tolist(), labels.tolist(), temperature)
    assert pseudo_label_loss(scores, labels, temperature) == pytest.approx(expected, rel=1e-5)
    alone = plain(scores[:1].tolist(), labels[:1].tolist(), temperature)
    assert pseudo_label_loss(scores[0], labels[0], temperature) == pytest.approx(alone, rel=1e-5)


def test_centroids_as_classifier_give_the_loss_of_the_specification():
    E = torch.tensor([[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]])
    C = torch.tensor([[0.948683298051, 0.316227766017], [-0.316227766017, 0.948683298051]])
    loss = pseudo_label_loss(E @ C.T, torch.tensor([0, 0, 1, 1]), temperature=0.1)
    assert loss == pytest.approx(0.000896684975, rel=1e-3)  # in single precision
