"""The contract of every registered method: scikit-learn's complete suite, and what this house adds to it."""

from __future__ import annotations

import json
import random
from typing import get_args

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from clustering.errors import StudioError
from clustering.kinds import DataKind
from clustering.methods import method as method_called
from clustering.methods import methods
from clustering.methods.base import Clusterer
from clustering.methods.info import Family, Interaction
from clustering.parameters import parameters_of
from clustering.training.events import Epoch, Finished, Started

# Checks of scikit-learn a method does not pass, and why that is right: {method: {check: reason}}.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {}

# Of another library, where it is installed, a few stand for all: the code around them is the same.
OF_LIBRARIES = {"clustpy_dec", "clustpy_subkmeans", "clustpy_xmeans"}
METHODS = tuple(
    entry for entry in methods().values() if not entry.info.library or entry.info.name in OF_LIBRARIES
)
MUST_BE_REGISTERED = {"kmeans", "gaussian_mixture", "ward", "spectral", "umap_gmm", "umap_hdbscan"}

every_method = pytest.mark.parametrize("method", METHODS, ids=[method.info.name for method in METHODS])


def quick(method: type[Clusterer], **settings) -> Clusterer:
    """Return an unfitted method with the settings it declares quick enough for tests."""
    return method(**(method.info.test_settings | settings))


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    X, _ = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    return X.astype(np.float32)


_fitted: dict[type[Clusterer], Clusterer] = {}


@pytest.fixture
def fitted(method, blobs) -> Clusterer:
    """The method fitted once on the blobs; tests must not change it."""
    if method not in _fitted:
        _fitted[method] = quick(method, random_state=5).fit(blobs)
    return _fitted[method]


@parametrize_with_checks(
    [quick(method) for method in METHODS],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(estimator.info.name, {}),
    xfail_strict=True,
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def test_the_baselines_are_registered_and_found_by_name():
    assert set(methods()) >= MUST_BE_REGISTERED
    assert method_called("ward").info.title == "Ward's tree"
    with pytest.raises(StudioError, match=r"no method called “wrd”.* Choose one of: .*ward"):
        method_called("wrd")


def test_expected_failures_name_methods_that_exist():
    assert set(EXPECTED_FAILURES) <= set(methods())


@every_method
def test_the_entry_says_all_a_card_needs(method):
    info = method.info
    for text in (info.title, info.paper, info.source, info.summary, info.formula):
        assert text.strip() == text != ""
    for paragraph in (info.when_to_use, info.how_it_fails):
        assert len(paragraph) > 60
        assert paragraph.endswith(".")
    assert info.summary.endswith(".")
    assert 1900 < info.year <= 2030
    assert info.name == info.name.lower()
    assert info.formula.count("{") == info.formula.count("}")


@every_method
def test_the_entry_has_one_place_in_the_taxonomy_and_a_kind_of_data(method):
    info = method.info
    assert info.interaction in get_args(Interaction)
    assert info.family in get_args(Family)
    assert info.representation and info.clustering
    assert info.kinds
    assert set(info.first_for) <= set(info.kinds) <= set(get_args(DataKind))


@every_method
def test_the_entry_is_true_about_the_number_of_groups(method):
    names = {parameter.name for parameter in parameters_of(method)}
    assert method.info.needs_n_clusters == ("n_clusters" in names)


@every_method
def test_a_form_can_be_made_of_its_parameters(method):
    parameters = parameters_of(method)
    assert "random_state" in {parameter.name for parameter in parameters}
    assert set(method.info.test_settings) <= {parameter.name for parameter in parameters}
    for parameter in parameters:
        assert parameter.meaning.endswith("."), f"the meaning of {parameter.name} is not a sentence"
        fits_none = parameter.optional and parameter.default is None
        assert (
            fits_none
            or parameter.minimum is None
            or parameter.default is None
            or (np.all(np.asarray(parameter.default) >= parameter.minimum))
        )


@every_method
def test_how_the_numbers_of_an_item_lie_is_a_parameter_that_may_stay_empty(method):
    """Then a row of any length is read, as it is by all the tests here; a job takes it from the features."""
    empty = {parameter.name for parameter in parameters_of(method) if parameter.default is None}
    assert set(method.info.layout) <= empty


@every_method
def test_what_it_found_has_the_promised_shapes_and_types(method, fitted, blobs):
    n = len(blobs)
    n_clusters = fitted.soft_assignments_.shape[1]
    assert fitted.labels_.shape == (n,)
    assert fitted.labels_.dtype == np.int64
    assert (
        fitted.soft_assignments_.dtype
        == fitted.embedding_.dtype
        == fitted.cluster_centers_.dtype
        == np.float32
    )
    assert fitted.soft_assignments_.shape[0] == fitted.embedding_.shape[0] == n
    assert fitted.cluster_centers_.shape == (n_clusters, fitted.embedding_.shape[1])
    assert fitted.n_features_in_ == blobs.shape[1]
    assert fitted.labels_.max() < n_clusters


@every_method
def test_three_clear_groups_are_found(method, fitted):
    _, truth = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    assert adjusted_rand_score(truth, fitted.labels_) > 0.9


@every_method
def test_soft_assignments_sum_to_one_and_peak_at_the_label(method, fitted):
    q, labels = fitted.soft_assignments_, fitted.labels_
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)
    assert (q >= 0).all()
    members = labels >= 0
    np.testing.assert_array_equal(q[members].argmax(axis=1), labels[members])
    np.testing.assert_allclose(q[~members], 1 / q.shape[1], atol=1e-6)


@every_method
def test_fit_and_predict_agree_on_every_subset(method, fitted, blobs):
    np.testing.assert_array_equal(fitted.predict(blobs), fitted.labels_)
    rows = np.random.default_rng(1).permutation(len(blobs))[:17]
    np.testing.assert_array_equal(fitted.predict(blobs[rows]), fitted.labels_[rows])
    np.testing.assert_allclose(fitted.predict_proba(blobs[rows]), fitted.soft_assignments_[rows], atol=1e-5)
    np.testing.assert_allclose(fitted.transform(blobs[rows]), fitted.embedding_[rows], atol=1e-4)
    assert fitted.predict(blobs[:1])[0] == fitted.labels_[0]
    latents, odds = fitted.prepared()(blobs[rows])
    np.testing.assert_array_equal(latents, fitted.transform(blobs[rows]))
    np.testing.assert_array_equal(odds, fitted.predict_proba(blobs[rows]))


@every_method
def test_twins_share_one_cluster_however_often_they_occur(method, blobs):
    X = np.concatenate([blobs[:40], blobs[:40], blobs[:5]])
    labels = quick(method, random_state=1).fit(X).labels_
    np.testing.assert_array_equal(labels[:40], labels[40:80])
    np.testing.assert_array_equal(labels[:5], labels[80:])


@every_method
def test_the_same_seed_gives_the_same_groups_and_leaves_global_chance_alone(method, fitted, blobs):
    import torch

    before = (
        random.getstate(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
        torch.random.get_rng_state(),
    )
    again = quick(method, random_state=5).fit(blobs)
    again.predict(blobs)
    assert random.getstate() == before[0]
    now = [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()]
    assert now == before[1]
    assert torch.equal(torch.random.get_rng_state(), before[2])
    np.testing.assert_array_equal(again.labels_, fitted.labels_)
    np.testing.assert_array_equal(again.soft_assignments_, fitted.soft_assignments_)


@every_method
def test_the_way_numbers_are_stored_changes_nothing(method, fitted, blobs):
    for same in (blobs.astype(np.float64), np.asfortranarray(blobs), np.repeat(blobs, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(fitted.predict(same), fitted.labels_)
    wide = quick(method, random_state=5).fit(np.asfortranarray(blobs.astype(np.float64)))
    np.testing.assert_array_equal(wide.labels_, fitted.labels_)


@every_method
def test_the_data_are_left_as_they_were(method, blobs):
    X = blobs.copy()
    model = quick(method).fit(X)
    model.embedding_[:] = 0
    np.testing.assert_array_equal(X, blobs)


@every_method
def test_a_saved_model_predicts_as_before(method, fitted, blobs, tmp_path):
    fitted.save(tmp_path / "model")
    assert not [path for path in (tmp_path / "model").rglob("*") if path.suffix in {".pkl", ".pickle", ".pt"}]
    loaded = method.load(tmp_path / "model")
    assert loaded.get_params() == fitted.get_params()
    fresh = blobs + np.float32(0.01)
    np.testing.assert_array_equal(loaded.predict(fresh), fitted.predict(fresh))
    np.testing.assert_array_equal(loaded.predict_proba(fresh), fitted.predict_proba(fresh))
    np.testing.assert_array_equal(loaded.transform(fresh), fitted.transform(fresh))
    assert loaded.history_ == json.loads(json.dumps(fitted.history_))


@every_method
def test_loading_from_an_empty_folder_says_what_is_missing(method, tmp_path):
    with pytest.raises(StudioError) as refusal:
        method.load(tmp_path)
    assert str(tmp_path) in refusal.value.problem
    assert refusal.value.mend


@every_method
def test_a_fit_tells_its_start_its_steps_and_its_end(method, blobs):
    events = []
    model = quick(method).fit(blobs, emit=events.append)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert (events[0].method, events[0].n_items, events[0].n_features) == (method.info.name, *blobs.shape)
    assert events[0].device_reason
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert epochs
    phases = dict(events[0].phases)
    assert all(1 <= event.epoch <= event.epochs == phases[event.phase] for event in epochs)
    assert all(np.isfinite(value) for event in epochs for value in event.losses.values())
    assert [row["kind"] for row in model.history_] == [event.kind for event in events]


@every_method
def test_a_listener_that_says_stop_is_heard_after_the_first_epoch(method, blobs):
    epochs = []

    def listener(event):
        if isinstance(event, Epoch):
            epochs.append(event)
            return True
        return None

    model = quick(method).fit(blobs, emit=listener)
    assert len(epochs) == 1
    assert model.history_[-1]["kind"] == "finished"
    assert model.labels_.shape == (len(blobs),)
    np.testing.assert_array_equal(model.predict(blobs), model.labels_)


def _with(blobs: np.ndarray, value: float) -> np.ndarray:
    bad = blobs.astype(np.float64)
    bad[7, 2] = value
    return bad


BAD_DATA = {
    "NaN": (lambda X: _with(X, np.nan), r"first: NaN, row 8, column 3"),
    "infinity": (lambda X: _with(X, np.inf), r"first: inf, row 8, column 3"),
    "a number too large for float32": (lambda X: _with(X, 1e300), r"row 8, column 3"),
    "no rows": (lambda X: X[:0], r"0 sample"),
    "no columns": (lambda X: X[:, :0], r"0 feature"),
    "a single row of numbers": (lambda X: X[0], r"Reshape"),
    "words": (lambda X: np.full(X.shape, "a"), r"."),
}


@every_method
@pytest.mark.parametrize("fault", BAD_DATA)
def test_data_that_cannot_be_used_are_refused_in_sentences(method, fault, blobs):
    spoil, words = BAD_DATA[fault]
    with pytest.raises(StudioError, match=words) as refusal:
        quick(method).fit(spoil(blobs))
    assert refusal.value.problem.endswith((".", ")"))
    assert refusal.value.mend.endswith(".")


@every_method
def test_too_few_items_are_refused_or_grouped_but_never_crash(method, blobs):
    settings = {"n_clusters": 5} if method.info.needs_n_clusters else {}
    with pytest.raises(StudioError) as refusal:
        quick(method, **settings).fit(blobs[:3])
    assert "3" in refusal.value.problem
    assert refusal.value.mend
    with pytest.raises(StudioError):
        quick(method, **settings).fit(np.ones((3, 4)))


@every_method
def test_more_groups_than_different_items_are_refused(method, blobs):
    if not method.info.needs_n_clusters:
        pytest.skip("it finds the number of groups itself")
    with pytest.raises(StudioError, match=r"“n_clusters” is 91, but .* 90 items") as refusal:
        quick(method, n_clusters=91).fit(blobs)
    assert "between 1 and 90" in refusal.value.mend
    with pytest.raises(StudioError, match="“n_clusters” is 6"):
        quick(method, n_clusters=6).fit(np.repeat(blobs[:5], 8, axis=0))


@every_method
def test_constant_columns_do_no_harm(method, blobs):
    X = np.concatenate([blobs, np.full((len(blobs), 2), 7, dtype=np.float32)], axis=1)
    model = quick(method, random_state=5).fit(X)
    assert np.isfinite(model.embedding_).all()
    assert len(set(model.labels_) - {-1}) >= 2


@every_method
def test_a_parameter_out_of_range_is_named_at_the_fit(method, blobs):
    for parameter in parameters_of(method):
        if parameter.kind in ("int", "float") and parameter.minimum is not None:
            model = clone(quick(method)).set_params(**{parameter.name: parameter.minimum - 1})
            with pytest.raises(StudioError, match=f"“{parameter.name}”") as refusal:
                model.fit(blobs)
            assert refusal.value.mend
        if parameter.kind == "choice":
            model = quick(method).set_params(**{parameter.name: "nonsense"})
            with pytest.raises(StudioError, match=f"“{parameter.name}”.*nonsense"):
                model.fit(blobs)


@every_method
def test_other_columns_than_in_the_fit_are_refused(method, fitted, blobs):
    for ask in (fitted.predict, fitted.predict_proba, fitted.transform):
        with pytest.raises(StudioError, match="3 features") as refusal:
            ask(blobs[:, :3])
        assert "same columns" in refusal.value.mend
