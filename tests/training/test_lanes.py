"""Turns in rotation: everyone comes round, the end of one does not hold up the others."""

from __future__ import annotations

import pytest
import torch

from clustering.training.lanes import side_by_side

CPU = torch.device("cpu")


def counting(name: str, turns: int, heard: list[str]):
    for _ in range(turns):
        heard.append(name)
        yield


def test_each_takes_a_turn_after_the_other_until_all_have_ended():
    heard: list[str] = []
    ended: list[int] = []
    side_by_side([counting(*who, heard) for who in (("a", 3), ("b", 1), ("c", 2))], CPU, ended.append)
    assert heard == ["a", "b", "c", "a", "c", "a"]
    assert ended == [1, 2, 0]


def test_an_error_of_one_ends_the_rotation():
    def failing():
        yield
        raise ValueError("no more")

    heard: list[str] = []
    with pytest.raises(ValueError, match="no more"):
        side_by_side([counting("a", 9, heard), failing()], CPU)
    assert heard == ["a", "a"]
