"""Results of the samples that travel with the studio, so that the first page has something to show at once.

``python -m clustering.jobs.shipped`` computes them anew with the studio's own tasks and writes the files in
``clustering/jobs/results``; nothing in them is written by hand. A result is only taken over for a collection
whose content is, byte for byte, the one it was computed from; else the studio computes its own.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustering.files import write_json
from clustering.workspace import RunArrays, RunRecord, SeedRecord, Workspace
from clustering.workspace.snapshots import snapshots_in, superfluous

if TYPE_CHECKING:
    from clustering.collections import Collection

FOLDER = Path(__file__).parent / "results"
RECIPES: dict[str, dict[str, Any]] = {
    "generated_gallery": {
        "method": "idec",  # it keeps the neighbours within a group apart: a map worth walking through
        "parameters": {"n_clusters": 8, "random_state": 1, "n_init": 5},  # what another seed would tell
    },
    "digits": {"method": "dec", "parameters": {"n_clusters": 10, "random_state": 1}},
}
MAPS: dict[str, dict[str, Any]] = {
    "generated_gallery": {
        "projection": "umap",
        "parameters": {"n_neighbors": 60, "min_dist": 6.0, "spread": 6.0},  # room for the pictures
    },
    "digits": {"projection": "tsne", "parameters": {}},
}
SNAPSHOTS = 24  # of each training
BASELINES = ("kmeans", "gaussian_mixture", "ward", "umap_gmm")  # beside every shown run
RUN_ARRAYS = ("labels", "soft_assignments", "latents", "centers")
FEATURES = ("encoder", "title", "origin", "description", "parameters", "key", "seconds", "device")
RUN = ("method", "title", "family", "parameters", "seed", "profile", "reason", "seconds", "device")
MAP = ("space", "projection", "title", "parameters", "seed", "engine", "notes", "seconds")


@dataclass(frozen=True)
class Shipped:
    """A sample's result as it travels.

    Parameters
    ----------
    arrays : mapping of str to array
        ``features (n, d)``, ``positions (n, 2)``, ``point_quality (n,)``, ``aspects (n,)``; for every run
        ``0_labels (n,)``, ``0_soft_assignments (n, K)``, ``0_latents (n, m)``, ``0_centers (K, m)``; a plain
        method that works on the features themselves has no latents of its own, and only a run of several
        seeds has ``0_init_labels (n_init, n)``.
    told : mapping
        What the records say: content hash, features, runs with quality and history, map with quality.
    """

    arrays: Mapping[str, NDArray[Any]]
    told: Mapping[str, Any]
    thumbnails: Path  # the atlas of the pictures
    snapshots: Path  # of the deep run's training

    def run(self, number: int) -> RunArrays:
        """Return the arrays of a run; number 0 is the deep one that the map shows."""
        found = (self.arrays.get(f"{number}_{name}", self.arrays["features"]) for name in RUN_ARRAYS)
        return replace(RunArrays(*found), init_labels=self.arrays.get(f"{number}_init_labels"))


@lru_cache(maxsize=4)
def shipped(sample: str) -> Shipped | None:
    """Return the result that travels for a sample, or None when none does."""
    if not (FOLDER / f"{sample}.json").exists():
        return None
    with np.load(FOLDER / f"{sample}.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    told = json.loads((FOLDER / f"{sample}.json").read_text(encoding="utf-8"))
    return Shipped(arrays, told, FOLDER / f"{sample}-thumbnails", FOLDER / f"{sample}-snapshots")


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
    made = take_over(workspace, sample, collection_id)
    if made:
        return made
    recipe = RECIPES[sample]
    owner = {"collection": collection_id}
    encoder = {**owner, "encoder": samples()[sample].encoder, "parameters": {}}
    encode = workspace.submit("features", encoder, title="Compute features")
    wanted = {**owner, **recipe, "baselines": list(BASELINES)}
    train = workspace.submit("train", wanted, after=encode.id, title=f"Train {recipe['method'].upper()}")
    drawn = {**owner, **MAPS[sample], "space": "latent"}
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
    told = result.told
    features = workspace.add_features(
        collection_id, result.arrays["features"], **{name: told["features"][name] for name in FEATURES}
    )
    deep, *plain = enumerate(told["runs"])
    snapshots = [one.path for one in snapshots_in(result.snapshots)]
    entered = [_entered(workspace, features.id, result.run(number), run) for number, run in reversed(plain)]
    entered.append(_entered(workspace, features.id, result.run(deep[0]), deep[1], snapshots))  # the newest
    chart = workspace.add_projection(
        features.id,
        result.arrays["positions"],
        run_id=entered[-1],
        **{name: told["map"][name] for name in MAP},
        quality=told["map"]["quality"],
        point_quality=result.arrays["point_quality"],
    )
    return {"features": features.id, "run": entered[-1], "projection": chart.id}


def _entered(
    workspace: Workspace,
    feature_id: str,
    arrays: RunArrays,
    told: Mapping[str, Any],
    snapshots: Sequence[Path] = (),
) -> str:
    run = workspace.add_run(
        feature_id,
        arrays,
        **{name: told[name] for name in RUN},
        seeds=[SeedRecord(**seed) for seed in told.get("seeds", ())],
        history=told["history"],
        environment=told["environment"],
        snapshots=snapshots,
    )
    workspace.set_quality(run.id, told["quality"], told["summary"])
    return run.id


def compute(sample: str, folder: Path) -> Shipped:
    """Compute a sample's result in a workspace in ``folder``, by the tasks every page and command uses."""
    from clustering.collections.samples import make_sample, samples
    from clustering.jobs.executors import Inline
    from clustering.jobs.worker import work

    workspace = Workspace.open(folder)
    collection = make_sample(sample, workspace.new_collection_folder(sample))
    workspace.add_collection(collection)
    wanted = {"collection": collection.id, "encoder": samples()[sample].encoder, "parameters": {}}
    recipe = RECIPES[sample]
    with Inline(workspace) as here:
        encode = here.submit("features", wanted)
        train = here.submit("train", {**recipe, "baselines": list(BASELINES)}, encode.id)
        draw = here.submit("project", {**MAPS[sample], "space": "latent"}, train.id)
        here.submit("quality", {}, train.id)
    work(workspace, until_empty=True, warm=False)  # the baselines, which the training has queued
    features, chart = workspace.feature_sets()[0], workspace.projection(draw.result["projection"])
    runs = sorted(workspace.runs(), key=lambda run: (run.family != "deep", run.created))
    point_quality = workspace.point_quality(chart.id)
    arrays = {
        "features": workspace.features(features.id),
        "positions": workspace.map(chart.id),
        "aspects": collection.items["aspect"].to_numpy(np.float32),
        "point_quality": np.ones(features.n_items, np.float32) if point_quality is None else point_quality,
    }
    for number, run in enumerate(runs):
        made = workspace.run_arrays(run.id)
        arrays |= {f"{number}_{name}": getattr(made, name) for name in RUN_ARRAYS}
        if np.array_equal(made.latents, arrays["features"]):
            del arrays[f"{number}_latents"]
        if made.init_labels is not None:
            arrays[f"{number}_init_labels"] = made.init_labels
    told = {
        "content_hash": collection.content_hash,
        "cards": _cards(collection),
        "features": {name: getattr(features, name) for name in FEATURES},
        "runs": [_told(workspace, run) for run in runs],
        "map": {
            **{name: getattr(chart, name) for name in MAP},
            "quality": workspace.projection_quality(chart.id),
        },
    }
    kept = {name: np.asarray(array) for name, array in arrays.items()}
    return Shipped(kept, told, collection.folder / "thumbnails", runs[0].folder / "snapshots")


def _cards(collection: Collection) -> list[list[str]]:
    """Return title and one line for every item, for the map that is shown before the pictures are there."""
    from clustering.collections.samples import samples

    info = next(info for info in samples().values() if info.origin == collection.source)
    lines = collection.items[info.label_column].astype(str)
    titles = collection.items["title"] if "title" in collection.items else collection.items["id"]
    return [[str(title), str(line)] for title, line in zip(titles, lines, strict=True)]


def _told(workspace: Workspace, run: RunRecord) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in RUN},
        "environment": workspace.run_details(run.id)["environment"],
        "seeds": [asdict(seed) for seed in workspace.seeds(run.id)],
        "history": workspace.history(run.id),
        "quality": workspace.quality(run.id),
        "summary": run.summary,
    }


def write(sample: str, folder: Path = FOLDER) -> None:
    """Compute a sample's result and write it where the studio looks for it."""
    with tempfile.TemporaryDirectory() as scratch:
        result = compute(sample, Path(scratch))
        shutil.copytree(result.thumbnails, folder / f"{sample}-thumbnails", dirs_exist_ok=True)
        _travelling(result.snapshots, folder / f"{sample}-snapshots")
    np.savez_compressed(folder / f"{sample}.npz", allow_pickle=False, **result.arrays)
    write_json(folder / f"{sample}.json", dict(result.told))


def _travelling(snapshots: Path, folder: Path) -> None:
    """Copy a training's snapshots, thinned: enough to play it, few enough to travel."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files = snapshots_in(snapshots)
    thinned = {one.path for one in superfluous(files, SNAPSHOTS)}
    for file in files:
        if file.path not in thinned:
            with np.load(file.path, allow_pickle=False) as arrays:
                np.savez_compressed(folder / file.path.name, allow_pickle=False, **arrays)


if __name__ == "__main__":
    for name in sys.argv[1:] or RECIPES:
        write(name)
