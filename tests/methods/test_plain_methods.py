"""What is particular to the plain baselines, beyond the contract every method keeps."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.cluster import hierarchy
from sklearn import cluster, mixture
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.methods.gaussian_mixture import GaussianMixture
from clustering.methods.inputs import checked_items
from clustering.methods.kmeans import KMeans
from clustering.methods.nearest import nearest_items
from clustering.methods.spectral import Spectral
from clustering.methods.umap_gmm import UmapGmm
from clustering.methods.umap_hdbscan import UmapHdbscan
from clustering.methods.ward import Ward
from clustering.training.device import Device
from clustering.training.events import Event, Started


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, centers=4, n_features=6, cluster_std=1.5, random_state=1)


KNOWN = {KMeans: (0.70, 0.78), GaussianMixture: (0.78, 0.92), Ward: (0.86, 0.88), Spectral: (0.80, 0.90)}


@pytest.mark.parametrize("method", KNOWN)
def test_digits_are_grouped_as_well_as_is_known_of_the_method(method, digits):
    X, y = digits
    least, most = KNOWN[method]
    assert least < normalized_mutual_info_score(y, method(n_clusters=10).fit(X).labels_) < most


def test_a_umap_first_groups_digits_better_than_any_of_them(digits):
    X, y = digits[0][:900], digits[1][:900]
    model = UmapGmm(n_clusters=10, n_neighbors=15).fit(X)
    assert normalized_mutual_info_score(y, model.labels_) > 0.85


def test_k_means_reaches_the_loss_of_scikit_learn_and_keeps_the_best_start(blobs):
    X, _ = blobs
    ours = KMeans(n_clusters=4, starts=5).fit(X)
    theirs = cluster.KMeans(4, n_init=10, random_state=0).fit(X)
    losses = [row["losses"]["total"] for row in ours.history_ if row["kind"] == "epoch"]
    assert len(losses) == 5
    assert min(losses) * len(X) == pytest.approx(theirs.inertia_, rel=1e-4)
    assert ours.spread_ == pytest.approx(min(losses), rel=1e-4)


def test_soft_assignments_of_k_means_follow_the_student_t_kernel_and_ignore_scale(blobs):
    X, _ = blobs
    model = KMeans(n_clusters=4).fit(X)
    squared = np.array([[np.sum((x - c) ** 2) for c in model.cluster_centers_] for x in X.astype(np.float32)])
    kernel = 1 / (1 + squared / squared.min(axis=1).mean())
    np.testing.assert_allclose(model.soft_assignments_, kernel / kernel.sum(axis=1, keepdims=True), atol=1e-5)
    larger = KMeans(n_clusters=4).fit(1024 * X)
    np.testing.assert_allclose(larger.soft_assignments_, model.soft_assignments_, atol=1e-4)


def test_a_mixture_gives_the_posteriors_of_scikit_learn(blobs):
    X, _ = blobs
    ours = GaussianMixture(n_clusters=4, latent_dim=None, iterations=500).fit(X)
    theirs = mixture.GaussianMixture(4, random_state=0, max_iter=500).fit(X.astype(np.float32).astype(float))
    assert adjusted_rand_score(theirs.predict(X), ours.labels_) > 0.98
    losses = [row["losses"]["total"] for row in ours.history_ if row["kind"] == "epoch"]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(-theirs.lower_bound_, abs=0.01)
    assert ours.history_[-1]["reason"] == "EM has converged"


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_every_shape_of_cloud_is_saved_and_predicts_as_before(covariance, blobs, tmp_path):
    X, _ = blobs
    model = GaussianMixture(n_clusters=4, covariance=covariance, latent_dim=3).fit(X)
    assert model.embedding_.shape == (300, 3)
    model.save(tmp_path)
    np.testing.assert_array_equal(GaussianMixture.load(tmp_path).predict_proba(X), model.soft_assignments_)


def test_ward_cuts_the_tree_of_scikit_learn_and_votes_with_its_neighbours(blobs):
    X, _ = blobs
    model = Ward(n_clusters=4).fit(X)
    theirs = cluster.AgglomerativeClustering(4, linkage="ward").fit(X.astype(np.float32))
    assert adjusted_rand_score(theirs.labels_, model.labels_) == 1
    own = model.soft_assignments_[np.arange(300), model.labels_]
    assert own.min() >= np.float32(11 / 21)
    assert own.max() == 1


def test_twins_keep_their_weight_in_wards_tree():
    X = np.array([[0.0]] + [[1.0]] * 50 + [[2.1], [3.3]])
    theirs = cluster.AgglomerativeClustering(2, linkage="ward").fit(X)
    assert adjusted_rand_score(theirs.labels_, Ward(n_clusters=2).fit(X).labels_) == 1


def test_ward_keeps_the_merges_and_heights_of_scipy(blobs, tmp_path):
    X = blobs[0][:60].astype(np.float32)
    merged = hierarchy.ward(X.astype(np.float64))
    Ward(n_clusters=4).fit(X).save(tmp_path)
    tree = Ward.load(tmp_path).tree()
    np.testing.assert_array_equal(tree.children, merged[:, :2])
    np.testing.assert_allclose(tree.heights, merged[:, 2])
    for k in (2, 7, 60):
        assert adjusted_rand_score(hierarchy.cut_tree(merged, k).ravel(), tree.cut(k)) == 1


@pytest.mark.parametrize("settings", [{}, {"latent_dim": 2}, {"max_items": 100, "random_state": 3}])
def test_another_cut_of_a_saved_ward_is_the_fit_with_that_number_of_groups(settings, blobs, tmp_path):
    X = np.concatenate([blobs[0], blobs[0][:40]])  # with twins
    Ward(n_clusters=3, **settings).fit(X).save(tmp_path)
    ours, fresh = Ward.load(tmp_path).cut(9), Ward(n_clusters=9, **settings).fit(X)
    assert ours.get_params() == fresh.get_params()
    for name in ("labels_", "soft_assignments_", "embedding_", "cluster_centers_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(fresh, name))
    np.testing.assert_array_equal(ours.predict_proba(X[::7]), fresh.predict_proba(X[::7]))
    np.testing.assert_array_equal(ours.labels_, ours.tree().cut(9))


def test_spectral_clustering_follows_curved_groups_where_k_means_cuts_them():
    X, y = make_moons(300, noise=0.05, random_state=0)
    assert adjusted_rand_score(y, Spectral(n_clusters=2).fit(X).labels_) == 1
    assert adjusted_rand_score(y, KMeans(n_clusters=2).fit(X).labels_) < 0.6


def test_spectral_clustering_agrees_with_scikit_learn_on_both_of_its_solvers(digits):
    for n in (300, 600):
        X = digits[0][:n]
        ours = Spectral(n_clusters=5).fit(X)
        theirs = cluster.SpectralClustering(
            5, affinity="nearest_neighbors", random_state=0, n_neighbors=10
        ).fit(X)
        assert adjusted_rand_score(theirs.labels_, ours.labels_) > 0.9


@pytest.mark.parametrize("method", [Ward, Spectral])
def test_above_max_items_a_sample_is_grouped_and_the_others_join_the_nearest(method, blobs):
    X, y = blobs
    model = method(n_clusters=4, max_items=100).fit(X)
    alarms = [alarm for row in model.history_ for alarm in row.get("alarms", ())]
    assert alarms == ["Groups were found on 100 of the 300 items; each other joins the item nearest to it."]
    assert model.items_.shape == (100, 6)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert adjusted_rand_score(y, model.labels_) > 0.8
    other = method(n_clusters=4, max_items=100, random_state=1).fit(X)
    assert not np.array_equal(other.rows_, model.rows_)


def test_dense_regions_are_found_without_saying_how_many(digits):
    X = make_blobs(240, centers=4, n_features=5, cluster_std=0.3, random_state=0)[0]
    model = UmapHdbscan(min_cluster_size=10, n_neighbors=10, latent_dim=2).fit(X)
    assert model.soft_assignments_.shape == (240, 4)
    assert model.cluster_centers_.shape == (4, 2)
    assert model.history_[-1]["reason"] == "4 dense regions were found"


def test_where_everything_is_noise_the_fit_says_so_and_still_has_its_shapes(tmp_path):
    X = np.random.default_rng(0).uniform(size=(40, 3))
    model = UmapHdbscan(min_cluster_size=38, n_neighbors=8, latent_dim=2).fit(X)
    assert set(model.labels_) == {-1}
    np.testing.assert_array_equal(model.soft_assignments_, np.ones((40, 1)))
    assert model.cluster_centers_.shape == (1, 2)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    alarms = [alarm for row in model.history_ for alarm in row.get("alarms", ())]
    assert alarms == [
        "No region holds 38 items densely enough: all 40 items count as noise. "
        "Lower “min_cluster_size” or “min_samples”."
    ]
    model.save(tmp_path)
    np.testing.assert_array_equal(UmapHdbscan.load(tmp_path).predict(X), model.labels_)


def test_groups_larger_than_the_collection_are_refused():
    with pytest.raises(StudioError, match="“min_cluster_size” is 15, but there are only 10 items"):
        UmapHdbscan().fit(np.random.default_rng(0).normal(size=(10, 3)))


def test_the_nearest_item_is_exact_and_the_first_among_equals():
    rng = np.random.default_rng(0)
    items = rng.integers(0, 3, size=(400, 4)).astype(np.float32) + 1000
    queries = rng.integers(0, 3, size=(900, 4)).astype(np.float32) + 1000
    squared = ((queries[:, None].astype(float) - items) ** 2).sum(axis=2)
    np.testing.assert_array_equal(nearest_items(queries, items), squared.argmin(axis=1))
    np.testing.assert_array_equal(nearest_items(queries[7:8], items), squared.argmin(axis=1)[7:8])
    wide = rng.normal(size=(50, 8)).astype(np.float32) * np.float32(1e25)
    np.testing.assert_array_equal(nearest_items(wide, wide), range(50))


def test_columns_of_a_table_are_remembered_by_name():
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["year", "width"])
    model = KMeans(n_clusters=2).fit(table)
    np.testing.assert_array_equal(model.predict(table), model.labels_)
    with pytest.raises(StudioError, match="feature names"):
        model.predict(table[["width", "year"]])
    table.loc[4, "width"] = np.nan
    with pytest.raises(StudioError, match=r"first: NaN, row 5, column 2 “width”"):
        KMeans().fit(table)


def test_names_of_columns_survive_saving(tmp_path):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["year", "width"])
    KMeans(n_clusters=2).fit(table).save(tmp_path)
    loaded = KMeans.load(tmp_path)
    assert loaded.feature_names_in_.tolist() == ["year", "width"]
    with pytest.raises(StudioError, match="feature names"):
        loaded.predict(table[["width", "year"]])


def test_no_copy_is_made_of_items_that_are_right_already():
    X = np.zeros((5, 2), dtype=np.float32)
    assert np.shares_memory(checked_items(KMeans(), X, fitting=True), X)


def test_a_damaged_or_foreign_model_is_refused_in_words(blobs, tmp_path):
    KMeans(n_clusters=2).fit(blobs[0]).save(tmp_path)
    with pytest.raises(StudioError, match="holds a fitted “kmeans”, not a “ward”"):
        Ward.load(tmp_path)
    record = json.loads((tmp_path / "model.json").read_text())
    assert record["parameters"]["n_clusters"] == 2
    (tmp_path / "model.json").write_text('{"method": "kmeans"')
    with pytest.raises(StudioError, match="damaged"):
        KMeans.load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(record))
    (tmp_path / "arrays.safetensors").write_bytes(b"12345678")
    with pytest.raises(StudioError, match="damaged"):
        KMeans.load(tmp_path)
    (tmp_path / "arrays.safetensors").unlink()
    with pytest.raises(StudioError, match="no complete saved model"):
        KMeans.load(tmp_path)


def test_k_means_says_where_it_runs_and_refuses_what_is_not_there(blobs, monkeypatch):
    heard: list[Event] = []
    KMeans(n_clusters=3, starts=1).fit(blobs[0], emit=heard.append)
    assert isinstance(heard[0], Started)
    assert heard[0].device == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StudioError, match="No NVIDIA graphics processor"):
        KMeans(n_clusters=3, device="cuda").fit(blobs[0])


def test_k_means_on_a_full_graphics_processor_stays_on_the_processor_and_says_so(blobs, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Card X")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1000, 2000))
    heard: list[Event] = []
    KMeans(n_clusters=3, starts=1).fit(blobs[0], emit=heard.append)
    assert isinstance(heard[0], Started)
    assert heard[0].device == "cpu"
    assert "too little memory" in heard[0].device_reason


def test_starts_side_by_side_find_what_starts_one_by_one_find(blobs, monkeypatch):
    one_by_one = KMeans(n_clusters=4, device="cpu").fit(blobs[0])
    monkeypatch.setattr(KMeans, "_where", lambda *_: Device(torch.device("cuda"), "as in a test"))
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    side_by_side = KMeans(n_clusters=4).fit(blobs[0])
    assert adjusted_rand_score(one_by_one.labels_, side_by_side.labels_) == 1
    assert side_by_side.spread_ == pytest.approx(one_by_one.spread_, rel=1e-3)
