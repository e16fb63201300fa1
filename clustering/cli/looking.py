"""Commands that look: what there is, what can be chosen, and taking results out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from clustering.cli import taking
from clustering.cli.options import Where, app
from clustering.cli.settings import described
from clustering.cli.speaking import say, table
from clustering.cli.working import workspace_at
from clustering.errors import StudioError
from clustering.files import write_bytes
from clustering.jobs.catalogue import catalogue
from clustering.kinds import in_words
from clustering.methods.choosing import HINTS, Answers, advice
from clustering.methods.info import MethodInfo
from clustering.words import several
from clustering.workspace import Workspace

FORMS = {
    "labels": (".csv", ".parquet"),
    "map": (".png", ".svg"),
    "report": (".html",),
    "model": ("",),
    "graph": (".graphml",),
    "links": (".csv", ".parquet"),
}
Shelf = Literal["all", "collections", "features", "runs", "maps", "jobs"]


@app.command("list")
def list_(
    what: Annotated[Shelf, typer.Argument(help="Which of it.")] = "all",
    workspace: Where = None,
) -> None:
    """Say what is in the workspace."""
    house = workspace_at(workspace)
    shown = {
        "collections": _collections,
        "features": _features,
        "runs": _runs,
        "maps": _maps,
        "jobs": _jobs,
    }
    chosen = list(shown) if what == "all" else [what]
    if what == "all" and not house.collections() and not house.jobs():
        say(f"{house.root} is empty. Begin with: deepclust load FOLDER")
    for name in chosen:
        shown[name](house)


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="One of them, with its parameters.")] = None,
    workspace: Where = None,
) -> None:
    """Say what can be chosen: methods, projections and encoders, and what each takes."""
    found = catalogue(workspace_at(workspace))
    shelves = {"Methods": found.methods, "Projections": found.projections, "Encoders": found.features}
    if name is None:
        for title, entries in shelves.items():
            rows = [(entry.name, entry.title, entry.info["summary"]) for entry in entries.values()]
            table(title, ("name", "title", "what it does"), rows)
        for line in found.absent:
            say(line)
        return
    for entries in shelves.values():
        if name in entries:
            entry = entries[name]
            print(f"{entry.title}: {entry.info['summary']}")
            if entry.info.get("kinds"):
                print(f"Takes {', '.join(in_words(kind) for kind in entry.info['kinds'])}.")
            for field in ("when_to_use", "how_it_fails", "honesty", "origin", "reconstructed"):
                if entry.info.get(field):
                    print(entry.info[field])
            columns = ("parameter", "default", "allowed", "meaning")
            table("", columns, [described(parameter) for parameter in entry.parameters])
            return
    known = ", ".join(key for entries in shelves.values() for key in entries)
    raise StudioError(f"There is nothing called “{name}” to choose.", f"Choose one of: {known}.")


@app.command()
def choose(
    collection: Annotated[str, typer.Argument(help="Id of a collection.")],
    groups: Annotated[
        Literal["known", "unknown"] | None, typer.Option(help="Whether you know how many groups there are.")
    ] = None,
    hint: Annotated[
        list[str] | None, typer.Option(help="What else you have: links, pairs or labels; may be repeated.")
    ] = None,
    others: Annotated[bool, typer.Option("--others", help="Also say why not the other methods.")] = False,
    workspace: Where = None,
) -> None:
    """Say which methods to try first on a collection, and why."""
    house = workspace_at(workspace)
    record = house.collection(collection)
    hints = frozenset(hint or ())
    if unknown := sorted(hints - set(HINTS)):
        raise StudioError(f"There is no hint called “{unknown[0]}”.", f"Choose from: {', '.join(HINTS)}.")
    known = None if groups is None else groups == "known"
    infos = [MethodInfo(**entry.info) for entry in catalogue(house).methods.values()]
    answers = Answers(record.kind, record.n_items, known, hints)  # type: ignore[arg-type]
    found = advice(infos, answers)
    for number, one in enumerate(found.suggestions, 1):
        print(f"{number}. {one.title} ({one.name})")
        print(*(f"   {line}" for line in one.reasons + one.cautions), sep="\n")
    print(*found.notes, sep="\n")
    if others:
        table("Not these", ("name", "why not"), list(found.others.items()))
    if groups is None:
        say("Say more with --groups known or unknown, and --hint links, pairs or labels.")


@app.command()
def export(
    subject: Annotated[str, typer.Argument(help="Id of a run; for a map its own id will do too.")],
    what: Annotated[
        Literal["labels", "map", "report", "model", "graph", "links"],
        typer.Argument(help="What to take out."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to; its ending says the form.")
    ] = None,
    workspace: Where = None,
) -> None:
    """Write labels (.csv, .parquet), a map (.png, .svg), a report (.html) or the model (a folder).

    Of a graph also the graph with its groups (.graphml), or its links (.csv, .parquet).
    """
    house = workspace_at(workspace)
    target = output or Path(f"{subject}-{what}{FORMS[what][0]}")
    if target.suffix not in FORMS[what]:
        raise StudioError(
            f"{what.capitalize()} cannot be written as “{target.suffix or target.name}”.",
            f"Choose one of: {', '.join(FORMS[what])}.",
        )
    form: Any = target.suffix.removeprefix(".")
    if what == "model":
        print(taking.copy_model(house, subject, target))
        return
    content = (
        taking.labels_file(house, subject, form)
        if what == "labels"
        else taking.graph_file(house, subject, form)
        if what in ("graph", "links")
        else taking.report_file(house, subject)
        if what == "report"
        else taking.map_file(house, _map_of(house, subject), form)
    )
    write_bytes(target, content)
    print(target)


def _map_of(house: Workspace, subject: str) -> str:
    """Return the id of a map: the subject itself, or the newest of a run."""
    if any(drawn.id == subject for drawn in house.projections()):
        return subject
    drawn = taking.newest_map(house, house.run(subject).id)
    if drawn is None:
        raise StudioError(f"“{subject}” has no map yet.", f"Draw one: deepclust project {subject}")
    return drawn.id


def _collections(house: Workspace) -> None:
    rows = [(c.id, c.name, c.kind, c.n_items, c.source) for c in house.collections()]
    _shown("Collections", ("id", "name", "kind", "items", "source"), rows)


def _features(house: Workspace) -> None:
    rows = [(f.id, f.title, f.collection_id, f"{f.n_items} × {f.dimensions}") for f in house.feature_sets()]
    _shown("Features", ("id", "encoder", "collection", "shape"), rows)


def _runs(house: Workspace) -> None:
    rows = [
        (r.id, r.name, r.collection_id, r.n_clusters, r.seed, f"{r.seconds:.1f}", _headline(r.summary))
        for r in house.runs()
    ]
    _shown("Runs", ("id", "name", "collection", "groups", "seed", "seconds", "figures"), rows)


def _maps(house: Workspace) -> None:
    rows = [(p.id, p.title, p.space, p.run_id or p.feature_id, p.engine) for p in house.projections()]
    _shown("Maps", ("id", "projection", "space", "of", "made by"), rows)


def _jobs(house: Workspace) -> None:
    rows = []
    for job in house.jobs():
        status = house.status(job.id)
        rows.append(
            (job.id, job.title, job.state, f"{status.share:.0%}" if status.total else "", status.message)
        )
    _shown("Jobs", ("id", "title", "state", "done", "said"), rows)


def _shown(title: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        table(title, columns, rows)


def _headline(summary: dict[str, float]) -> str:
    """Return how well a run agrees with its first label column, and with how many others it was compared."""
    agreement = {name: value for name, value in summary.items() if "silhouette" not in name}
    columns = list(dict.fromkeys(_column(name) for name in agreement))
    said = [
        f"{name.rstrip(':')} {value:.2f}" for name, value in agreement.items() if _column(name) == columns[0]
    ]
    if len(columns) > 1:
        said.append(f"and {several(len(columns) - 1, 'more column')}")
    return " ".join(said)


def _column(figure: str) -> str:
    """Return the label column that ``"nmi:column"`` is about."""
    return figure.partition(":")[2]
