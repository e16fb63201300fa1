"""DRE on real digits: faithful, row by row for new items, honest about its steps, in every variant."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from clustering.cli.settings import settings
from clustering.errors import Stopped, StudioError
from clustering.parameters import parameters_of
from clustering.projections import dre as dre_module
from clustering.projections import dre_training
from clustering.projections.dre import DRE, TRUNKS
from clustering.projections.dre_input import Standard, picture_of
from clustering.projections.dre_steps import planned

QUICK = {"trunk": "fc-light", "batch_size": 500, "stage2_epochs": 30, "recursion_epochs": 20}
TINY = dict(DRE.info.test_settings)


@pytest.fixture(scope="module")
def digits():
    pictures, names = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(pictures))[:1400]
    return pictures[chosen].astype(np.float32), names[chosen]


@pytest.fixture(scope="module")
def mapped(digits):
    return DRE(**QUICK, select="last", input_epochs=40).fit(digits[0][:1000])


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    return (3 * random.normal(size=(4, 16))[random.integers(0, 4, 90)] + random.normal(size=(90, 16))).astype(
        np.float32
    )


def test_neighbours_on_the_map_of_digits_are_neighbours_in_the_data(digits, mapped):
    assert trustworthiness(digits[0][:1000], mapped.embedding_, n_neighbors=10) > 0.95


def test_new_digits_land_among_their_like(digits, mapped):
    (pictures, names), places = digits, mapped.embedding_
    known = KNeighborsClassifier(10).fit(places, names[:1000])
    assert known.score(mapped.transform(pictures[1000:]), names[1000:]) > 0.84


def test_without_recursion_the_same_work_keeps_neighbours_better(digits):
    model = DRE(**QUICK, recursion=False, stage2="none", input_epochs=40).fit(digits[0][:1000])
    assert [(step.name, step.epochs) for step in model.steps_] == [("input", 100)]
    assert trustworthiness(digits[0][:1000], model.embedding_, n_neighbors=10) > 0.97


def test_every_step_is_measured_and_its_loss_falls(mapped):
    names = ["input", "hidden-1", "hidden-2", "hidden-3", "stage-2"]
    assert [step.name for step in mapped.steps_] == names
    assert mapped.kept_step_ == "stage-2"
    for step in mapped.steps_:
        losses = [row["loss"] for row in mapped.history_ if row["step"] == step.name]
        assert len(losses) == step.epochs and losses[-1] == step.loss
        assert np.mean(losses[-5:]) < np.mean(losses[:5])
        assert 0.9 < step.known.trustworthiness < 1 and step.new is None
    seconds = [row["seconds"] for row in mapped.history_]
    assert seconds == sorted(seconds)


def test_the_measured_map_is_the_map(digits, mapped):
    value = trustworthiness(digits[0][:1000], mapped.embedding_, n_neighbors=15)
    assert mapped.steps_[-1].known.trustworthiness == pytest.approx(value, abs=1e-3)


def test_the_best_step_is_kept_and_told(digits, mapped):
    model = DRE(**QUICK, select="best", input_epochs=40).fit(digits[0][:1000])
    best = max(model.steps_, key=lambda step: step.score)
    assert model.kept_step_ == best.name != "stage-2"
    assert best.title in model.notes_[-1] and "was kept" in model.notes_[-1]
    value = trustworthiness(digits[0][:1000], model.embedding_, n_neighbors=15)
    assert best.known.trustworthiness == pytest.approx(value, abs=1e-3)
    assert mapped.notes_ == ()


@pytest.mark.parametrize("stage2", ["kl", "ce"])
@pytest.mark.parametrize("affinity", ["batch", "global"])
def test_both_affinities_and_both_second_stages_keep_neighbours(digits, affinity, stage2):
    settings = QUICK | {"stage2_epochs": 20, "recursion_epochs": 10, "select": "last"}
    model = DRE(**settings, affinity=affinity, stage2=stage2, input_epochs=30).fit(digits[0][:700])
    assert trustworthiness(digits[0][:700], model.embedding_, n_neighbors=10) > 0.93
    assert ("whole set" in model.engine_) == (affinity == "global")


@pytest.mark.parametrize("affinity", ["batch", "global"])
@pytest.mark.parametrize("n_items", [5, 7, 15])
@pytest.mark.parametrize("stage2", ["kl", "ce"])
def test_handfuls_of_items_are_mapped_in_any_way(rows, affinity, n_items, stage2):
    settings = TINY | {"input_epochs": 3, "affinity": affinity, "stage2": stage2, "batch_size": 10}
    for n_components in (1, 3):
        places = DRE(**settings, n_components=n_components).fit_transform(rows[:n_items])
        assert places.shape == (n_items, n_components) and np.isfinite(places).all()


@pytest.mark.parametrize(
    ("trunk", "affinity"),
    [("conv-small", "global"), ("conv-medium", "batch"), ("fc", "batch"), ("fc-full", "global")],
)
def test_other_trunks_learn_too(digits, trunk, affinity):
    settings = TINY | {"trunk": trunk, "input_epochs": 30, "batch_size": 100, "affinity": affinity}
    model = DRE(**settings).fit(digits[0][:200])
    assert trustworthiness(digits[0][:200], model.embedding_, n_neighbors=10) > 0.85
    assert f"({trunk}, neighbours in" in model.engine_


def test_every_variant_can_be_chosen_in_a_form_and_on_the_command_line():
    choices = {parameter.name: parameter.choices for parameter in parameters_of(DRE)}
    assert choices["trunk"] == TRUNKS and len(TRUNKS) == 6
    assert choices["stage2"] == ("kl", "ce", "none")
    assert choices["affinity"] == ("auto", "batch", "global")
    assert choices["select"] == ("best", "last")
    for name in ("trunk", "stage2", "affinity", "select"):
        for choice in choices[name]:
            assert settings(DRE, [f"{name}={choice}"]) == {name: choice}
    assert settings(DRE, ["recursion=false", "picture=28,28"]) == {"recursion": False, "picture": (28, 28)}


def test_neighbours_are_found_in_the_whole_set_of_more_than_fifty_thousand_items():
    defaults = DRE().get_params()
    assert [DRE()._recipe(n, defaults).overall for n in (50_000, 50_001)] == [False, True]
    assert DRE()._recipe(50_001, defaults | {"affinity": "batch"}).overall is False


def test_the_largest_trunk_maps_colour_pictures_of_any_shape():
    pictures = np.random.default_rng(0).random((12, 6 * 10 * 3)).astype(np.float32)
    settings = TINY | {"trunk": "conv-large", "input_epochs": 2, "recursion_epochs": 1, "stage2_epochs": 1}
    state = torch.get_rng_state()
    model, again = (DRE(**settings, picture=(6, 10, 3)).fit(pictures) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)  # dropout has a seed of its own
    np.testing.assert_array_equal(again.embedding_, model.embedding_)
    np.testing.assert_allclose(model.transform(pictures[:1]), model.embedding_[:1], atol=1e-5)


def test_a_saved_map_of_pictures_is_read_with_its_shape_and_steps(tmp_path):
    pictures = np.random.default_rng(0).random((12, 24)).astype(np.float32)
    settings = TINY | {"trunk": "conv-small", "input_epochs": 2}
    model = DRE(**settings, picture=(4, 6), held_out=3).fit(pictures)
    model.save(tmp_path)
    loaded = DRE.load(tmp_path)
    assert loaded.get_params() == model.get_params()
    assert (loaded.steps_, loaded.kept_step_) == (model.steps_, model.kept_step_)
    np.testing.assert_array_equal(loaded.transform(pictures), model.transform(pictures))


@pytest.mark.parametrize(
    ("n_features", "given", "found"),
    [
        (784, None, (28, 28, 1)),
        (192, None, (8, 8, 3)),
        (24, (4, 6), (4, 6, 1)),
        (1, None, (1, 1, 1)),
        (60, (5, 4, 3), (5, 4, 3)),
    ],
)
def test_rows_are_read_as_pictures(n_features, given, found):
    assert picture_of(n_features, given) == found


@pytest.mark.parametrize(
    ("n_features", "given", "said"),
    [
        (50, None, "50 numbers an item are no square"),
        (50, (5, 5), "but the items have 50 numbers"),
        (50, (50,), "is \\(50,\\)"),
    ],
)
def test_rows_that_are_no_pictures_are_refused_with_the_mend(n_features, given, said):
    with pytest.raises(StudioError, match=said) as refused:
        picture_of(n_features, given)
    assert refused.value.mend


def test_items_set_aside_are_not_learned_from_but_measured_and_placed(rows):
    model = DRE(**TINY, held_out=30).fit(rows)
    assert model.embedding_.shape == (90, 2)
    assert all(step.new is not None and 0.5 < step.new.trustworthiness <= 1 for step in model.steps_)
    best = max(model.steps_, key=lambda step: (step.new.trustworthiness + step.new.continuity) / 2)
    assert model.kept_step_ == best.name
    assert "new items" in model.notes_[-1]


def test_large_sets_spare_items_and_look_for_neighbours_everywhere(rows, monkeypatch):
    monkeypatch.setattr(dre_module, "WORTH_HOLDING_OUT", 80)
    monkeypatch.setattr(dre_module, "HELD_OUT", 20)
    monkeypatch.setattr(dre_module, "MANY", 80)
    model = DRE(**TINY).fit(rows)
    assert model.steps_[0].new is not None and "neighbours in the whole set" in model.engine_


def test_affinities_kept_between_draws_are_those_found_at_every_visit(rows, monkeypatch):
    settings = TINY | {"batch_size": 30, "redraw_every": 5}
    kept = DRE(**settings).fit_transform(rows)
    monkeypatch.setattr(dre_training, "KEPT_BYTES", 0)
    np.testing.assert_allclose(DRE(**settings).fit_transform(rows), kept, atol=1e-4)


def test_batches_are_drawn_anew_every_epoch_unless_told_otherwise(rows, monkeypatch):
    draws = []
    drawn = dre_training.Learner._drawn
    monkeypatch.setattr(
        dre_training.Learner,
        "_drawn",
        lambda self, step, draw: draws.append((step.name, draw)) or drawn(self, step, draw),
    )
    DRE(**TINY | {"batch_size": 30, "recursion": False, "stage2": "none"}).fit(rows)
    assert draws == [("input", epoch) for epoch in range(25 + 3 * 4)]
    draws.clear()
    DRE(**TINY | {"batch_size": 30, "recursion": False, "stage2": "none", "redraw_every": 10}).fit(rows)
    assert sorted(set(draws)) == [("input", draw) for draw in range(4)]


def test_steps_follow_the_switches():
    def names(**switches):
        return [
            (step.name, step.layer, step.loss, step.epochs, step.learning_rate)
            for step in planned(DRE(**switches).get_params())
        ]

    assert names() == [
        ("input", 0, "tsne", 100, 1e-3),
        ("hidden-1", 1, "tsne", 50, 1e-3),
        ("hidden-2", 2, "tsne", 50, 1e-3),
        ("hidden-3", 3, "tsne", 50, 1e-3),
        ("stage-2", 3, "kl", 100, 1e-4),
    ]
    assert names(recursion=False, stage2="ce") == [
        ("input", 0, "tsne", 250, 1e-3),
        ("stage-2", 0, "ce", 100, 1e-4),
    ]
    assert [name for name, *_ in names(stage2="none")] == ["input", "hidden-1", "hidden-2", "hidden-3"]


def test_the_network_is_chosen_by_the_processor(rows):
    model = DRE(**TINY | {"trunk": None}).fit(rows)
    assert ("fc-light" in model.engine_) == (not torch.cuda.is_available())


def test_the_number_of_threads_outlives_a_fit(rows):
    before = torch.get_num_threads()
    DRE(**TINY).fit(rows)
    assert torch.get_num_threads() == before


def test_a_perplexity_beyond_the_items_is_lowered_and_noted(rows):
    model = DRE(**TINY | {"perplexity": 200.0, "select": "last"}).fit(rows)
    assert model.notes_ == (
        "“perplexity” was lowered from 200 to 29.7, because only 90 items are compared with one another.",
    )


def test_half_precision_makes_nearly_as_good_a_map(rows):
    scores = [DRE(**TINY, precision=p).fit(rows).steps_[0].score for p in ("float32", "bfloat16")]
    assert abs(scores[0] - scores[1]) < 0.03


def test_a_stop_is_heard_between_two_batches_of_an_epoch(rows):
    told = []
    with pytest.raises(Stopped):
        DRE(**TINY | {"batch_size": 15}).fit(
            rows, progress=lambda done, total, doing: told.append(done) or len(told) == 4
        )
    assert told == [0, 0, 0, 0]


def test_a_map_that_falls_apart_is_refused_with_the_mend(rows, monkeypatch):
    monkeypatch.setattr(dre_training.Visit, "mean", lambda self, count: float("nan"))
    with pytest.raises(StudioError, match=r"fell apart while learning from the input, epoch 1") as refused:
        DRE(**TINY).fit(rows)
    assert "learning_rate" in refused.value.mend


def test_the_standard_keeps_the_proportions_of_distances(rows):
    standard = Standard.of(100 + 7 * rows, "euclidean")(100 + 7 * rows)
    assert standard.mean() == pytest.approx(0, abs=1e-5)
    assert (standard.astype(np.float64) ** 2).mean() == pytest.approx(1, abs=1e-5)
    ratios = np.linalg.norm(rows[1:] - rows[0], axis=1) / np.linalg.norm(standard[1:] - standard[0], axis=1)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)


def test_cosine_does_not_see_the_length_of_rows(rows):
    lengths = 2.0 ** np.random.default_rng(1).integers(-3, 4, size=(len(rows), 1))
    model = DRE(**TINY, metric="cosine")
    np.testing.assert_allclose(model.fit_transform(rows * lengths), model.fit_transform(rows), atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("affinity", ["batch", "global"])
def test_the_gpu_makes_as_good_a_map_and_the_same_one_twice(digits, affinity):
    settings = QUICK | {"trunk": "fc", "affinity": affinity, "input_epochs": 60, "device": "cuda"}
    first, second = (DRE(**settings).fit(digits[0][:1000]) for _ in range(2))
    assert trustworthiness(digits[0][:1000], first.embedding_, n_neighbors=10) > 0.95
    np.testing.assert_array_equal(first.embedding_, second.embedding_)
    on_cpu = DRE(**settings | {"device": "cpu"}).fit(digits[0][:1000])
    assert abs(on_cpu.steps_[0].known.score - first.steps_[0].known.score) < 0.02


def test_the_precision_of_products_outlives_a_fit(rows):
    before = torch.backends.cuda.matmul.fp32_precision
    DRE(**TINY).fit(rows)
    assert torch.backends.cuda.matmul.fp32_precision == before
