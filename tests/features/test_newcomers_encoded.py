"""What comes later is encoded just as the collection was: a copy of an item gets the item's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clustering.errors import StudioError
from clustering.features import encoder


class Items:
    """A collection, or some items that are in none."""

    def __init__(self, kind: str, content: Any) -> None:
        self.kind, self.content = kind, content
        self.name, self.content_hash, self.n_items = "These", "x", len(content)

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        return self.content[index]

    def data(self) -> Any:
        return self.content


def painted(*sizes: tuple[int, int]) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 255, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


TABLE = pd.DataFrame(
    {
        "height": [1.0, 2.5, np.nan, 4.0, 9.0, 3.0],
        "flat": [True, False, True, True, False, False],
        "kind": ["oil", "ink", "oil", None, "oil", "chalk"],
        "seen": pd.to_datetime(["1900-01-01", "1901-05-05", "1902-01-01", None, "1910-01-01", "1905-01-01"]),
    }
)


def assert_copies_equal(name: str, kind: str, content: Any, pick: list[int], **parameters: Any) -> None:
    whole = Items(kind, content)
    made = encoder(name)(**parameters)
    features = np.asarray(made.encode(whole))
    some = content.iloc[pick] if isinstance(content, pd.DataFrame) else (
        content[pick] if isinstance(content, np.ndarray) else [content[at] for at in pick]
    )  # fmt: skip
    found = encoder(name)(**parameters).prepared(whole, features.shape[1])(Items(kind, some))
    np.testing.assert_array_equal(found, features[pick])


@pytest.mark.parametrize("scaling", ["standardise", "robust", "none"])
@pytest.mark.parametrize("flag_missing", [True, False])
def test_a_row_of_a_table_gets_the_numbers_of_its_twin(scaling: str, flag_missing: bool) -> None:
    assert_copies_equal("table", "table", TABLE, [5, 2, 3], scaling=scaling, flag_missing=flag_missing)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.integers(1, 6))
def test_a_row_does_not_depend_on_its_company(order: list[int], count: int) -> None:
    assert_copies_equal("table", "table", TABLE, order[:count])


@pytest.mark.parametrize("scaling", ["as they are", "standardised", "length one"])
def test_a_vector_gets_the_numbers_of_its_twin(scaling: str) -> None:
    rows = np.random.default_rng(0).normal(3, 2, (20, 4)).astype(np.float32)
    rows[:, 2] = 7
    assert_copies_equal("vectors", "vectors", rows, [19, 0], scaling=scaling)


@pytest.mark.parametrize("colour", ["grey", "colour"])
@pytest.mark.parametrize("sizes", [[(8, 6)] * 4, [(8, 6), (5, 5), (90, 70)]])
def test_a_picture_gets_the_pixels_of_its_twin(sizes: list[tuple[int, int]], colour: str) -> None:
    assert_copies_equal("pixels", "images", painted(*sizes), [2, 0], colour=colour)


def test_a_large_picture_is_brought_to_the_size_of_small_ones() -> None:
    whole = Items("images", painted((8, 6), (8, 6)))
    encode = encoder("pixels")().prepared(whole, 48)
    assert encode(Items("images", painted((300, 200)))).shape == (1, 48)


def test_a_network_sees_a_new_picture_as_it_saw_its_twin() -> None:
    pictures = painted((120, 90), (64, 64), (70, 150))
    whole = Items("images", pictures)
    features = np.asarray(encoder("efficientnet-lite0")(device="cpu").encode(whole))
    encode = encoder("efficientnet-lite0")(device="cpu").prepared(whole, 1280)
    np.testing.assert_allclose(encode(Items("images", pictures[1:])), features[1:], rtol=1e-4, atol=1e-5)


def test_an_unknown_word_counts_as_none_of_the_known() -> None:
    encode = encoder("table")().prepared(Items("table", TABLE), 9)
    new = TABLE.iloc[[0]].assign(kind="fresco")
    known = np.asarray(encoder("table")().encode(Items("table", TABLE)))[0]
    differs = np.flatnonzero(encode(Items("table", new))[0] != known)
    assert len(differs) == 1  # only the column “kind = oil”


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [("vectors", "vectors", np.ones((3, 4), np.float32)), ("table", "table", TABLE)],
)
def test_features_of_another_length_are_told(name: str, kind: str, content: Any) -> None:
    with pytest.raises(StudioError, match="Compute the features again"):
        encoder(name)().prepared(Items(kind, content), 99)


def test_weights_that_are_gone_are_told(tmp_path: Path) -> None:
    gone = encoder("densenet121")(weights=str(tmp_path / "gone.pth"))
    with pytest.raises(StudioError, match="no weight file"):
        gone.prepared(Items("images", painted((8, 8))), 1024)
