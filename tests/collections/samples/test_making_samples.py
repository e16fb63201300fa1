"""Samples become collections like anyone's, and go on where they were stopped."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.collections import Collection, discard
from clustering.collections.samples import gallery, make_sample, samples
from clustering.errors import Stopped, StudioError
from clustering.features import default_encoder, encode

FEW = [plan for plan in gallery.plans() if plan.place in (1, 7)][::6]


@pytest.fixture
def few_pictures(monkeypatch):
    """A gallery of sixteen, for speed."""
    monkeypatch.setattr(gallery, "plans", lambda: FEW)


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Collection:
    return make_sample("digits", tmp_path_factory.mktemp("samples") / "digits")


def test_samples_say_what_they_are():
    assert list(samples()) == ["generated_gallery", "digits"]
    for name, info in samples().items():
        assert (
            info.name == name
            and info.kind == "images"
            and info.summary.endswith(".")
            and info.origin.endswith(".")
        )
    assert samples()["generated_gallery"].n_items == len(gallery.plans())


def test_the_gallery_becomes_a_collection_with_manner_as_first_label(few_pictures, tmp_path):
    told: list[tuple[int, str]] = []
    collection = make_sample(
        "generated_gallery", tmp_path / "g", lambda done, total, doing: told.append((done, doing))
    )
    assert collection.n_items == len(FEW) and collection.name == "Generated gallery"
    assert collection.label_columns[0] == "manner"
    assert "fixed seeds" in collection.source
    assert collection.items["title"].str.len().min() > 3
    assert collection.picture(0).size == (collection.items["width"][0], collection.items["height"][0])
    assert collection.original(0).is_relative_to(tmp_path / "g")
    assert any("Making" in doing for _, doing in told)
    assert [path.name for path in tmp_path.iterdir()] == ["g"]


def test_a_stopped_sample_goes_on_and_equals_an_unbroken_one(few_pictures, tmp_path, monkeypatch):
    with pytest.raises(Stopped):
        make_sample("generated_gallery", tmp_path / "g", lambda done, total, doing: done >= 9)
    assert not (tmp_path / "g").exists()
    painted: list[str] = []
    paint = gallery.painted
    monkeypatch.setattr(gallery, "painted", lambda plan: (painted.append(plan.file), paint(plan))[1])
    resumed = make_sample("generated_gallery", tmp_path / "g")
    assert painted == [plan.file for plan in FEW[9:]]
    whole = make_sample("generated_gallery", tmp_path / "h")
    assert resumed.content_hash == whole.content_hash
    assert make_sample("generated_gallery", tmp_path / "g").content_hash == whole.content_hash


def test_a_discarded_sample_leaves_nothing(few_pictures, tmp_path):
    with pytest.raises(Stopped):
        make_sample("generated_gallery", tmp_path / "g", lambda done, total, doing: done >= 2)
    discard(tmp_path / "g")
    assert list(tmp_path.iterdir()) == []


def test_digits_keep_their_values_and_labels(digits):
    from sklearn.datasets import load_digits

    data = load_digits()
    assert digits.n_items == 1797 and digits.label_columns == ("digit",)
    np.testing.assert_array_equal(digits.items["digit"].astype(int), data.target)
    assert digits.picture(0).size == (8, 8)
    features = encode(digits)
    assert features.about["encoder"] == "pixels" == default_encoder("images", digits)
    np.testing.assert_allclose(features.values, data.data / 16, atol=1 / 500)


def test_an_unknown_sample_and_a_taken_place_are_said(few_pictures, tmp_path):
    with pytest.raises(StudioError, match=r"no sample called “mona lisa”.*generated_gallery, digits"):
        make_sample("mona lisa", tmp_path / "x")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.txt").write_text("mine")
    with pytest.raises(StudioError, match="already something"):
        make_sample("generated_gallery", tmp_path / "x")
    assert (tmp_path / "x" / "mine.txt").read_text() == "mine"
