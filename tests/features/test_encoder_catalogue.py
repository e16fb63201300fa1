"""Encoders are found by name, chosen by kind, keyed by what decides their numbers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from feature_standin import StandIn, noise_pictures

from clustering.errors import StudioError
from clustering.features import default_encoder, encode, encoder, encoders, feature_key
from clustering.parameters import parameters_of


@pytest.fixture
def vectors() -> StandIn:
    return StandIn("vectors", 5, content=np.arange(15, dtype=np.float32).reshape(5, 3))


def test_the_encoders_of_the_contract_are_there_in_order():
    expected = """efficientnet-lite0 densenet121 timm pixels table vectors window-statistics windows tfidf
    sentence-model word-contexts hidden-states nodes graph-positions views"""
    assert list(encoders()) == expected.split()


@pytest.mark.parametrize("name", list(encoders()))
def test_every_encoder_has_a_form_and_says_where_it_comes_from(name):
    entry = encoders()[name]
    assert all(parameter.meaning for parameter in parameters_of(entry))
    made = entry()
    assert made.origin().endswith(".") and made.describe().endswith(".")
    assert entry.info.summary.endswith(".")
    assert made.parameters() == {p.name: p.default for p in parameters_of(entry)}


def test_finding_encoders_loads_no_heavy_library():
    code = (
        "import sys; from clustering.features import encoders; encoders(); "
        "print([m for m in ('torch', 'timm', 'sklearn', 'scipy', 'datasets', 'PIL') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_small_pictures_get_pixels_and_large_ones_the_offline_network(vectors):
    assert default_encoder("images", noise_pictures(30, 8, 8)) == "pixels"
    assert default_encoder("images", noise_pictures(3, 200, 100)) == "efficientnet-lite0"
    assert default_encoder("images") == "efficientnet-lite0"
    assert default_encoder("table") == "table"
    assert default_encoder("vectors", vectors) == "vectors"


def test_a_kind_no_encoder_reads_is_said():
    with pytest.raises(StudioError, match="No encoder reads collections of the kind “films” yet"):
        default_encoder("films")


def test_encode_goes_wherever_an_array_goes_and_says_what_made_it(vectors):
    features = encode(vectors)
    np.testing.assert_array_equal(np.asarray(features), vectors.content)
    assert features.shape == (5, 3) and len(features) == 5 and features[2, 1] == 7
    assert np.asarray(features, dtype=np.float64).dtype == np.float64
    about = features.about
    assert (about["encoder"], about["n"], about["d"], about["device"]) == ("vectors", 5, 3, "cpu")
    assert about["parameters"] == {"scaling": "as they are"}
    assert about["key"] == feature_key(vectors, "vectors")


def test_the_key_follows_content_encoder_and_parameters_but_not_speed(vectors):
    pictures = noise_pictures(2)
    key = feature_key(pictures, "efficientnet-lite0")
    assert key == feature_key(
        pictures, "efficientnet-lite0", {"fit": "squash", "batch_size": 7, "device": "cpu"}
    )
    others = {
        feature_key(pictures, "efficientnet-lite0", {"fit": "crop"}),
        feature_key(pictures, "pixels"),
        feature_key(StandIn("images", 2, content_hash="other"), "efficientnet-lite0"),
    }
    assert len(others | {key}) == 4


def test_an_unknown_encoder_a_wrong_parameter_and_an_empty_collection_are_said(vectors):
    with pytest.raises(StudioError, match=r"no encoder called “vgg”.*efficientnet-lite0"):
        encode(vectors, "vgg")
    with pytest.raises(StudioError, match="no parameter called “scale”"):
        encode(vectors, scale="x")
    with pytest.raises(StudioError, match="“scaling” is 'maximal'"):
        encode(vectors, scaling="maximal")
    with pytest.raises(StudioError, match="is empty"):
        encode(StandIn("vectors", 0, content=np.empty((0, 3), dtype=np.float32)))


def test_an_encoder_of_another_kind_is_said(vectors):
    with pytest.raises(StudioError, match="EfficientNet-Lite0 reads images; “Stand-in” holds vectors"):
        encode(vectors, "efficientnet-lite0")


def test_parameters_given_to_the_class_itself_are_checked_when_it_encodes(vectors):
    with pytest.raises(StudioError, match="“scaling” is 3"):
        encoder("vectors")(scaling=3).encode(vectors)
    with pytest.raises(StudioError, match="“max_categories” is 0"):
        encoder("table")(max_categories=0).encode(StandIn("table", 1, content=pd.DataFrame({"a": [1]})))
