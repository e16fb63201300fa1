"""Runs and maps: what a method or a projection found, kept so that it can be shown, judged and reproduced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select

from clustering.errors import StudioError
from clustering.files import (
    plain,
    read_array,
    read_json,
    removal,
    write_array,
    write_json,
    write_text,
)
from clustering.merge_tree import MergeTree
from clustering.training.events import Generated
from clustering.workspace.database import now
from clustering.workspace.neighbours import nearest
from clustering.workspace.records import FeatureRecord, RunArrays, RunRecord, SeedRecord, SnapshotFile
from clustering.workspace.shelves import Shelves, _forget_notes
from clustering.workspace.snapshots import snapshots_in
from clustering.workspace.store import found, refuse_while_used
from clustering.workspace.tables import ClusterNameRow, ProjectionRow, RunRow
from clustering.workspace.trees import generated_in, tree_in

RUN_ARRAYS = ("labels", "soft_assignments", "latents", "centers")
INIT_LABELS = "init_labels.npy"
VIEW_WEIGHTS = "weights_/weight_logits"  # of a model that fuses views
SaveModel = Callable[[Path], None]


def newest_epoch(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the newest epoch among the events of a fit; an empty row before the first."""
    return next((row for row in reversed(rows) if row.get("kind") == "epoch"), {})


def last_alarms(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the alarms of the newest epoch among the events of a fit, each once."""
    return list(dict.fromkeys(newest_epoch(rows).get("alarms", ())))


class Results(Shelves):
    """What was found in the collections."""

    def runs(self, collection_id: str | None = None, feature_id: str | None = None) -> list[RunRecord]:
        """Return runs, newest first."""
        query = select(RunRow).order_by(RunRow.created.desc())
        if collection_id is not None:
            query = query.where(RunRow.collection_id == collection_id)
        if feature_id is not None:
            query = query.where(RunRow.feature_id == feature_id)
        with self.database.transaction() as session:
            return [self._run_record(row) for row in session.scalars(query)]

    def run(self, run_id: str) -> RunRecord:
        """Return one run's record."""
        with self.database.transaction() as session:
            return self._run_record(found(session, RunRow, run_id, "run"))

    def run_of_job(self, job_id: str) -> RunRecord | None:
        """Return the run that a job has made, if it has."""
        with self.database.transaction() as session:
            row = session.scalars(select(RunRow).where(RunRow.job_id == job_id)).first()
            return self._run_record(row) if row else None

    def add_run(
        self,
        feature_id: str,
        arrays: RunArrays,
        *,
        method: str,
        title: str,
        family: str,
        parameters: Mapping[str, Any],
        seed: int,
        name: str = "",
        profile: str = "",
        reason: str = "",
        seconds: float = 0.0,
        device: str = "cpu",
        history: Sequence[Mapping[str, Any]] = (),
        environment: Mapping[str, Any] | None = None,
        snapshots: Iterable[Path] = (),
        seeds: Sequence[SeedRecord] = (),
        save_model: SaveModel | None = None,
        given: Mapping[str, Any] | None = None,
        job_id: str | None = None,
    ) -> RunRecord:
        """Keep a finished fit: its folder appears whole, then its row.

        Parameters
        ----------
        arrays : RunArrays
            ``labels (n,)``, ``soft_assignments (n, K)``, ``latents (n, m)``, ``centers (K, m)``, and of a run
            that tried several seeds ``init_labels (n_init, n)``.
        name : str
            The title unless given.
        history : sequence of mapping
            Events as rows.
        environment : mapping
            Versions, device and machine, for `run.json`.
        snapshots : iterable of Path
            ``.npz`` files, copied by hard link or by content.
        seeds : sequence of SeedRecord
            One for each row of ``init_labels``, in that order.
        save_model : callable
            Writes the fitted model into the folder it is given.
        given : mapping
            What the fit was handed besides the features and not by them, for `run.json`: ``hints``, as pairs
            of ``together`` and ``items``; ``labels`` by item, and those ``held_back``; ``split_again``, what
            was done to the tree of another run.

        Raises
        ------
        StudioError
            When the arrays do not fit the features, or the disk is full.
        """
        features = self.feature_set(feature_id)
        _check_run(arrays, features, seeds)
        with self.database.transaction() as session:
            id = self._fresh_id(session, RunRow, "runs", method)
        row = RunRow(
            id=id,
            collection_id=features.collection_id,
            feature_id=feature_id,
            method=method,
            title=title,
            name=name or title,
            family=family,
            parameters=plain(parameters),
            profile=profile,
            seed=seed,
            n_items=features.n_items,
            n_clusters=int(np.unique(arrays.labels[arrays.labels >= 0]).size),
            latent_dim=int(arrays.latents.shape[1]),
            reason=reason,
            seconds=seconds,
            device=device,
            created=now(),
            job_id=job_id,
            summary={},
        )
        record = self._run_record(row)
        with self._kept(row, record.folder, needed=_bytes(arrays)) as part:
            for name in RUN_ARRAYS:
                dtype = np.int64 if name == "labels" else np.float32
                write_array(part / f"{name}.npy", np.asarray(getattr(arrays, name), dtype=dtype))
            if arrays.init_labels is not None:
                write_array(part / INIT_LABELS, np.asarray(arrays.init_labels, dtype=np.int64))
            lines = (json.dumps(plain(entry), ensure_ascii=False) for entry in history)
            write_text(part / "history.jsonl", "".join(f"{line}\n" for line in lines))
            for snapshot in snapshots:
                _copied(snapshot, part / "snapshots" / snapshot.name)
            if save_model:
                (part / "model").mkdir()
                save_model(part / "model")
            told = self._told_run(record, features, environment or {})
            more = {"seeds": [asdict(seed) for seed in seeds], "given": plain(given or {})}
            write_json(part / "run.json", {**told, **more})
        return record

    def run_arrays(self, run_id: str) -> RunArrays:
        """Return the arrays of a run, memory-mapped."""
        folder = self.run(run_id).folder
        names = list(RUN_ARRAYS)
        if (folder / INIT_LABELS).exists():  # not for runs of one seed, nor for those of older versions
            names.append("init_labels")
        return RunArrays(*(read_array(folder / f"{name}.npy") for name in names))

    def run_details(self, run_id: str) -> dict[str, Any]:
        """Return ``run.json``: all it takes to make this run again."""
        return read_json(self.run(run_id).folder / "run.json")

    def seeds(self, run_id: str) -> list[SeedRecord]:
        """Return the seeds that a run tried, in the order of its ``init_labels``; empty when it had one."""
        return [SeedRecord(**told) for told in self.run_details(run_id).get("seeds", ())]

    def view_weights(self, run_id: str) -> NDArray[np.float32] | None:
        """Return how much each view counts for each cluster, (V, K); None where the model has no views."""
        from safetensors import safe_open

        file = self.run(run_id).folder / "model" / "arrays.safetensors"
        if not file.exists():
            return None
        with safe_open(file, framework="numpy") as arrays:
            if VIEW_WEIGHTS not in arrays.keys():  # noqa: SIM118  # it is no mapping
                return None
            logits = np.asarray(arrays.get_tensor(VIEW_WEIGHTS), dtype=np.float64)
        shares = np.exp(logits - logits.max(axis=0))
        return np.asarray(shares / shares.sum(axis=0), dtype=np.float32)

    def tree(self, run_id: str) -> MergeTree | None:
        """Return the tree that a run's groups were cut from; None where its method makes none."""
        return tree_in(self.run(run_id).folder / "model")

    def generated(self, run_id: str, merge: int) -> Generated | None:
        """Return what generators made of the two children of a merge; None where nothing was kept."""
        return generated_in(self.run(run_id).folder / "model", merge)

    def hints_given(self, run_id: str) -> list[Mapping[str, Any]]:
        """Return the pairs made by hand that a run was trained with: ``together`` and ``items`` of each."""
        return list(self.run_details(run_id).get("given", {}).get("hints", ()))

    def splits_again(self, run_id: str) -> list[Mapping[str, Any]]:
        """Return what was done to the tree of an earlier run to make that of this one, first things first."""
        return list(self.run_details(run_id).get("given", {}).get("split_again", ()))

    def history(self, run_id: str) -> list[dict[str, Any]]:
        """Return the events of the fit as rows."""
        lines = (self.run(run_id).folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def alarms(self, run_id: str) -> list[str]:
        """Return what was still wrong with the fit of a run when it ended, in sentences for a person."""
        return last_alarms(self.history(run_id))

    def snapshots(self, run_id: str) -> list[SnapshotFile]:
        """Return the kept snapshots of the fit, in order of time."""
        return snapshots_in(self.run(run_id).folder / "snapshots")

    def rename_run(self, run_id: str, name: str) -> RunRecord:
        """Give a run a name of the user's own."""
        if not name.strip():
            raise StudioError("A run needs a name.", "Write at least one letter.")
        with self.database.transaction() as session:
            row = found(session, RunRow, run_id, "run")
            row.name = name.strip()
            return self._run_record(row)

    def set_quality(
        self, run_id: str, figures: Sequence[Mapping[str, Any]], summary: Mapping[str, float]
    ) -> RunRecord:
        """Keep the quality figures of a run, and the few of them that lists show."""
        write_json(self.run(run_id).folder / "quality.json", list(figures))
        with self.database.transaction() as session:
            row = found(session, RunRow, run_id, "run")
            row.summary = plain(summary)
            return self._run_record(row)

    def quality(self, run_id: str) -> list[dict[str, Any]]:
        """Return the quality figures of a run as rows; empty while they are not computed."""
        path = self.run(run_id).folder / "quality.json"
        return read_json(path) if path.exists() else []

    def remove_run(self, run_id: str) -> None:
        """Remove a run with its maps, cluster names and notes.

        Raises
        ------
        StudioError
            When there is none, or a job is using it.
        """
        with removal() as put_aside, self.database.transaction() as session:
            row = found(session, RunRow, run_id, "run")
            maps = list(session.scalars(select(ProjectionRow.id).where(ProjectionRow.run_id == run_id)))
            refuse_while_used(session, [run_id, *maps], f"The run “{row.name}”")
            _forget_notes(session, "run", [run_id])
            session.execute(delete(ClusterNameRow).where(ClusterNameRow.run_id == run_id))
            session.execute(delete(ProjectionRow).where(ProjectionRow.run_id == run_id))
            session.delete(row)
            session.flush()
            for id in maps:
                put_aside(self._folder("projections", id))
            put_aside(self._folder("runs", run_id))

    def neighbours(
        self, owner_id: str, index: int, k: int = 24
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ``k`` items nearest to item ``index``: in a run's latent space, features, or a map.

        Parameters
        ----------
        owner_id : str
            Id of a run, of a feature set or of a map.

        Returns
        -------
        indices : int64 array (k,)
            Nearest first, without the item itself.
        distances : float32 array (k,)
            Euclidean.
        """
        with self.database.transaction() as session:
            is_run = session.get(RunRow, owner_id) is not None
            is_map = session.get(ProjectionRow, owner_id) is not None
        if is_map:
            return nearest(read_array(self._folder("projections", owner_id) / "map.npy"), index, k)
        points = self.run_arrays(owner_id).latents if is_run else self.features(owner_id)
        return nearest(points, index, k)

    def _run_record(self, row: RunRow) -> RunRecord:
        names = (field for field in RunRecord.__dataclass_fields__ if field != "folder")
        return RunRecord(**{name: getattr(row, name) for name in names}, folder=self._folder("runs", row.id))

    def _told_run(
        self, record: RunRecord, features: FeatureRecord, environment: Mapping[str, Any]
    ) -> dict[str, Any]:
        collection = self.collection(record.collection_id)
        told = {name: value for name, value in vars(record).items() if name not in ("folder", "summary")}
        return {
            **told,
            "features": {
                name: getattr(features, name)
                for name in ("id", "key", "encoder", "title", "origin", "parameters", "n_items", "dimensions")
            },
            "collection": {
                name: getattr(collection, name)
                for name in ("id", "name", "kind", "n_items", "source", "content_hash")
            },
            "environment": dict(environment),
        }


def _check_run(arrays: RunArrays, features: FeatureRecord, seeds: Sequence[SeedRecord]) -> None:
    n = features.n_items
    for name in ("labels", "soft_assignments", "latents"):
        rows = np.shape(getattr(arrays, name))[0]
        if rows != n:
            raise StudioError(
                f"The run's {name.replace('_', ' ')} have {rows} rows; its features have {n}.",
                "Fit the method on the whole feature set.",
            )
    shape = (0, n) if arrays.init_labels is None else np.shape(arrays.init_labels)
    if shape != (len(seeds), n):
        raise StudioError(
            f"The labels of the seeds have the shape {shape}; there were {len(seeds)} seeds on {n} items.",
            "Give one row of labels for each seed.",
        )


def _bytes(arrays: RunArrays) -> int:
    seeds = 0 if arrays.init_labels is None else 8 * np.size(arrays.init_labels)
    return seeds + sum(np.size(getattr(arrays, name)) * (8 if name == "labels" else 4) for name in RUN_ARRAYS)


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another disk, or a file system without links
        target.write_bytes(source.read_bytes())
