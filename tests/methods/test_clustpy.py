"""The adapter for another library's clusterers, on a small package laid out as ClustPy is."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import random
import sys
import unittest

import fake_library
import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import estimator_checks_generator

import clustering.methods
from clustering.errors import StudioError
from clustering.methods import absent, clustpy, library_version
from clustering.methods.base import Clusterer
from clustering.methods.constructors import parameter_sentences
from clustering.parameters import parameters_of
from clustering.registry import discovered
from clustering.training.events import Epoch, Started

FAKE = "library_like_clustpy"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    fake_library.write(folder, FAKE)
    sys.path.insert(0, str(folder))
    yield clustpy.found_in(FAKE)
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == FAKE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    return X.astype(np.float32), y


def test_every_clusterer_is_found_and_nothing_else(found):
    assert set(found) == {"ClustpyNet", "ClustpyHalves", "ClustpyTwoViews", "ClustpyRefuses"}
    assert all(issubclass(made, Clusterer) for made in found.values())


def test_an_entry_says_what_its_documentation_says(found):
    info = found["ClustpyNet"].info
    assert (info.name, info.title, info.library) == ("clustpy_net", "Net (ClustPy)", "ClustPy")
    assert (info.paper, info.year) == ("Doe, Jane. On nets. Journal of Nets. 1999.", 1999)
    assert info.summary == "The Net algorithm. First, a network is trained."
    assert (info.family, info.interaction) == ("deep", "simultaneous")
    plain = found["ClustpyRefuses"].info
    assert (plain.family, plain.interaction, plain.needs_n_clusters) == ("baseline", "none", False)
    assert plain.paper == "Refuses in ClustPy"


def test_a_summary_is_two_sentences_and_an_abbreviation_ends_none():
    text = "Differs from others (e.g. X-means). Splits groups. Third.\n\nParameters\n----------\n"
    assert clustpy._summary(text) == "Differs from others (e.g. X-means). Splits groups."


def test_its_constructor_becomes_parameters_a_form_can_show(found):
    shown = {parameter.name: parameter for parameter in parameters_of(found["ClustpyHalves"])}
    assert list(shown) == ["n_clusters", "strategy", "share", "iterations", "random_state"]
    assert shown["strategy"].choices == ("none", "far")
    assert shown["strategy"].meaning == "Defines what is noise."
    assert (shown["share"].kind, shown["share"].minimum, shown["share"].default) == ("float", 0, 0.1)
    assert (shown["iterations"].kind, shown["iterations"].optional) == ("int", True)
    deep = {parameter.name: parameter for parameter in parameters_of(found["ClustpyNet"])}
    assert deep["device"].choices[:2] == ("auto", "cpu")
    assert not deep["pretrain_epochs"].advanced
    assert deep["batch_size"].advanced
    assert "optimizer_class" not in deep
    views = {parameter.name: parameter for parameter in parameters_of(found["ClustpyTwoViews"])}
    assert views["clusters_per_view"].kind == "ints"
    assert list(views) == ["clusters_per_view", "random_state"]


def test_what_numpydoc_says_of_a_parameter_is_read_to_its_last_line():
    sections = (
        "Title.",
        "Parameters\n----------\na : int\n    one\n    two (default: 3)\nb: str\n    three",
        "Returns\n-------\nc : x\n    y",
    )
    text = "\n\n".join(sections)
    assert parameter_sentences(text) == {"a": "one two (default: 3)", "b": "three"}
    assert parameter_sentences("No sections.") == {}


def test_a_fit_finds_the_groups_and_its_epochs_are_heard(found, blobs, capsys):
    X, y = blobs
    events = []
    model = found["ClustpyNet"](3, pretrain_epochs=4, clustering_epochs=3, device="cpu")
    model.fit(X, emit=lambda event: events.append(event) and None)
    assert adjusted_rand_score(y, model.labels_) == 1
    assert model.embedding_.shape == (90, 2)
    assert isinstance(events[0], Started)
    assert events[0].phases == (("pretrain", 4), ("cluster", 3))
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [(e.phase, e.epoch) for e in epochs] == [
        *(("pretrain", number) for number in range(1, 5)),
        *(("cluster", number) for number in range(1, 4)),
    ]
    assert [e.losses.get("total") for e in epochs[:4]] == [10.0, 9.0, 8.0, 7.0]
    assert sorted(epochs[-1].cluster_sizes) == [30, 30, 30]
    assert model.history_[-1]["reason"] == "ClustPy found 3 groups"
    assert capsys.readouterr().out == ""


def test_its_progress_bars_are_its_own_again_after_a_fit(found, blobs):
    import tqdm

    module = sys.modules[f"{FAKE}.deep.net"]
    found["ClustpyNet"](3, pretrain_epochs=1, clustering_epochs=1, device="cpu").fit(blobs[0])
    assert module.tqdm is tqdm


def test_a_stop_ends_its_loops_and_leaves_groups(found, blobs):
    heard = []

    def listener(event):
        if isinstance(event, Epoch):
            heard.append(event)
            return len(heard) == 2
        return None

    model = found["ClustpyNet"](3, pretrain_epochs=50, clustering_epochs=5, device="cpu")
    model.fit(blobs[0], emit=listener)
    assert [event.epoch for event in heard] == [1, 2]
    assert len(set(model.labels_)) == 3
    assert model.history_[-1]["reason"] == "stopped on request"


def test_the_seed_decides_what_it_draws_and_global_chance_is_left_alone(found, blobs):
    made, X = found["ClustpyNet"], blobs[0]
    settings = {"pretrain_epochs": 1, "clustering_epochs": 1, "device": "cpu"}
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state()
    one, same, other = (made(3, **settings, random_state=seed).fit(X) for seed in (1, 1, 2))
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.random.get_rng_state(), before[2])
    np.testing.assert_array_equal(one.embedding_, same.embedding_)
    assert np.abs(one.embedding_ - other.embedding_).max() > 0.1


def test_noise_belongs_to_no_group_and_group_numbers_have_no_gaps(found, blobs):
    model = found["ClustpyHalves"](3, strategy="far").fit(blobs[0])
    assert set(model.labels_) == {-1, 0, 1, 2}
    np.testing.assert_allclose(model.soft_assignments_[model.labels_ < 0], 1 / 3)
    members = model.labels_ >= 0
    np.testing.assert_array_equal(model.soft_assignments_[members].argmax(axis=1), model.labels_[members])
    np.testing.assert_array_equal(model.predict(blobs[0]), model.labels_)


def test_of_several_labellings_the_first_counts(found, blobs):
    model = found["ClustpyTwoViews"](clusters_per_view=(2, 3)).fit(blobs[0])
    assert set(model.labels_) == {0, 1}


def test_what_the_library_refuses_is_told_in_its_words(found, blobs):
    with pytest.raises(StudioError, match="ClustPy says: Only counts are allowed") as refusal:
        found["ClustpyRefuses"]().fit(blobs[0])
    assert refusal.value.mend.endswith(".")
    with pytest.raises(StudioError, match=r"does not say why \(AssertionError\)"):
        found["ClustpyRefuses"](reason="").fit(blobs[0])


def test_a_saved_model_places_new_items_with_the_nearest(found, blobs, tmp_path):
    model = found["ClustpyHalves"](3).fit(blobs[0])
    model.save(tmp_path)
    loaded = found["ClustpyHalves"].load(tmp_path)
    near = blobs[0] + np.float32(0.01)
    np.testing.assert_array_equal(loaded.predict(near), model.labels_)
    assert json.loads((tmp_path / "model.json").read_text())["method"] == "clustpy_halves"


def test_scikit_learn_accepts_what_is_made(found, monkeypatch):
    made = found["ClustpyHalves"]
    monkeypatch.setattr(clustpy, made.__name__, made, raising=False)  # where a pickle looks for it
    checks = 0
    for estimator, check in estimator_checks_generator(made(3)):
        with contextlib.suppress(unittest.SkipTest):
            check(estimator)
            checks += 1
    assert checks > 40


def test_the_registry_finds_what_was_put_into_the_module(found, monkeypatch):
    monkeypatch.setattr(clustpy, "ClustpyNet", found["ClustpyNet"], raising=False)
    assert discovered(clustering.methods, Clusterer)["clustpy_net"] is found["ClustpyNet"]


def test_without_the_library_one_line_says_how_to_have_it(monkeypatch):
    there = importlib.util.find_spec("sklearn")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert library_version("clustpy") is None
    assert absent() == ("ClustPy’s methods are not installed: pip install 'deep-clustering-studio[clustpy]'",)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: there)
    assert absent() == ()


def test_nothing_of_it_is_imported_where_it_is_not_installed():
    if library_version("clustpy") is None:
        assert not any(name.split(".")[0] == "clustpy" for name in sys.modules)
