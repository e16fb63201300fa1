"""UMAP and t-SNE: faithful to neighbours on real digits, honest about what they changed, stoppable."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from clustering.errors import Stopped, StudioError
from clustering.projections.pca import PCA
from clustering.projections.tsne import TSNE
from clustering.projections.umap import UMAP, _memberships


@pytest.fixture(scope="module")
def digits():
    pictures, _ = load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).choice(len(pictures), 1300, replace=False)
    return pictures[chosen[:1000]].astype(np.float32), pictures[chosen[1000:]].astype(np.float32)


@pytest.fixture(scope="module")
def maps(digits):
    return {kind: kind().fit(digits[0]) for kind in (PCA, UMAP, TSNE)}


@pytest.mark.parametrize(("kind", "least", "most"), [(PCA, 0.80, 0.86), (UMAP, 0.97, 1.0), (TSNE, 0.98, 1.0)])
def test_neighbours_on_the_map_of_digits_are_neighbours_in_the_data(digits, maps, kind, least, most):
    assert least < trustworthiness(digits[0], maps[kind].embedding_, n_neighbors=10) < most


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_new_digits_are_placed_among_their_neighbours(digits, maps, kind):
    known, new = digits
    places = maps[kind].transform(new)
    on_map = np.linalg.norm(places[:, None] - maps[kind].embedding_[None], axis=2).argsort(axis=1)[:, :10]
    ranks = np.linalg.norm(new[:, None] - known[None], axis=2).argsort(axis=1).argsort(axis=1)
    too_far = np.maximum(np.take_along_axis(ranks, on_map, axis=1) - 9, 0).sum()
    # Trustworthiness of new points (Venna and Kaski, eq. 1): 1 for ranks within k, .5 by chance.
    assert 1 - 2 * too_far / (len(new) * 10 * (2 * 1000 - 3 * 10 - 1)) > 0.96


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_another_seed_gives_another_map(digits, kind):
    settings = kind.info.test_settings
    maps = [
        kind(**settings, initialization="random", random_state=seed).fit_transform(digits[0][:100])
        for seed in (0, 1)
    ]
    assert np.abs(maps[0] - maps[1]).max() > 0.1


def test_too_many_neighbours_are_lowered_and_noted():
    rows = np.random.default_rng(0).normal(size=(12, 3))
    assert UMAP(n_neighbors=50, n_epochs=20).fit(rows).notes_ == (
        "“n_neighbors” was lowered from 50 to 11, because only 12 items differ.",
    )
    assert TSNE(perplexity=30, n_iter=20).fit(rows).notes_ == (
        "“perplexity” was lowered from 30 to 3.67, because only 12 items differ.",
    )
    assert UMAP(n_neighbors=5, n_epochs=20).fit(rows).notes_ == ()


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_pca_in_place_of_a_map_of_few_items_says_so(kind):
    model = kind().fit(np.repeat(np.eye(3), 4, axis=0))
    assert model.engine_.endswith(f"(PCA in place of {kind.info.title})")
    assert "found 3" in model.notes_[0]


@pytest.mark.parametrize("kind", [UMAP, TSNE])
def test_cosine_does_not_see_the_length_of_rows(kind):
    rows = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    lengths = 2.0 ** np.random.default_rng(1).integers(-3, 4, size=(60, 1))  # exact in floating point
    model = kind(metric="cosine", **kind.info.test_settings)
    np.testing.assert_allclose(model.fit_transform(rows * lengths), model.fit_transform(rows), atol=1e-5)
    assert np.isfinite(model.transform(np.zeros((1, 8)))).all()


@pytest.mark.parametrize("initialization", ["pca", "spectral", "random"])
@pytest.mark.parametrize("n_items", [5, 8, 60])
def test_umap_can_start_from_anywhere(initialization, n_items):
    rows = np.random.default_rng(0).normal(size=(n_items, 6))
    assert np.isfinite(UMAP(initialization=initialization, n_epochs=20).fit_transform(rows)).all()


def test_a_stop_in_the_middle_of_umap_frees_the_lock_of_its_progress_bar():
    rows = np.random.default_rng(0).normal(size=(300, 6))
    with pytest.raises(Stopped):
        UMAP(n_epochs=2000).fit(
            rows, progress=lambda done, total, doing: doing == "moving the points" and done > 0
        )
    from tqdm.auto import tqdm

    free: list[bool] = []

    def try_to_take():
        free.extend(lock.acquire(True, 2) for lock in tqdm.get_lock().locks)
        tqdm.get_lock().release()

    thread = threading.Thread(target=try_to_take)
    thread.start()
    thread.join()
    assert free and all(free)


def test_a_stop_in_the_middle_of_tsne_comes_before_its_end():
    told: list[int] = []

    def stop_half_way(done, total, doing):
        if doing == "moving the points":
            told.append(done)
            return done >= total // 2
        return None

    with pytest.raises(Stopped):
        TSNE(n_iter=250, perplexity=10).fit(
            np.random.default_rng(0).normal(size=(80, 6)), progress=stop_half_way
        )
    assert told[-1] == 250


def test_link_strengths_of_a_new_row_sum_to_log2_of_their_number():
    distances = np.sort(np.random.default_rng(0).uniform(1, 3, size=(4, 16)), axis=1)
    relative = _memberships(distances)
    nearest = np.log(relative[:, :1])
    np.testing.assert_allclose(nearest, 0.0)
    for row, links in zip(distances, relative, strict=True):
        sigma = -(row[-1] - row[0]) / np.log(links[-1])
        assert np.exp(-row / sigma).sum() == pytest.approx(4.0, rel=1e-6)  # log2 16


def test_a_row_far_from_everything_keeps_its_nearest_neighbours():
    rows = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    for model in (UMAP(n_epochs=40), TSNE(n_iter=40, perplexity=10)):
        model.fit(rows)
        far = model.transform(rows[:3] + 1e4)
        reach = np.abs(model.embedding_ - model.embedding_.mean(axis=0)).max()
        assert np.isfinite(far).all()
        assert np.abs(far - model.embedding_.mean(axis=0)).max() < 3 * reach


def test_a_spread_below_min_dist_is_refused_with_the_mend() -> None:
    with pytest.raises(StudioError, match="at least as large"):
        UMAP(min_dist=2.0, spread=1.0).fit(np.random.default_rng(0).normal(size=(30, 4)))


def test_a_wide_spread_leaves_room_between_items() -> None:
    items = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    tight, wide = (UMAP(min_dist=d, spread=d, n_epochs=60).fit_transform(items) for d in (1.0, 6.0))

    def room(places: np.ndarray) -> float:
        distances = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(len(places)) * 1e9
        return float(np.median(distances.min(axis=1)) / np.ptp(places, axis=0).max())

    assert room(wide) > room(tight)
