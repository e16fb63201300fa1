"""The library as a notebook uses it: from a folder or an array to a map in a few lines."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import clustering as dc
from clustering.workspace import Workspace


def test_the_package_itself_imports_nothing_heavy() -> None:
    code = "import clustering, sys; print(sorted({'torch', 'sklearn', 'umap', 'pandas'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(AttributeError, match=r"it has .*DEC"):
        dc.Deck  # noqa: B018


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(dc, name) is not None for name in dc.__all__)


def test_from_an_array_to_a_map(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "workspace"))
    points = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    points[30:] += 8
    np.save(tmp_path / "points.npy", points)

    items = dc.load(tmp_path / "points.npy")
    features = dc.encode(items)
    groups = dc.DEC(n_clusters=2, hidden_dims=(16,), latent_dim=3, pretrain_epochs=5, epochs=3).fit(features)
    places = dc.PCA().fit_transform(groups.embedding_)
    figure = dc.latent_map_figure(places, groups.labels_, items.items)

    assert sum(len(trace.x) for trace in figure.data if trace.x is not None) >= 60
    assert [record.id for record in Workspace.open().collections()] == [items.id]


def test_loading_twice_opens_what_is_there(tmp_path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    np.save(tmp_path / "points.npy", np.eye(12, dtype=np.float32))
    first = dc.load(tmp_path / "points.npy", workspace=workspace)
    again = dc.load(tmp_path / "points.npy", workspace=workspace)
    assert first.folder == again.folder and len(workspace.collections()) == 1
