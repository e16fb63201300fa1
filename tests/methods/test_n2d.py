"""N2D: the manifold step as published, and new items placed by their nearest neighbour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from clustering.errors import StudioError
from clustering.methods import n2d
from clustering.methods.n2d import N2D
from clustering.projections.unfolding import unfolded

SETTINGS = {"hidden_dims": (16,), "pretrain_epochs": 5, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return (make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)[0] / 5).astype(
        np.float32
    )


def test_latent_and_map_have_as_many_dimensions_as_groups_unless_asked_otherwise(blobs):
    model = N2D(3, **SETTINGS).fit(blobs)
    assert model.embedding_.shape == (90, 3)
    assert model.cluster_centers_.shape == (3, 3)
    assert model.weights_["items"].shape == (90, 3)
    assert N2D(3, **SETTINGS, latent_dim=7).setup(5, torch.Generator()).encoder.layers[-1].out_features == 7


def test_umap_is_set_as_published(blobs, monkeypatch):
    seen = {}

    def watched(rows, **settings):
        seen.update(settings)
        return unfolded(rows, **settings)

    monkeypatch.setattr(n2d, "unfolded", watched)
    N2D(3, **SETTINGS).fit(blobs)
    assert (seen["n_neighbors"], seen["n_components"], seen["min_dist"]) == (20, 3, 0.0)


def test_an_item_close_to_a_training_item_takes_its_place(blobs):
    model = N2D(3, **SETTINGS).fit(blobs)
    near = blobs[[4, 40]] + np.float32(1e-6)
    np.testing.assert_array_equal(model.transform(near), model.embedding_[[4, 40]])
    np.testing.assert_array_equal(model.predict_proba(near), model.soft_assignments_[[4, 40]])


def test_too_few_different_items_for_a_neighbourhood_are_refused():
    with pytest.raises(StudioError, match=r"needs 4 items .* there are 2 \(of 6 items\)"):
        N2D(2, **SETTINGS).fit(np.repeat(np.eye(2, dtype=np.float32), 3, axis=0))
