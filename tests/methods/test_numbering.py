"""Groups that are found anew keep the numbers they had."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from clustering.methods.numbering import same_numbers


@given(st.permutations(range(5)), st.integers(0, 1000))
def test_groups_that_were_only_numbered_anew_get_their_old_numbers(order, seed):
    before = torch.randint(0, 5, (60,), generator=torch.Generator().manual_seed(seed))
    now = torch.tensor(order)[before]
    numbers = same_numbers(before, now, 5).argsort()
    assert torch.equal(numbers[now], before)


def test_without_groups_before_the_numbers_stay_as_they_are():
    nobody = torch.full((4,), -1)
    assert same_numbers(nobody, torch.tensor([1, 0, 1, 2]), 3).tolist() == [0, 1, 2]


def test_a_group_takes_the_number_with_which_it_shares_most_items():
    before, now = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([2, 2, 1, 0, 0, 1])
    assert same_numbers(before, now, 3).tolist() == [2, 0, 1]
