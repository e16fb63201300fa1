"""A workspace with twelve pictures, a run of three groups and a map, made in a moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from clustering.collections import load
from clustering.workspace import Workspace
from clustering.workspace.records import RunArrays

WICKED = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Small:
    """Ids of what the workspace holds."""

    workspace: Workspace
    collection: str
    features: str
    run: str
    projection: str


def make(root: Path, n: int = 12, kind: str = "images") -> Small:
    """Make the workspace below ``root``."""
    generator = np.random.default_rng(0)
    workspace = Workspace.open(root / "workspace")
    source = _pictures(root / "source", n) if kind == "images" else _table(root / "source", n)
    folder = workspace.new_collection_folder("Small")
    record = workspace.add_collection(load(source, folder, name="Small"))
    points = generator.normal(size=(n, 5)).astype(np.float32)
    points[:, 0] += 6 * (np.arange(n) % 3)
    labels = (np.arange(n) % 3).astype(np.int64)
    q = np.full((n, 3), 0.1, dtype=np.float32)
    q[np.arange(n), labels] = np.linspace(0.4, 0.8, n)
    q /= q.sum(axis=1, keepdims=True)
    centers = np.stack([points[labels == label].mean(axis=0) for label in range(3)])
    features = workspace.add_features(
        record.id,
        points,
        encoder="pixels",
        title="Pixels",
        origin="The pixels themselves.",
        parameters={},
        key="small",
    )
    run = workspace.add_run(
        features.id,
        RunArrays(labels, q, points, centers),
        method="kmeans",
        title="k-means",
        family="baseline",
        parameters={"n_clusters": 3},
        seed=0,
    )
    figures = [
        {"name": "trustworthiness", "title": "Trustworthiness", "value": 0.93},
        {"name": "continuity", "title": "Continuity", "value": 0.95},
        {"name": "neighbour_recall", "title": "Neighbours kept", "value": None},
    ]
    projection = workspace.add_projection(
        features.id,
        points[:, :2],
        run_id=run.id,
        space="latent",
        projection="pca",
        title="PCA",
        parameters={},
        seed=0,
        engine="scikit-learn on CPU",
        quality=figures,
    )
    return Small(workspace, record.id, features.id, run.id, projection.id)


def filmed(small: Small, projection: str = "tsne", **settings: object) -> tuple[str, str]:
    """Add a deep run with five snapshots, the first without groups, and its map; return their ids.

    From snapshot to snapshot the groups part; the last one shows what the run found.
    """
    from clustering.jobs.executors import Inline
    from clustering.training.events import Snapshot
    from clustering.workspace.snapshots import keep_snapshot

    workspace = small.workspace
    arrays = workspace.run_arrays(small.run)
    labels, rows = np.asarray(arrays.labels), np.arange(len(arrays.labels))
    scratch = workspace.root / "scratch"
    epochs = [("pretrain", 0), ("pretrain", 3), ("cluster", 1), ("cluster", 2), ("cluster", 3)]
    for share, (phase, epoch) in zip((0.2, 0.4, 0.6, 0.8, 1.0), epochs, strict=True):
        latents = np.array(arrays.latents)
        latents[:, 0] -= (1 - share) * 6 * labels
        known = phase == "cluster"
        moving = np.where((rows < 2) & (epoch == 1), (labels + 1) % 3, labels)
        keep_snapshot(
            scratch,
            Snapshot(
                phase,
                epoch,
                rows,
                latents,
                moving if known else np.full_like(labels, -1),
                np.full(len(rows), 0.5 if known else 0.0, dtype=np.float32),
                np.asarray(arrays.centers if known else arrays.centers[:0]),
            ),
        )
    run = workspace.add_run(
        small.features,
        RunArrays(labels, arrays.soft_assignments, arrays.latents, arrays.centers),
        method="dec",
        title="DEC",
        family="deep",
        parameters={"n_clusters": 3},
        seed=0,
        snapshots=sorted(scratch.glob("*.npz")),
    )
    with Inline(workspace) as here:
        wanted = {"run": run.id, "projection": projection, "parameters": settings}
        drawn = here.submit("project", wanted)
    return run.id, drawn.result["projection"]


def _pictures(folder: Path, n: int) -> Path:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(1)
    for index in range(n):
        shape = (40, 80, 3) if index % 2 else (60, 40, 3)
        pixels = generator.integers(0, 255, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    pd.DataFrame(
        {
            "file_name": [f"{index:02d}.png" for index in range(n)],
            "title": [WICKED, *(f"Work {index}" for index in range(1, n))],
            "artist": [("Anna", "Bo")[index % 2] for index in range(n)],
            "year": [None if index == 3 else 1900 + 7 * index for index in range(n)],
        }
    ).to_csv(folder / "metadata.csv", index=False)
    return folder


def _table(folder: Path, n: int) -> Path:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(2)
    frame = pd.DataFrame(generator.normal(size=(n, 3)), columns=["width", "height", "depth"])
    frame["kind"] = ["a" if index % 2 else "b" for index in range(n)]
    frame.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"
