"""What a few labels tell of the rest, which of them are held back, and how sure a share of them is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.labelling import WAYS, guesses, held_back, read_labels, wilson
from clustering.labelling.tables import LONGEST


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(0, 100))
def test_about_a_quarter_of_every_label_is_held_back_and_never_all_of_one(texts, seed):
    held = held_back(np.arange(len(texts)), texts, seed)
    for label in set(texts):
        own = held[np.array(texts) == label]
        assert own.sum() == round(len(own) / 4)
        assert not own.all()


def test_a_label_stays_on_its_side_when_the_order_changes_and_another_seed_draws_others():
    items, texts = np.arange(40), np.array(["a", "b"] * 20)
    held = held_back(items, texts)
    back = held_back(items[::-1], texts[::-1])[::-1]
    assert held.tolist() == back.tolist()
    assert held.tolist() != held_back(items, texts, seed=1).tolist()
    more = held_back(np.arange(44), np.array(["a", "b"] * 22))[:40]
    assert (more != held).sum() <= 4


def test_wilsons_interval_is_that_of_the_textbook_and_holds_where_all_or_none_are_right():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(0, 20)
    assert low == 0
    assert high == pytest.approx(0.1611, abs=1e-4)


@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_finds_plain_groups_from_one_label_each_and_gives_odds(way):
    rng = np.random.default_rng(0)
    kinds = np.arange(60) % 3
    rows = (np.eye(3)[kinds] * 4 + rng.normal(scale=0.3, size=(60, 3))).astype(np.float32)
    found = guesses(rows, np.array([0, 1, 2]), np.array([0, 1, 2]), way)
    assert found.labels.tolist() == kinds.tolist()
    np.testing.assert_allclose(found.soft_assignments.sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(StudioError, match="There is one label to learn from"):
        guesses(rows, np.array([0, 1]), np.array([0, 0]), way)


def test_the_nearest_label_is_that_of_the_nearest_labelled_item_by_angle():
    rows = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    items, classes = np.array([3, 8, 11, 20]), np.array([0, 1, 0, 2])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    plain = [classes[np.argmin([((row - unit[item]) ** 2).sum() for item in items])] for row in unit]
    assert guesses(rows, items, classes, "nearest_label").labels.tolist() == plain


IDS = ["a1", "a2", "a3", "=b"]


def test_a_table_of_labels_is_read_whole_with_a_word_on_what_was_left_out():
    found = read_labels("id;label;title\na2; Sea  piece ;x\na1;;y\na2;Sea piece;\n".encode("utf-8-sig"), IDS)
    assert found.labels == {1: "Sea piece"}
    assert found.notes == ("1 row without a label was left out.", "1 row said the same again.")
    assert read_labels(b"id,label\n'=b,'=1+1\n", IDS).labels == {3: "=1+1"}, "as spreadsheets are written"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"id,label\nx,a\ny,b\na1,c\n", "2 ids are not in the collection: “x”, “y”"),
     (b"id,label\na1,a\na1,b\n", "1 item has two different labels: “a1”"),
     (b"id,label\na1,\n", "The file holds no label"),
     (b"id,name\na1,a\n", "no column “label”"),
     (b"", "cannot be read as a table"),
     (b"\xff\xfe\x00", "cannot be read as a table"),
     (f"id,label\na1,{'x' * (LONGEST + 1)}\n".encode(), f"{LONGEST} is the most")],
)  # fmt: skip
def test_a_table_that_is_wrong_is_refused_whole_in_a_sentence(content, words):
    with pytest.raises(StudioError, match=words) as refusal:
        read_labels(content, IDS)
    assert refusal.value.mend.endswith(".")
