"""Checkpoints: whole or not there, and only ever those of the same fit."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import torch

from clustering.training.checkpoint import Checkpoint, fingerprint

CPU = torch.device("cpu")


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


def test_what_was_written_is_read_back(tmp_path):
    state = {"network": {"w": torch.eye(2)}, "position": {"epoch": 3}, "history": "[]"}
    Checkpoint(tmp_path / "deep" / "folder", "mark").write(state)
    read = Checkpoint(tmp_path / "deep" / "folder", "mark").read(CPU)
    assert read["position"] == {"epoch": 3}
    assert torch.equal(read["network"]["w"], torch.eye(2))


def test_nothing_is_read_from_an_empty_folder_or_from_another_fit(tmp_path):
    assert Checkpoint(tmp_path, "mine").read(CPU) is None
    Checkpoint(tmp_path, "another").write({"epoch": 1})
    assert Checkpoint(tmp_path, "mine").read(CPU) is None


def test_a_write_that_fails_leaves_the_old_state_and_no_litter(tmp_path, monkeypatch):
    kept = Checkpoint(tmp_path, "mark")
    kept.write({"epoch": 1})

    def full(_part, _place):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        kept.write({"epoch": 2})
    assert kept.read(CPU) == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("length", [0, 10, 700])
def test_a_damaged_checkpoint_is_none(tmp_path, length):
    kept = Checkpoint(tmp_path, "mark")
    kept.write({"epoch": 1, "network": {"w": torch.eye(2)}})
    kept.path.write_bytes(kept.path.read_bytes()[:length])
    assert kept.read(CPU) is None


def test_the_mark_depends_on_method_parameters_device_and_every_value(features):
    mark = fingerprint("dec", {"n_clusters": 3}, "cpu", features)
    assert mark == fingerprint("dec", {"n_clusters": 3}, "cpu", features.copy())
    changed = features.copy()
    changed[29, 3] += 1e-3
    others = [
        fingerprint("idec", {"n_clusters": 3}, "cpu", features),
        fingerprint("dec", {"n_clusters": 4}, "cpu", features),
        fingerprint("dec", {"n_clusters": 3}, "cuda", features),
        fingerprint("dec", {"n_clusters": 3}, "cpu", changed),
        fingerprint("dec", {"n_clusters": 3}, "cpu", features.reshape(60, 2)),
    ]
    assert len({mark, *others}) == 6
