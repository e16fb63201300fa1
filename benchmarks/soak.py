"""Kill a training at random moments, again and again, and compare what comes out with an unbroken one.

    python benchmarks/soak.py                 # 100 kills, some minutes of one core
    python benchmarks/soak.py --kills 5

One DEC job is done by a worker process that gets SIGKILL at a random moment, is resumed, gets it again, until
the job is finished; then another such job, with another seed, until all kills are spent. Every job must end
with the very labels and soft assignments of the same job left in peace. Workers are forked from a process
that has imported everything, so that the kills fall into work and not into imports.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clustering.jobs.context import JobContext
from clustering.jobs.worker import main as worker
from clustering.methods import method
from clustering.training.checkpoint import Checkpoint
from clustering.workspace import Workspace

ITEMS, DIMENSIONS = 400, 8
LONGEST = 1.5  # seconds a worker lives at most; most die younger
ATTEMPTS = 400  # of one job; more means that it never comes further
SETTINGS = {
    "n_clusters": 3,
    "hidden_dims": [16],
    "latent_dim": 3,
    "pretrain_epochs": 40,
    "epochs": 30,
    "tolerance": 0.0,
    "batch_size": 64,
    "profile": "fast",
    "device": "cpu",
}


@dataclass
class Tally:
    """What was seen."""

    kills: int = 0
    resumes: int = 0
    jobs: int = 0
    same: int = 0
    seconds: float = 0.0
    moments: Counter[str] = field(default_factory=Counter)  # what the job was at when it was killed

    @property
    def well(self) -> bool:
        """True when every job ended as its unbroken twin."""
        return self.jobs > 0 and self.same == self.jobs


def soak(root: Path, kills: int, seed: int = 0) -> Tally:
    """Kill workers ``kills`` times in a workspace below ``root`` and say what became of the jobs."""
    _import_everything()
    chance, tally, began = random.Random(seed), Tally(), time.monotonic()
    workspace = Workspace.open(root)
    features = _features(workspace)
    while tally.kills < kills:
        wanted = {
            "method": "dec",
            "features": features,
            "parameters": {**SETTINGS, "random_state": tally.jobs},
        }
        unbroken = workspace.submit("train", wanted, title="Unbroken")
        _work(root).join()
        job = workspace.submit("train", wanted, title="Killed")
        _kill_until_finished(workspace, job.id, kills, chance, tally)
        tally.jobs += 1
        tally.same += _alike(workspace, unbroken.id, job.id)
    tally.seconds = time.monotonic() - began
    return tally


def _kill_until_finished(
    workspace: Workspace, job_id: str, kills: int, chance: random.Random, tally: Tally
) -> None:
    for _ in range(ATTEMPTS):
        process = _work(workspace.root, slowly=True)
        process.join(chance.uniform(0.0, LONGEST) if tally.kills < kills else None)
        status = workspace.status(job_id)
        if process.is_alive():
            process.kill()
            process.join()
            tally.kills += 1
            early = "before the job was taken" if status.state == "queued" else "before the first epoch"
            tally.moments[status.phase or early] += 1
        if workspace.status(job_id).state == "finished":
            return
        if workspace.status(job_id).state in ("interrupted", "failed"):
            workspace.request(job_id, "resume")
            tally.resumes += 1
    raise AssertionError(f"the job did not finish in {ATTEMPTS} attempts: {workspace.status(job_id)}")


def _import_everything() -> None:
    method("dec")
    importlib.import_module("torch._dynamo")  # the first optimiser would, in every worker anew


def _work(root: Path, slowly: bool = False) -> multiprocessing.process.BaseProcess:
    """Start a worker process that goes home when nothing is left to do."""
    process = multiprocessing.get_context("fork").Process(target=_worker, args=(root, slowly))
    process.start()
    return process


def _worker(root: Path, slowly: bool) -> None:
    with (root / "worker.log").open("a") as log:
        sys.stdout = sys.stderr = log
        if (
            slowly
        ):  # so that kills meet every part of a fit; when it is kept and how long it takes decide nothing
            Checkpoint.due = lambda _: True  # type: ignore[method-assign]
            emit = JobContext.emit

            def slow(context: JobContext, event: object) -> bool:
                time.sleep(0.05)
                return emit(context, event)  # type: ignore[arg-type]

            JobContext.emit = slow  # type: ignore[method-assign]
        worker(["--workspace", str(root), "--until-empty", "--no-warm"])


def _features(workspace: Workspace) -> str:
    from clustering.collections import load

    rng = np.random.default_rng(0)
    points = rng.normal(size=(3, DIMENSIONS))[np.arange(ITEMS) % 3] * 3 + rng.normal(size=(ITEMS, DIMENSIONS))
    np.save(workspace.root / "points.npy", points.astype(np.float32))
    folder = workspace.new_collection_folder("points")
    collection = workspace.add_collection(load(workspace.root / "points.npy", folder))
    about = {
        "encoder": "vectors",
        "title": "Vectors",
        "origin": "Made here.",
        "parameters": {},
        "key": "soak",
    }
    return workspace.add_features(collection.id, points.astype(np.float32), **about).id


def _alike(workspace: Workspace, *job_ids: str) -> bool:
    """Return whether two jobs made one run each, with the same labels and assignments bit for bit."""
    made = [[run for run in workspace.runs() if run.job_id == job_id] for job_id in job_ids]
    if [len(runs) for runs in made] != [1, 1]:
        return False
    one, other = (workspace.run_arrays(runs[0].id) for runs in made)
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("labels", "soft_assignments")
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the workspace here (default: a temporary one)")
    chosen = parser.parse_args(arguments)
    root = chosen.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    tally = soak(root, chosen.kills, chosen.seed)
    print("| kills | resumes | labels and q bit-identical to the unbroken run | seconds |")
    print("|---|---|---|---|")
    same = f"{tally.same} of {tally.jobs} jobs"
    print(f"| {tally.kills} | {tally.resumes} | {same} | {tally.seconds:.0f} |")
    print("killed while:", ", ".join(f"{name} {count}" for name, count in tally.moments.most_common()))
    if chosen.folder is None:
        shutil.rmtree(root)
    return 0 if tally.well else 1


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
