"""Views side by side: scaled, of one weight, marked where they are missing; new items as the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clustering.collections import load
from clustering.errors import StudioError
from clustering.features import encode
from clustering.features.views import Views
from clustering.newcomers.reading import read_newcomers

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    one, other = RNG.normal(4, 3, size=(40, 2)), RNG.normal(size=(40, 9)) * np.arange(9)
    one[7] = np.nan
    np.savez(folder / "v.npz", one=one, other=other)
    return load(folder / "v.npz", folder / "c")


def test_every_column_is_standardised_every_view_weighs_the_same_and_marks_say_what_is_missing(measured):
    found = encode(measured)
    assert found.layout == {"view_sizes": (2, 9)}
    assert found.shape == (40, 2 + 9 + 2)
    values = np.asarray(found)
    there = np.arange(40) != 7
    one, other = values[there, :2], values[:, 2:11]
    np.testing.assert_allclose(values[7, :2], 0, atol=1e-6)
    assert values[:, 11:].sum() == values[7, 11] == 1
    np.testing.assert_allclose(one.mean(axis=0), 0, atol=1e-6)
    assert one.var(axis=0).sum() == pytest.approx(other.var(axis=0).sum(), rel=1e-5)
    assert other[:, 0].std() == 0  # a constant column
    assert "“one”: 1" in found.about["description"]


def test_arrays_of_pictures_are_told_with_their_shape(tmp_path):
    np.savez(tmp_path / "v.npz", one=RNG.random((9, 2)), pictures=RNG.random((9, 4, 3, 3)))
    there = load(tmp_path / "v.npz", tmp_path / "c")
    assert encode(there).layout == {"view_sizes": (2, 36), "view_shapes": (0, 0, 0, 4, 3, 3)}


def test_views_may_keep_their_proportions_or_stay_as_they_are(measured):
    raw = np.asarray(measured.data())
    by_view = np.asarray(encode(measured, scaling="each view", equal_weight=False))[:, 2:11]
    spread = raw[:, 2:].std(axis=0)
    np.testing.assert_allclose(by_view.std(axis=0) * spread[8], spread * by_view[:, 8].std(), rtol=1e-4)
    plain = np.asarray(encode(measured, scaling="as they are", equal_weight=False))
    np.testing.assert_allclose(plain[:, 2:11], raw[:, 2:], rtol=1e-6)


def test_new_items_are_encoded_as_the_others_and_may_lack_a_view(measured, tmp_path):
    raw = np.asarray(measured.data())
    np.savez(tmp_path / "new.npz", one=raw[:3, :2], other=raw[:3, 2:])
    np.savez(tmp_path / "half.npz", other=raw[4:5, 2:])
    newcomers = read_newcomers(measured, [tmp_path / "new.npz", tmp_path / "half.npz"])
    assert newcomers.notes == ("“half.npz” lacks the view “one”: its items are judged by the other views.",)
    rows = Views().prepared(measured, 13)(newcomers)
    features = np.asarray(encode(measured))
    np.testing.assert_allclose(rows[:3], features[:3], atol=1e-6)
    assert rows[3, 11] == 1
    np.testing.assert_allclose(rows[3, 2:11], features[4, 2:11], atol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"third": np.ones((2, 2))}, "has none of the views"),
        ({"one": np.ones((2, 3))}, r"“one” of .* has the shape \(2, 3\); 2 numbers an item"),
        ({"one": np.ones((2, 2)), "other": np.ones((3, 9))}, "differ in their items: one 2, other 3"),
        ({"one": np.array([[1, np.nan]])}, "has a gap"),
        ({"one": np.full((1, 2), np.nan)}, "without any view"),
    ],
)
def test_new_items_that_do_not_fit_are_refused_with_the_mend(measured, arrays, words, tmp_path):
    np.savez(tmp_path / "new.npz", **arrays)
    with pytest.raises(StudioError, match=words) as refusal:
        read_newcomers(measured, [tmp_path / "new.npz"])
    assert refusal.value.mend


def test_pictures_are_encoded_by_an_encoder_for_pictures(tmp_path):
    source = tmp_path / "works"
    source.mkdir()
    for at in range(6):
        Image.fromarray(RNG.integers(0, 255, (8, 8), dtype=np.uint8)).save(source / f"{at}.png")
    rows = {"file": [f"{at}.png" for at in range(6)], "height": RNG.random(6), "weight": RNG.random(6)}
    pd.DataFrame(rows).to_csv(source / "metadata.csv", index=False)
    there = load(source, tmp_path / "c", kind="views")
    found = encode(there)
    assert found.layout["view_sizes"][1] == 2
    assert found.shape == (6, sum(found.layout["view_sizes"]))
    assert found.layout["view_shapes"] == (8, 8, 1, 0, 0, 0)  # so small that their pixels are taken
    assert "Pictures: " in found.about["description"]
    with pytest.raises(StudioError, match="cannot be placed"):
        read_newcomers(there, [source / "0.png"])
