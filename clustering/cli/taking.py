"""What can be taken out of a workspace as a file: labels, the map, a report, the model."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.files import new_folder
from clustering.workspace import ProjectionRecord, RunRecord, Workspace

if TYPE_CHECKING:
    import pandas as pd

    from clustering.charts.report import Gallery
    from clustering.collections import Collection
    from clustering.metrics.quality import Quality

PICTURES = 8  # typical items a group in the report
GROUPS = 40  # groups with pictures in the report
SIZE = 128  # pixels
WORDS, EXAMPLES = 8, 3  # of a group of texts or words


def labels_file(workspace: Workspace, run_id: str, form: Literal["csv", "parquet"]) -> bytes:
    """Return one row an item: id, group, confidence, place on the newest map, q, metadata."""
    from clustering.charts.exports import labels_csv, labels_parquet

    table = _labels(workspace, run_id)
    return labels_csv(table)[0] if form == "csv" else labels_parquet(table)


def hand_labels_file(workspace: Workspace, collection_id: str) -> bytes:
    """Return the labels given by hand as CSV: ``id, label``, one row an item that has one."""
    import pandas as pd

    from clustering.charts.exports import labels_csv

    labels = workspace.labels(collection_id)
    ids = workspace.open_collection(collection_id).items["id"].astype(str)
    table = pd.DataFrame({"id": ids.iloc[list(labels)].to_numpy(), "label": list(labels.values())}, dtype=str)
    return labels_csv(table)[0]


def graph_file(workspace: Workspace, run_id: str, form: Literal["graphml", "csv", "parquet"]) -> bytes:
    """Return a graph with the groups of a run as GraphML, or one row a link.

    Raises
    ------
    StudioError
        When the run is of another kind of collection.
    """
    from clustering.charts.exports import labels_csv, labels_parquet
    from clustering.charts.graph_exports import graphml, links_table

    edges = workspace.open_collection(workspace.run(run_id).collection_id).edges()
    table = _labels(workspace, run_id)
    if form == "graphml":
        return graphml(table, edges)
    rows = links_table(table, edges)
    return labels_csv(rows)[0] if form == "csv" else labels_parquet(rows)


def _labels(workspace: Workspace, run_id: str) -> pd.DataFrame:
    from clustering.charts.exports import labels_table

    run, arrays = workspace.run(run_id), workspace.run_arrays(run_id)
    drawn = newest_map(workspace, run_id)
    return labels_table(
        workspace.open_collection(run.collection_id).items,
        arrays.labels,
        arrays.soft_assignments,
        names=group_names(workspace, run_id),
        points=workspace.map(drawn.id) if drawn else None,
    )


def map_file(workspace: Workspace, projection_id: str, form: Literal["png", "svg"]) -> bytes:
    """Return a map as a picture, coloured by the groups of its run."""
    from clustering.charts.map_file import map_picture, provenance_line

    drawn = workspace.projection(projection_id)
    run = workspace.run(drawn.run_id) if drawn.run_id else None
    trust = {row["name"]: row["value"] for row in workspace.projection_quality(drawn.id)}
    return map_picture(
        workspace.map(drawn.id),
        workspace.run_arrays(run.id).labels if run else None,
        format=form,
        names=group_names(workspace, run.id) if run else None,
        colors=group_colours(workspace, run) if run else None,
        title=workspace.collection(drawn.collection_id).name,
        provenance=provenance_line(
            method=_method(workspace, run) if run else None,
            seed=run.seed if run else None,
            map=f"{drawn.title} of the {drawn.space}, seed {drawn.seed}",
            trustworthiness=trust.get("trustworthiness"),
        ),
    )


def report_file(workspace: Workspace, run_id: str) -> bytes:
    """Return a run as one HTML page: what was done, its figures beside the plain methods', map, galleries."""
    from clustering.charts.report import Report, report_html

    run, told = workspace.run(run_id), workspace.run_details(run_id)
    collection = workspace.open_collection(run.collection_id)
    drawn = newest_map(workspace, run_id)
    plain = [other for other in workspace.runs(feature_id=run.feature_id) if other.family == "baseline"]
    newest = {other.method: other for other in reversed(plain) if other.id != run.id}
    compared = [run, *newest.values()]
    made_with = told["environment"]
    shown = Report(
        title=f"{run.name} on {collection.name}",
        summary=f"{run.title} found {run.found}. {run.reason}",
        created=run.created[:16].replace("T", " "),
        facts={
            "Collection": told["collection"],
            "Features": {name: value for name, value in told["features"].items() if name != "parameters"},
            "Method": {
                "name": run.title,
                **_seeds(workspace, run),
                "seconds": round(run.seconds, 1),
                "device": made_with.get("device_reason", run.device),
            },
            "Parameters": told["parameters"],
            "Environment": made_with.get("versions", {}),
        },
        qualities={
            other.name if other is run or other.name != run.name else f"{other.name} ({other.id})": list(
                _qualities(workspace, other.id)
            )
            for other in compared
        },
        map_picture=map_file(workspace, drawn.id, "png") if drawn else b"",
        map_caption=f"{drawn.title} of the {drawn.space} ({drawn.engine})." if drawn else "",
        galleries=list(_galleries(workspace, run)),
        notes=[
            *workspace.alarms(run_id),
            *(drawn.notes if drawn else ()),
            *(finding.sentence for finding in collection.findings),
        ],
    )
    return report_html(shown).encode()


def copy_model(workspace: Workspace, run_id: str, target: Path) -> Path:
    """Copy the fitted model of a run, with its ``run.json``, to a folder that is not there yet.

    Raises
    ------
    StudioError
        When something is there, or the disk is full.
    """
    if target.exists():
        raise StudioError(f"There is already something at {target}.", "Choose another place with --output.")
    run = workspace.run(run_id)
    with new_folder(target) as part:
        shutil.copytree(run.folder / "model", part, dirs_exist_ok=True)
        shutil.copy2(run.folder / "run.json", part / "run.json")
    return target


def newest_map(workspace: Workspace, run_id: str) -> ProjectionRecord | None:
    """Return the newest map of a run, if there is one."""
    return next(iter(workspace.projections(run_id=run_id)), None)


def _method(workspace: Workspace, run: RunRecord) -> str:
    tried = len(workspace.seeds(run.id))
    return f"{run.title}, best of {tried} seeds" if tried else run.title


def _seeds(workspace: Workspace, run: RunRecord) -> dict[str, Any]:
    tried = [one.seed for one in workspace.seeds(run.id)]
    if not tried:
        return {"seed": run.seed}
    return {"seeds": f"{len(tried)} ({tried[0]} to {tried[-1]}), of which {run.seed} is kept"}


def group_names(workspace: Workspace, run_id: str) -> list[str] | None:
    """Return one name a group, the usual one where the user gave none; None where no group has one."""
    from clustering.charts.palette import group_name

    named = workspace.cluster_names(run_id)
    count = workspace.run_arrays(run_id).soft_assignments.shape[1]
    return [named.get(label) or group_name(label) for label in range(count)] if named else None


def group_colours(workspace: Workspace, run: RunRecord) -> list[str]:
    """Return the colour of each group as the pages have it; none where it follows the place on the map."""
    from clustering.charts.run_colours import colour_numbers, first_run, numbered_colours

    arrays = workspace.run_arrays(run.id)
    count = max(arrays.soft_assignments.shape[1], int(arrays.labels.max(initial=-1)) + 1)
    first = workspace.run_arrays(first_run(workspace.runs(run.collection_id)).id)
    return numbered_colours(colour_numbers(np.asarray(first.labels), np.asarray(arrays.labels), count))


def _qualities(workspace: Workspace, run_id: str) -> Iterator[Quality]:
    from clustering.metrics.quality import Quality

    known = {field.name for field in fields(Quality)}
    for row in workspace.quality(run_id):
        if row.get("detail"):  # single seeds and groups: many, and summed up by the figures before them
            continue
        about = {name: value for name, value in row.items() if name in known}
        if row.get("column"):  # the same measure against several columns: told apart
            about |= {"name": f"{row['name']}:{row['column']}", "title": f"{row['title']} · {row['column']}"}
        yield Quality(**about)


def _galleries(workspace: Workspace, run: RunRecord) -> Iterator[Gallery]:
    from clustering.charts.palette import cluster_colors
    from clustering.charts.report import Gallery

    arrays, collection = workspace.run_arrays(run.id), workspace.open_collection(run.collection_id)
    colors = group_colours(workspace, run) or cluster_colors(arrays.soft_assignments.shape[1])
    names = workspace.cluster_names(run.id)
    certainty = arrays.soft_assignments.max(axis=1)
    found, counts = np.unique(arrays.labels[arrays.labels >= 0], return_counts=True)
    words = _words_of_groups(collection, arrays.labels)
    for place, (label, count) in enumerate(zip(found.tolist(), counts.tolist(), strict=True)):
        members = np.flatnonzero(arrays.labels == label)
        typical = members[np.argsort(-certainty[members], kind="stable")][:PICTURES]
        wanted = typical.tolist() if collection.pictured and place < GROUPS else []
        pictures = [_picture(collection, index) for index in wanted]
        examples = [str(collection.items["opening"].iloc[row]) for row in typical[:EXAMPLES]] if words else []
        yield Gallery(
            label, count, colors[label], names.get(label, ""), pictures, words.get(label, ""), examples
        )


def _words_of_groups(collection: Collection, labels: NDArray[np.int64]) -> dict[int, str]:
    """Return a line on the words of each group, of texts or of words in sentences."""
    from clustering.collections.words import names_of_groups

    lead = {
        "text": "Words that tell it from the others:",
        "tokens": "Its commonest words:",
    }.get(collection.kind)
    if lead is None:
        return {}
    data: Any = collection.data()
    return {label: f"{lead} {words}" for label, words in names_of_groups(data, labels, WORDS).items()}


def _picture(collection: Any, index: int) -> tuple[bytes, str]:
    file = io.BytesIO()
    collection.picture(index, SIZE).save(file, "WEBP", quality=80)
    return file.getvalue(), str(collection.items["id"].iloc[index])
