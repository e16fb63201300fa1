"""Every projection of the registry keeps the same contract; a new one is tested without a new test."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from clustering.errors import Stopped, StudioError
from clustering.parameters import parameters_of
from clustering.projections import projection, projections, warm
from clustering.projections.base import Projection

KINDS = list(projections().values())
NAMES = list(projections())


@pytest.fixture(scope="module", autouse=True)
def compiled():
    warm()


@pytest.fixture(scope="module")
def rows():
    random_state = np.random.default_rng(3)
    centers = 4 * random_state.normal(size=(4, 60))
    return (centers[random_state.integers(0, 4, 120)] + random_state.normal(size=(120, 60))).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def new_rows(rows):
    return rows[:30] + np.random.default_rng(4).normal(size=(30, 60)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(rows) -> dict[str, Projection]:
    return {kind.info.name: made(kind).fit(rows) for kind in KINDS}


def made(kind: type[Projection], **parameters: Any) -> Projection:
    return kind(**kind.info.test_settings | parameters)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_it_says_what_it_is_and_what_not_to_read_into_it(kind):
    info = kind.info
    assert projection(info.name) is kind
    assert info.name == info.name.lower()
    assert info.title and info.paper and info.source and 1900 < info.year < 2030
    for sentence in (info.summary, info.honesty):
        assert sentence[0].isupper() and sentence.endswith(".") and len(sentence) > 60


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_every_parameter_has_a_meaning_and_a_default(kind):
    parameters = parameters_of(kind)
    assert {"n_components", "random_state"} <= {parameter.name for parameter in parameters}
    assert all(parameter.meaning.endswith(".") for parameter in parameters)
    assert kind().get_params() == {parameter.name: parameter.default for parameter in parameters}


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_it_can_be_cloned(kind):
    assert clone(made(kind)).get_params() == made(kind).get_params()


@pytest.mark.parametrize("name", NAMES)
def test_the_map_has_one_finite_place_an_item_and_names_its_engine(fitted, rows, name):
    model = fitted[name]
    assert model.embedding_.shape == (len(rows), 2)
    assert model.embedding_.dtype == np.float32
    assert np.isfinite(model.embedding_).all()
    assert " on CPU" in model.engine_ and any(sign.isdigit() for sign in model.engine_)
    assert model.seconds_ > 0
    assert model.n_features_in_ == 60


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_fit_transform_is_fit_and_the_same_seed_gives_the_same_map(kind, fitted, rows):
    np.testing.assert_array_equal(made(kind).fit_transform(rows), fitted[kind.info.name].embedding_)


@pytest.mark.parametrize("name", NAMES)
def test_items_of_the_fit_return_to_their_places(fitted, rows, name):
    np.testing.assert_allclose(fitted[name].transform(rows), fitted[name].embedding_, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_new_items_place_does_not_depend_on_its_company(fitted, rows, new_rows, name):
    model = fitted[name]
    whole = model.transform(new_rows)
    one_by_one = np.concatenate([model.transform(new_rows[i : i + 1]) for i in range(len(new_rows))])
    mixed = model.transform(np.concatenate([rows[:50], new_rows[::-1]]))[50:][::-1]
    for other in (one_by_one, mixed, model.transform(new_rows[5:])):
        np.testing.assert_allclose(other, whole[-len(other) :], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_placing_new_items_leaves_the_map_alone(fitted, new_rows, name):
    model = fitted[name]
    before = model.embedding_.copy()
    first = model.transform(new_rows)
    first += 100.0
    np.testing.assert_array_equal(model.embedding_, before)
    np.testing.assert_allclose(model.transform(new_rows), first - 100.0, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_placing_new_items_tells_its_steps_and_can_be_stopped(fitted, new_rows, name):
    model, told = fitted[name], []
    whole = model.transform(new_rows, progress=lambda *step: told.append(step))
    last = {doing: (done, total) for done, total, doing in told}
    assert last and all(done == total for done, total in last.values())
    for doing in last:
        with pytest.raises(Stopped):
            model.transform(new_rows, progress=lambda done, total, said, doing=doing: said == doing)
    np.testing.assert_allclose(model.transform(new_rows), whole, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_new_item_lands_among_the_items_like_it(fitted, rows, new_rows, name):
    model = fitted[name]
    likeness = ((new_rows[:, None] - rows[None]) ** 2).sum(axis=2).argmin(axis=1)
    off = np.linalg.norm(model.transform(new_rows) - model.embedding_[likeness], axis=1)
    scattered = np.linalg.norm(model.embedding_ - model.embedding_.mean(axis=0), axis=1).mean()
    assert np.median(off) < 0.5 * scattered


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_what_is_given_out_cannot_change_the_map(kind, rows):
    model = made(kind)
    given = model.fit_transform(rows[:40])
    given += 1.0
    np.testing.assert_allclose(model.embedding_, given - 1.0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_the_input_is_not_changed_and_its_type_does_not_matter(kind, fitted, rows):
    wide = rows.astype(np.float64)
    wide.setflags(write=False)
    np.testing.assert_array_equal(made(kind).fit_transform(wide), fitted[kind.info.name].embedding_)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_the_global_generators_are_untouched(kind, rows, new_rows):
    np.random.seed(5)
    random.seed(5)
    state, plain_state = np.random.get_state()[1].copy(), random.getstate()
    made(kind).fit(rows).transform(new_rows)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert random.getstate() == plain_state


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_progress_counts_up_to_the_end_of_every_step(kind, rows):
    told: list[tuple[int, int, str]] = []
    made(kind).fit(rows, progress=lambda *step: told.append(step))
    for doing in {step[2] for step in told}:
        done = [step[0] for step in told if step[2] == doing]
        totals = {step[1] for step in told if step[2] == doing}
        assert done == sorted(done) and len(totals) == 1
        assert done[-1] == totals.pop()


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_a_stop_is_obeyed_at_every_step_and_leaves_nothing_fitted(kind, rows):
    steps: list[str] = []
    made(kind).fit(rows, progress=lambda done, total, doing: steps.append(doing))
    for doing in dict.fromkeys(steps):
        model = made(kind).fit(rows[:40])
        with pytest.raises(Stopped):
            model.fit(rows, progress=lambda done, total, said, doing=doing: said == doing)
        assert not hasattr(model, "embedding_")
        assert model.fit(rows).embedding_.shape == (len(rows), 2)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@pytest.mark.parametrize("n_items", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_tiny_sets_and_one_to_three_dimensions_work(kind, rows, n_items, n_components):
    model = made(kind, n_components=n_components)
    places = model.fit_transform(rows[:n_items])
    assert places.shape == (n_items, n_components)
    assert np.isfinite(places).all()
    assert np.isfinite(model.transform(rows[-3:])).all()


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_equal_items_share_one_place(kind, rows):
    repeated = np.concatenate([rows[:20], rows[:20], rows[:5]])
    places = made(kind).fit_transform(repeated)
    np.testing.assert_array_equal(places[:20], places[20:40])
    np.testing.assert_array_equal(places[:5], places[40:])
    alike = made(kind).fit_transform(np.full((30, 4), 7.5))
    np.testing.assert_array_equal(alike, np.zeros((30, 2)))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_constant_and_single_columns_are_no_trouble(kind, rows):
    with_constant = rows[:40].copy()
    with_constant[:, 10:50] = 1e6
    assert np.isfinite(made(kind).fit_transform(with_constant)).all()
    assert np.isfinite(made(kind).fit_transform(rows[:40, :1])).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_projection_places_items_as_before(fitted, rows, new_rows, name, tmp_path):
    model = fitted[name]
    model.save(tmp_path / "model")
    assert {file.name for file in (tmp_path / "model").iterdir()} == {"model.json", "arrays.safetensors"}
    for loaded in (type(model).load(tmp_path / "model"), Projection.load(tmp_path / "model")):
        assert type(loaded) is type(model)
        assert loaded.get_params() == model.get_params()
        assert (loaded.engine_, loaded.seconds_, loaded.notes_) == (
            model.engine_,
            model.seconds_,
            model.notes_,
        )
        np.testing.assert_array_equal(loaded.embedding_, model.embedding_)
        np.testing.assert_array_equal(loaded.transform(new_rows), model.transform(new_rows))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_a_projection_of_few_items_can_be_saved_too(kind, rows, tmp_path):
    model = made(kind).fit(rows[:3])
    model.save(tmp_path)
    np.testing.assert_array_equal(kind.load(tmp_path).transform(rows), model.transform(rows))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_what_cannot_be_mapped_is_refused_in_a_sentence(kind, fitted, rows):
    broken = rows.copy()
    broken[3, 2] = np.nan
    with pytest.raises(StudioError, match=r"missing or infinite"):
        made(kind).fit(broken)
    with pytest.raises(StudioError, match=r"not a table"):
        made(kind).fit(rows[0])
    with pytest.raises(StudioError):
        made(kind).fit(rows[:0])
    with pytest.raises(StudioError):
        fitted[kind.info.name].transform(rows[:0])
    with pytest.raises(StudioError, match=r"columns|features"):
        fitted[kind.info.name].transform(rows[:, :7])
    with pytest.raises(StudioError, match=r"“n_components” is 9"):
        made(kind, n_components=9).fit(rows)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_a_folder_without_a_projection_is_refused_in_a_sentence(kind, fitted, tmp_path):
    with pytest.raises(StudioError, match=r"holds no saved projection"):
        kind.load(tmp_path)
    other = next(model for name, model in fitted.items() if name != kind.info.name)
    other.save(tmp_path)
    with pytest.raises(StudioError, match=rf"not one of {kind.info.title}"):
        kind.load(tmp_path)
    (tmp_path / "arrays.safetensors").write_bytes(b"nonsense")
    with pytest.raises(StudioError, match=r"cannot be read"):
        type(other).load(tmp_path)


def test_an_unknown_projection_is_refused_with_the_names_there_are():
    with pytest.raises(StudioError, match=r"no projection called “isomap”.*pca, umap, tsne"):
        projection("isomap")


@pytest.mark.parametrize("name", NAMES)
def test_a_start_is_gone_on_from_or_refused(fitted, rows, name):
    model = fitted[name]
    kind = type(model)
    if kind.info.going_on is None:
        with pytest.raises(StudioError, match="cannot begin from given places"):
            made(kind).fit(rows, start=model.embedding_)
        return
    told: list[tuple[int, int, str]] = []
    settings = kind.info.test_settings | kind.info.going_on
    again = kind(**settings).fit(rows, start=model.embedding_, progress=lambda *step: told.append(step))
    moved = np.linalg.norm(again.embedding_ - model.embedding_, axis=1).mean()
    scattered = np.linalg.norm(model.embedding_ - model.embedding_.mean(axis=0), axis=1).mean()
    assert moved < 0.5 * scattered
    assert [step[:2] for step in told if step[2] == "moving the points"][-1] == (told[-1][1], told[-1][1])
