"""A workspace with a small collection of vectors in it, and workers to run beside a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clustering.collections.collection import Collection, write_collection
from clustering.workspace import FeatureRecord, Workspace

ROOT = Path(__file__).resolve().parent.parent.parent


def blobs(n: int = 240, d: int = 8, groups: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows around a few centres, and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % groups
    return (rng.normal(size=(groups, d))[labels] * 3 + rng.normal(size=(n, d))).astype(np.float32), labels


def collection_in(workspace: Workspace, vectors: np.ndarray, labels: np.ndarray) -> str:
    folder = workspace.new_collection_folder("blobs")
    folder.mkdir(parents=True)
    np.save(folder / "vectors.npy", vectors)
    items = pd.DataFrame({"id": [str(i) for i in range(len(vectors))], "group": labels.astype(str)})
    write_collection(
        folder,
        name="Blobs",
        kind="vectors",
        source="made here",
        created="2026-01-01T00:00:00+00:00",
        content_hash=f"blobs-{vectors.shape}-{float(vectors.sum())}",
        items=items,
        label_columns=("group",),
        findings=(),
        request={},
    )
    return workspace.add_collection(Collection.open(folder)).id


def features_in(workspace: Workspace, **sizes: int) -> FeatureRecord:
    vectors, labels = blobs(**sizes)
    return workspace.add_features(
        collection_in(workspace, vectors, labels),
        vectors,
        encoder="vectors",
        title="Vectors",
        origin="The numbers themselves.",
        parameters={},
        key=f"blobs-{sorted(sizes.items())}",
    )


class Worker:
    """A worker in a process of its own; gone at the end of the block."""

    def __init__(self, workspace: Workspace, *arguments: str, script: Path | None = None) -> None:
        how = [str(script)] if script else ["-m", "clustering.jobs.worker"]
        self.log = (workspace.root / "worker.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *how, "--workspace", str(workspace.root), "--no-warm", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=self.log,
            stderr=self.log,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def until(condition: Callable[[], Any], seconds: float = 60.0, every: float = 0.01) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise AssertionError("what was waited for did not happen")


def ended(workspace: Workspace, job_id: str, seconds: float = 60.0) -> str:
    """Wait until a job is over and return its state."""
    until(lambda: not workspace.status(job_id).is_open, seconds, every=0.05)
    return workspace.job(job_id).state
