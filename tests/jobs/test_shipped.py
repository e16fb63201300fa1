"""Results that travel with the samples are what the library computes, and are used only where they fit."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clustering.collections.samples import make_sample, samples
from clustering.jobs import shipped
from clustering.jobs.beside import FEWEST, filmed
from clustering.workspace import Workspace


@pytest.fixture
def digits(tmp_path):
    workspace = Workspace.open(tmp_path)
    collection = make_sample("digits", workspace.new_collection_folder("digits"))
    return workspace, workspace.add_collection(collection)


@pytest.mark.parametrize("sample", list(shipped.RECIPES))
def test_a_travelling_result_is_whole(sample):
    result = shipped.shipped(sample)
    assert result is not None
    n = samples()[sample].n_items
    assert result.arrays["features"].shape[0] == result.arrays["positions"].shape[0] == n
    assert len(result.told["cards"]) == n
    methods = [run["method"] for run in result.told["runs"]]
    assert methods[0] == shipped.RECIPES[sample]["method"]
    assert set(methods[1:]) == set(shipped.BASELINES)
    for number in range(len(methods)):
        run = result.run(number)
        assert len(run.labels) == len(run.soft_assignments) == len(run.latents) == n
        assert np.allclose(run.soft_assignments.sum(axis=1), 1, atol=1e-4)


def test_a_sample_has_its_run_and_map_at_once(digits):
    workspace, collection = digits
    made = shipped.finish(workspace, "digits", collection.id)
    assert workspace.run(made["run"]).method == "dec"
    assert workspace.projection(made["projection"]).run_id == made["run"]
    assert workspace.quality(made["run"])
    assert {run.family for run in workspace.runs(collection.id)} == {"deep", "baseline"}
    assert workspace.runs(collection.id)[0].id == made["run"]
    assert not workspace.jobs()


def test_finishing_twice_makes_nothing_twice(digits):
    workspace, collection = digits
    shipped.finish(workspace, "digits", collection.id)
    before = len(workspace.runs())
    shipped.finish(workspace, "digits", collection.id)
    assert len(workspace.runs()) == before


def test_the_training_that_travels_can_be_played(digits):
    workspace, collection = digits
    made = shipped.finish(workspace, "digits", collection.id)
    kept = filmed(workspace, made["projection"])
    assert FEWEST <= len(kept) <= shipped.SNAPSHOTS
    last = kept[-1].load()
    assert adjusted_rand_score(last["labels"], workspace.run_arrays(made["run"]).labels[last["rows"]]) > 0.95


def test_other_content_is_never_given_a_travelling_result(digits, monkeypatch):
    workspace, collection = digits
    result = shipped.shipped("digits")
    other = dataclasses.replace(result, told={**result.told, "content_hash": "another"})
    monkeypatch.setattr(shipped, "shipped", lambda sample: other)
    assert shipped.finish(workspace, "digits", collection.id) == {}
    assert not workspace.runs()
    assert [job.kind for job in reversed(workspace.jobs())] == ["features", "train", "project", "quality"]


def test_the_features_that_travel_are_those_the_encoder_makes(digits):
    from clustering.features import encode

    workspace, collection = digits
    made = encode(workspace.open_collection(collection.id), samples()["digits"].encoder)
    result = shipped.shipped("digits")
    assert np.allclose(made.values, result.arrays["features"], atol=1e-5)
    assert made.about["key"] == result.told["features"]["key"]


def test_the_gallery_features_that_travel_are_those_the_encoder_makes(tmp_path):
    """Twelve pictures, painted anew and encoded anew, against their rows."""
    import pandas as pd
    from PIL import Image

    from clustering.collections import load
    from clustering.collections.samples.gallery import painted, plans
    from clustering.features import encode

    result, folder = shipped.shipped("generated_gallery"), tmp_path / "pictures"
    folder.mkdir()
    titles, chosen = [], list(plans())[::50]
    for plan in chosen:
        pixels, row = painted(plan)
        Image.fromarray(pixels).save(folder / plan.file, "JPEG", quality=88, subsampling=0, optimize=True)
        titles.append(row["title"])
    collection = load(folder, tmp_path / "collection", copy=True)
    made = encode(collection, "efficientnet-lite0")
    by_title = {card[0]: at for at, card in enumerate(result.told["cards"])}
    names = [plan.file.rsplit(".", 1)[0] for plan in chosen]
    rows = {name: by_title[title] for name, title in zip(names, titles, strict=True)}
    order = [rows[str(item)] for item in pd.Series(collection.items["id"]).astype(str)]
    assert np.allclose(made.values, result.arrays["features"][order], atol=1e-3)


def test_plain_methods_that_travel_give_the_same_groups_when_run_again():
    from clustering.methods import method

    result = shipped.shipped("generated_gallery")
    number = next(at for at, run in enumerate(result.told["runs"]) if run["method"] == "ward")
    again = method("ward")(n_clusters=8).fit(result.arrays["features"])
    assert adjusted_rand_score(again.labels_, result.run(number).labels) == pytest.approx(1.0)


def test_the_figures_that_travel_are_those_of_the_arrays_that_travel(digits):
    from clustering.metrics import external

    workspace, collection = digits
    result = shipped.shipped("digits")
    column = samples()["digits"].label_column
    truth = workspace.open_collection(collection.id).items[column]
    told = {row["name"]: row["value"] for row in result.told["runs"][0]["quality"] if row["column"] == column}
    for figure in external(truth, result.run(0).labels, seed=result.told["runs"][0]["seed"]):
        assert figure.value == pytest.approx(told[figure.name])
    json.dumps(dict(result.told))


def test_what_the_seeds_of_the_gallery_found_travels_and_is_entered(digits):
    from clustering.metrics import stability

    result = shipped.shipped("generated_gallery")
    arrays, told = result.run(0), result.told["runs"][0]
    kept = [seed["kept"] for seed in told["seeds"]]
    assert arrays.init_labels.shape == (len(kept), len(arrays.labels))
    np.testing.assert_array_equal(arrays.init_labels[kept.index(True)], arrays.labels)
    others = [labels for labels, own in zip(arrays.init_labels, kept, strict=True) if not own]
    figures = {row["name"]: row["value"] for row in told["quality"] if row["group"] == "stability"}
    for figure in stability([arrays.labels, *others], told["seed"]):
        assert figures[figure.name] == pytest.approx(figure.value)
    workspace, collection = digits
    features = workspace.add_features(
        collection.id,
        np.zeros((collection.n_items, 2), np.float32),
        encoder="vectors",
        title="Vectors",
        origin="Made here.",
        parameters={},
        key="seeds",
    )
    part = dataclasses.replace(
        arrays,
        **{
            name: np.resize(getattr(arrays, name), (collection.n_items, *getattr(arrays, name).shape[1:]))
            for name in ("labels", "soft_assignments", "latents")
        },
        init_labels=np.resize(arrays.init_labels, (len(kept), collection.n_items)),
    )
    run = shipped._entered(workspace, features.id, part, told)
    assert [seed.kept for seed in workspace.seeds(run)] == kept
