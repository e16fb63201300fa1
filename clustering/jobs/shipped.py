"""Results of the samples that travel with the studio, so that the first page has something to show at once.

``python -m clustering.jobs.shipped`` computes them anew with the studio's own tasks and writes the files in
``clustering/jobs/results``; nothing in them is written by hand. A result is only taken over for a collection
whose content is, byte for byte, the one it was computed from; else the studio computes its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.workspace import RunArrays, Workspace
from clustering.workspace.files import write_json

FOLDER = Path(__file__).parent / "results"
RECIPES: dict[str, dict[str, Any]] = {
    "generated_gallery": {
        "method": "dec",
        "parameters": {"n_clusters": 8, "profile": "fast", "random_state": 1},
    },
    "digits": {"method": "dec", "parameters": {"n_clusters": 10, "profile": "fast", "random_state": 1}},
}
PROJECTION = "umap"
BASELINES = {  # beside every shown run, with the settings they share with it
    "kmeans": ("n_clusters", "random_state"),
    "gaussian_mixture": ("n_clusters", "random_state"),
    "ward": ("n_clusters",),
    "umap_gmm": ("n_clusters", "random_state"),
}
ARRAYS = ("features", "labels", "soft_assignments", "latents", "centers", "positions", "point_quality")
FEATURES = ("encoder", "title", "origin", "description", "parameters", "key", "seconds", "device")
RUN = ("method", "title", "family", "parameters", "seed", "profile", "reason", "seconds", "device")
MAP = ("space", "projection", "title", "parameters", "seed", "engine", "notes", "seconds")


@dataclass(frozen=True)
class Shipped:
    """A sample's result as it travels.

    Parameters
    ----------
    arrays : dict of str to array
        ``features (n, d)``, ``labels (n,)``, ``soft_assignments (n, K)``, ``latents (n, m)``,
        ``centers (K, m)``, ``positions (n, 2)``, ``point_quality (n,)``.
    told : dict
        What the records say: content hash, features, run, map, their quality and history.
    """

    arrays: Mapping[str, NDArray[Any]]
    told: Mapping[str, Any]


@lru_cache(maxsize=4)
def shipped(sample: str) -> Shipped | None:
    """Return the result that travels for a sample, or None when none does."""
    if not (FOLDER / f"{sample}.json").exists():
        return None
    with np.load(FOLDER / f"{sample}.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in ARRAYS}
    return Shipped(arrays, json.loads((FOLDER / f"{sample}.json").read_text(encoding="utf-8")))


def finish(workspace: Workspace, sample: str, collection_id: str) -> dict[str, str]:
    """See that a sample has a run with its map: what travels is taken over, else the work is queued.

    Returns
    -------
    dict of str to str
        Ids of what is there already; empty when the work was queued, or nothing is known of the sample.
    """
    from clustering.collections.samples import samples

    runs = workspace.runs(collection_id)
    if runs or sample not in RECIPES:
        return {"features": runs[0].feature_id, "run": runs[0].id} if runs else {}
    recipe = RECIPES[sample]
    made = take_over(workspace, sample, collection_id)
    if made:
        for name, shared in BASELINES.items():
            settings = {key: recipe["parameters"][key] for key in shared}
            wanted = {"features": made["features"], "method": name, "parameters": settings}
            plain = workspace.submit("train", wanted, title=f"Train: {name.replace('_', ' ')}")
            workspace.submit("quality", {"collection": collection_id}, after=plain.id)
        return made
    owner = {"collection": collection_id}
    encoder = {**owner, "encoder": samples()[sample].encoder, "parameters": {}}
    encode = workspace.submit("features", encoder, title="Compute features")
    wanted = {**owner, **recipe, "baselines": list(BASELINES)}
    train = workspace.submit("train", wanted, after=encode.id, title="Train DEC")
    drawn = {**owner, "projection": PROJECTION, "space": "latent"}
    workspace.submit("project", drawn, after=train.id, title="Draw the map")
    workspace.submit("quality", owner, after=train.id, title="Measure quality")
    return {}


def take_over(workspace: Workspace, sample: str, collection_id: str) -> dict[str, str]:
    """Enter a shipped result as features, run and map of a collection; return their ids.

    Returns
    -------
    dict of str to str
        ``features``, ``run``, ``projection``; empty when nothing travels or the content differs.
    """
    result = shipped(sample)
    if result is None or workspace.collection(collection_id).content_hash != result.told["content_hash"]:
        return {}
    arrays, told = result.arrays, result.told
    features = workspace.add_features(
        collection_id, arrays["features"], **{name: told["features"][name] for name in FEATURES}
    )
    run = workspace.add_run(
        features.id,
        RunArrays(arrays["labels"], arrays["soft_assignments"], arrays["latents"], arrays["centers"]),
        **{name: told["run"][name] for name in RUN},
        history=told["history"],
        environment=told["environment"],
    )
    workspace.set_quality(run.id, told["quality"], told["summary"])
    chart = workspace.add_projection(
        features.id,
        arrays["positions"],
        run_id=run.id,
        **{name: told["map"][name] for name in MAP},
        quality=told["map_quality"],
        point_quality=arrays["point_quality"],
    )
    return {"features": features.id, "run": run.id, "projection": chart.id}


def compute(sample: str, folder: Path) -> Shipped:
    """Compute a sample's result in a workspace in ``folder``, by the tasks every page and command uses."""
    from clustering.collections.samples import make_sample, samples
    from clustering.jobs.executors import Inline

    workspace = Workspace.open(folder)
    collection = make_sample(sample, workspace.new_collection_folder(sample))
    workspace.add_collection(collection)
    wanted = {"collection": collection.id, "encoder": samples()[sample].encoder, "parameters": {}}
    with Inline(workspace) as here:
        encode = here.submit("features", wanted)
        train = here.submit("train", RECIPES[sample], encode.id)
        draw = here.submit("project", {"projection": PROJECTION, "space": "latent"}, train.id)
        here.submit("quality", {}, train.id)
    run_id, map_id = draw.result["run"], draw.result["projection"]
    run, made, chart = workspace.run(run_id), workspace.run_arrays(run_id), workspace.projection(map_id)
    features = workspace.feature_set(run.feature_id)
    point_quality = workspace.point_quality(map_id)
    arrays = {
        "features": workspace.features(features.id),
        **{name: getattr(made, name) for name in ("labels", "soft_assignments", "latents", "centers")},
        "positions": workspace.map(map_id),
        "point_quality": np.ones(run.n_items, np.float32) if point_quality is None else point_quality,
    }
    told = {
        "content_hash": collection.content_hash,
        "features": {name: getattr(features, name) for name in FEATURES},
        "run": {name: getattr(run, name) for name in RUN},
        "environment": workspace.run_details(run_id)["environment"],
        "history": workspace.history(run_id),
        "quality": workspace.quality(run_id),
        "summary": run.summary,
        "map": {name: getattr(chart, name) for name in MAP},
        "map_quality": workspace.projection_quality(map_id),
    }
    return Shipped({name: np.asarray(array) for name, array in arrays.items()}, told)


def write(sample: str, folder: Path = FOLDER) -> None:
    """Compute a sample's result and write it where the studio looks for it."""
    with tempfile.TemporaryDirectory() as scratch:
        result = compute(sample, Path(scratch))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / f"{sample}.npz", allow_pickle=False, **result.arrays)
    write_json(folder / f"{sample}.json", dict(result.told))


if __name__ == "__main__":
    for name in sys.argv[1:] or RECIPES:
        write(name)
