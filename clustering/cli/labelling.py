"""The commands for labels given by hand: which items to label next, labels as a table, and what follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clustering.cli.options import Queue, Where, app
from clustering.cli.speaking import answer, say, table
from clustering.cli.taking import hand_labels_file
from clustering.cli.working import Work, workspace_at
from clustering.errors import StudioError
from clustering.words import several
from clustering.workspace import Workspace

if TYPE_CHECKING:
    from clustering.labelling import Pick


@app.command(name="label-next")
def label_next(
    subject: Annotated[str, typer.Argument(help="Id of a run, of features, or of a collection.")],
    n_items: Annotated[int, typer.Option("--n-items", "-n", help="How many labels you will give.")] = 10,
    workspace: Where = None,
) -> None:
    """List the items most worth a label next: dense places first, one for each, far from those labelled.

    A run of USL-T has learned which: of each of its groups without a label the item it is surest of. Of any
    other run its features are asked.
    """
    from clustering.jobs.labelling import kept_survey
    from clustering.labelling import surest_items
    from clustering.labelling.surveying import Distances
    from clustering.methods import methods

    with Work(workspace_at(workspace), queue=False) as work:
        house = work.workspace
        if work.identified(subject, ("features", "collection", "run")) == "run":
            run = house.run(subject)
            chosen = methods().get(run.method)  # a library that is gone offers nothing
            if chosen is not None and "picks" in chosen.info.offers:
                odds = house.run_arrays(run.id).soft_assignments
                _listed(
                    house, run.collection_id, surest_items(odds, house.labels(run.collection_id))[:n_items]
                )
                return
            subject = run.feature_id
        features = _features(work, subject)
        collection = house.feature_set(features).collection_id
        labels = house.labels(collection)
        budget = min(len(labels) + n_items, house.collection(collection).n_items)
        work.do("survey", {"features": features, "budget": budget})
        found = kept_survey(house, features, budget)
        assert found is not None  # it was just made
        picks = found.next_items(Distances.of(house.features(features), found), n_items, labels)
        _listed(house, collection, picks)


@app.command()
def label(
    collection: Annotated[str, typer.Argument(help="Id of a collection.")],
    text: Annotated[str, typer.Argument(help="What to call them.")],
    items: Annotated[list[str], typer.Argument(help="Ids of items, as in the items table.")],
    workspace: Where = None,
) -> None:
    """Give items a label by hand, in place of the one they have."""
    house = workspace_at(workspace)
    house.set_labels(collection, dict.fromkeys(_rows(house, collection, items), text))
    say(f"{several(len(house.labels(collection)), 'item has', 'items have')} a label.")


@app.command()
def labels(
    collection: Annotated[str, typer.Argument(help="Id of a collection.")],
    remove: Annotated[list[str] | None, typer.Option(help="Take the label of an item, by its id.")] = None,
    read: Annotated[Path | None, typer.Option(help="CSV with the columns id and label, to take in.")] = None,
    write: Annotated[Path | None, typer.Option("--write", "-o", help="CSV to write them to.")] = None,
    workspace: Where = None,
) -> None:
    """List the labels given by hand, take some back, read them from a CSV file or write them to one."""
    from clustering.labelling import read_labels

    house = workspace_at(workspace)
    ids = house.open_collection(collection).items["id"].astype(str)
    if remove:
        house.set_labels(collection, dict.fromkeys(_rows(house, collection, remove), None))
    if read:
        if not read.is_file():
            raise StudioError(f"There is no file {read}.", "Name a CSV file with the columns id and label.")
        found = read_labels(read.read_bytes(), list(ids))
        house.set_labels(collection, found.labels)
        for note in found.notes:
            say(note)
    given = house.labels(collection)
    if write:
        write.write_bytes(hand_labels_file(house, collection))
        say(f"{len(given)} labels were written to {write}.")
    elif given:
        table("Labels by hand", ("id", "label"), [(ids.iloc[item], text) for item, text in given.items()])
    else:
        say("No label was given by hand.")


@app.command()
def refine(
    subject: Annotated[str, typer.Argument(help="Id of features, or of a collection.")],
    way: Annotated[str, typer.Option(help="linear_probe, nearest_label or fixmatch.")] = "linear_probe",
    seed: Annotated[int | None, typer.Option(help="Start of all chance; only FixMatch has any.")] = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Sort all items by the labels given by hand; prints the id of the run whose groups they become."""
    from clustering.jobs.lessons import accuracy_sentence

    with Work(workspace_at(workspace), queue) as work:
        features = _features(work, subject)
        if way == "fixmatch":
            settings = {"random_state": seed or 0}
            made = work.do("train", {"features": features, "method": way, "parameters": settings})
        else:
            made = work.do("refine", {"features": features, "way": way})
        work.do("quality", {}, made.id)
        if not queue:
            say(accuracy_sentence(work.workspace, made.result["run"]))
        answer(work.made(made, "run"))


def _features(work: Work, subject: str) -> str:
    """Return the features that were named, or the newest of the collection, computed where there are none."""
    if work.identified(subject, ("features", "collection")) == "features":
        return subject
    kept = work.workspace.feature_sets(subject)
    if kept:
        say(f"With the newest features: {kept[0].title} ({kept[0].id}).")
        return kept[0].id
    made = work.do("features", {"collection": subject, "encoder": "auto", "parameters": {}})
    return str(made.result["features"])


def _listed(house: Workspace, collection: str, picks: list[Pick]) -> None:
    ids = house.open_collection(collection).items["id"]
    rows = [(str(ids.iloc[pick.item]), pick.stands_for, pick.reason) for pick in picks]
    table("Most worth a label", ("id", "stands for", "why"), rows)


def _rows(house: Workspace, collection: str, items: list[str]) -> list[int]:
    ids = house.open_collection(collection).items["id"].astype(str)
    place = {id: row for row, id in enumerate(ids)}
    unknown = [id for id in items if id not in place]
    if unknown:
        raise StudioError(
            f"There is no item “{unknown[0]}” in “{collection}”.",
            f"Ids look like “{ids.iloc[0]}”; an exported table of labels lists them.",
        )
    return [place[id] for id in items]
