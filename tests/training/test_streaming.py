"""The belt: every row arrives, the next ones are gathered meanwhile, and the buffers are always the same."""

from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.training.streaming import HOST_BUFFERS, Belt

CPU = torch.device("cpu")


@pytest.fixture
def source() -> torch.Tensor:
    return torch.arange(300, dtype=torch.float32).view(100, 3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 99), max_size=8), max_size=9))
def test_any_pieces_arrive_in_their_order(pieces):
    source = torch.arange(300, dtype=torch.float32).view(100, 3)
    numbers = [torch.tensor(piece, dtype=torch.int64) for piece in pieces]
    arrived = [rows.clone() for rows in Belt(source, CPU, 8).carry(numbers)]
    assert len(arrived) == len(pieces)
    for rows, wanted in zip(arrived, numbers, strict=True):
        assert torch.equal(rows, source[wanted])


def test_later_pieces_are_gathered_while_one_is_in_use(source):
    belt = Belt(source, CPU, 10)
    filled: list[tuple[int, threading.Thread]] = []
    fill = belt._fill
    third = threading.Event()

    def watched(slot, piece):
        filled.append((piece.start, threading.current_thread()))
        if piece.start == 20:
            third.set()
        return fill(slot, piece)

    belt._fill = watched
    for number, _ in enumerate(belt.carry(slice(start, start + 10) for start in range(0, 100, 10))):
        if number == 0:
            assert third.wait(10)  # two ahead, though only the first was asked for
            assert len(filled) <= HOST_BUFFERS
    assert [start for start, _ in filled] == list(range(0, 100, 10))
    assert all(thread is not threading.current_thread() for _, thread in filled)


def test_nothing_is_allocated_while_it_runs_nor_the_next_time(source):
    belt = Belt(source, CPU, 10)
    pieces = [slice(start, start + 10) for start in range(0, 100, 10)]
    places = {rows.data_ptr() for _ in range(2) for rows in belt.carry(pieces)}
    assert len(places) == HOST_BUFFERS


def test_a_caller_that_leaves_ends_the_thread_and_may_come_back(source):
    belt = Belt(source, CPU, 10)
    running = belt.carry([slice(0, 10), slice(10, 20), slice(20, 30), slice(30, 40)])
    next(running)
    running.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rows")]
    assert torch.equal(next(belt.carry([slice(50, 60)])), source[50:60])


def test_what_goes_wrong_in_the_background_is_raised_to_the_caller(source):
    with pytest.raises(IndexError):
        list(Belt(source, CPU, 10).carry([slice(0, 10), torch.tensor([100])]))
