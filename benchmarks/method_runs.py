"""Fit methods, each fit in a process of its own, and keep a row of every one: scores, seconds, memory.

A row is appended to a file of JSON lines as soon as its fit has ended; a fit that has its row is not run
again.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from inspect import signature
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
from data_sets import DataSet

Row = dict[str, Any]
# A fit's process is a copy of one that has imported these: importing costs more than many a fit.
IMPORTED = ["pandas", "sklearn.cluster", "sklearn.mixture", "torch", "clustering.methods.deep", "umap"]


@dataclass(frozen=True)
class Fit:
    """One method on one data set with one seed; ``label`` names the method in the table."""

    data: DataSet
    method: str
    seed: int
    settings: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    def row(self) -> Row:
        """Return what names the fit in its row."""
        return {
            "label": self.label or self.method,
            "data": self.data.name,
            "method": self.method,
            "seed": self.seed,
            "settings": self.settings,
        }


def same_fit(row: Row) -> str:
    """Return the part of a row by which a fit is known again."""
    return json.dumps([row[name] for name in ("label", "data", "method", "seed", "settings")], sort_keys=True)


def kept(file: Path) -> list[Row]:
    """Return the rows of a file; none where there is no file."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


# One fit ------------------------------------------------------------------------------------------------


def measured(fit: Fit, learned: Path | None = None) -> Row:
    """Fit in this process and return scores, seconds and peak memory.

    ``recall`` is the mean over classes of the share of a class that is in its matched group: a lost rare
    class shows in it. ``recalled`` says that the first stage was taken from ``learned``, the folder in which
    fits share what they learn first. The graphics processor is woken before the clock starts.
    """
    import torch

    from clustering.methods import method
    from clustering.metrics import external
    from clustering.training.kept_weights import weights_kept_in

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    unfitted = method(fit.method)(**fit.settings, random_state=fit.seed)
    x, references = fit.data.read(unfitted.info.layout)
    unfitted.set_params(**fit.data.layout(unfitted.info.layout))
    linked: dict[str, Any] = {}
    if fit.data.links and "edges" in signature(unfitted.fit).parameters:
        linked["edges"] = fit.data.edges()
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        (torch.ones(64, 64, device="cuda") @ torch.ones(64, 64, device="cuda")).sum().item()
    started, cpu_started = time.perf_counter(), time.process_time()
    with weights_kept_in(learned) if learned else nullcontext():
        model = unfitted.fit(x, **linked)
    row: Row = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "gpu_gib": torch.cuda.max_memory_allocated() / 2**30 if on_gpu else 0.0,
        "host_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "machine": torch.cuda.get_device_name() if on_gpu else "CPU",
        "torch": torch.__version__,
        "engine": getattr(model, "engine_", ""),
        "last": model.history_[-1].get("reason", ""),
        "recalled": learned is not None and first_stage_left_out(model.history_),
        "groups": len(set(model.labels_.tolist()) - {-1}),
        "smallest": int(np.bincount(model.labels_[model.labels_ >= 0], minlength=1).min()),
    }
    for reference, labels in references.items():
        scores = {quality.name: quality.value for quality in external(labels, model.labels_)}
        row |= {f"{reference} {key}": scores[key] for key in ("accuracy", "nmi", "ari")}
        row[f"{reference} recall"] = mean_recall(labels, model.labels_)
    return row


def first_stage_left_out(history: list[Row]) -> bool:
    """Return whether a fit of several stages had no epoch of the first."""
    begun = [name for row in history if row["kind"] == "started" for name, _ in row["phases"]]
    return len(begun) > 1 and not any(row.get("phase") == begun[0] for row in history)


def mean_recall(labels_true: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over classes of the share that lies in the matched group."""
    from clustering.metrics.matching import best_match, contingency

    counted = contingency(labels_true, labels)
    classes, groups = best_match(counted.grouped)
    shares = counted.grouped[classes, groups] / counted.table.sum(axis=1)[classes]
    return float(shares.sum() / len(counted.classes))


# Many fits ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """A fit under way, the process that does it and where that will tell its row."""

    fit: Fit
    process: Any
    told: Connection
    began: float


def run(
    fits: Iterable[Fit],
    file: Path,
    *,
    workers: int = 1,
    limit_seconds: float | None = None,
    retry: bool = False,
    learned: Path | None = None,
) -> list[Row]:
    """Run what has no row yet, ``workers`` fits side by side, and return the rows of all ``fits``.

    A fit that breaks off, dies or takes longer than ``limit_seconds`` gets a row whose ``failed`` says so; it
    is run again only with ``retry``. Fits share what they learn first through the folder ``learned``.
    """
    fits = list(fits)
    rows = {same_fit(row): row for row in kept(file)}
    waiting = [
        fit for fit in fits if (row := rows.get(same_fit(fit.row()))) is None or (retry and "failed" in row)
    ]
    context = get_context("forkserver")
    context.set_forkserver_preload([name for name in IMPORTED if find_spec(name.split(".")[0])])
    running: list[Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_started(waiting.pop(0), context, learned))
            wait([each.told for each in running], timeout=1)
            for each in list(running):
                if (ended := _ended(each, limit_seconds)) is not None:
                    running.remove(each)
                    row = each.fit.row() | ended | {"workers": workers}
                    rows[same_fit(row)] = row
                    _append(file, row)
    finally:
        for each in running:
            each.process.kill()
    return [rows[same_fit(fit.row())] for fit in fits]


def _started(fit: Fit, context: Any, learned: Path | None) -> Running:
    told, telling = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(fit, telling, learned))
    process.start()
    telling.close()  # so that the pipe ends when the process does
    return Running(fit, process, told, time.monotonic())


def _tell(fit: Fit, telling: Connection, learned: Path | None) -> None:
    try:
        telling.send(measured(fit, learned))
    except Exception as error:  # whatever stops a fit is its result here
        telling.send({"failed": f"{type(error).__name__}: {error}"})


def _ended(running: Running, limit_seconds: float | None) -> Row | None:
    """Return what a fit gave, None while it is still under way."""
    seconds = time.monotonic() - running.began
    if running.told.poll():
        try:
            row = running.told.recv()
            running.process.join()
        except EOFError:
            running.process.join()
            row = {"failed": f"its process ended with code {running.process.exitcode}"}
    elif limit_seconds is not None and seconds > limit_seconds:
        running.process.kill()
        running.process.join()
        row = {"failed": f"stopped after {limit_seconds:g} s"}
    else:
        return None
    running.told.close()
    return row


def _append(file: Path, row: Row) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps(row) + "\n")
    print({name: round(v, 3) if isinstance(v, float) else v for name, v in row.items()}, flush=True)


# The table ----------------------------------------------------------------------------------------------


SCORES = ("accuracy", "nmi", "ari", "recall")


def table(rows: list[Row], published: dict[str, str] | None = None, wanted: tuple[str, ...] = SCORES) -> str:
    """Return mean ± standard deviation over seeds as Markdown, a line for every label.

    Seconds and memory are those of the machine that ran most of the fits, named under ``on``; the seconds of
    the fits that shared it with the fewest others, † where there were others. Fits that took their first
    stage from another have no say in the seconds, ‡ where there are none but these.
    ``published`` adds a column with what was published for a label; ``wanted`` are the scores to show.
    """
    scores = [name for name in _names(rows) if name.rsplit(" ", 1)[-1] in wanted]
    heads = ["method", "seeds", *scores, "seconds", "CPU seconds", "GPU GiB", "host GiB", "on"]
    heads += ["published"] if published else []
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for label in dict.fromkeys(row["label"] for row in rows):
        of_label = [row for row in rows if row["label"] == label]
        fitted = [row for row in of_label if "failed" not in row]
        cells = [label, str(len(fitted))]
        if fitted:
            cells += [_mean_and_spread([row[name] for row in fitted]) for name in scores]
            cells += _costs(fitted)
        else:
            cells += [of_label[0]["failed"].replace("|", "/"), *[""] * (len(scores) + 4)]
        cells += [published.get(label, "")] if published else []
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _names(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _mean_and_spread(values: list[float]) -> str:
    spread = f" ± {np.std(values):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}".replace("0.", ".")


def _costs(rows: list[Row]) -> list[str]:
    (machine, _), *_ = Counter(row.get("machine", "") for row in rows).most_common(1)
    there = [row for row in rows if row.get("machine", "") == machine]
    whole = [row for row in there if not row.get("recalled")]
    fewest = min(row.get("workers", 1) for row in whole or there)
    timed = [row for row in whole or there if row.get("workers", 1) == fewest]
    mark = ("†" if fewest > 1 else "") + ("" if whole else "‡")
    seconds = f"{np.mean([row['seconds'] for row in timed]):.1f}{mark}"
    cpu_seconds = f"{np.mean([row['cpu_seconds'] for row in timed]):.1f}"
    peaks = [f"{max(row[name] for row in there):.1f}" for name in ("gpu_gib", "host_gib")]
    return [seconds, cpu_seconds, *peaks, machine]
