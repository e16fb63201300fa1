"""The command that places what is not in the collection."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from clustering.cli.options import Where, app
from clustering.cli.speaking import say
from clustering.cli.working import workspace_at
from clustering.jobs.placing import NewItem, Placer
from clustering.newcomers import usual
from clustering.workspace import Workspace

GROUPS_TOLD = 3
NEAREST_TOLD = 5
SPACES = {"features": "features", "latent": "latent space"}


@app.command()
def place(
    run: Annotated[str, typer.Argument(help="Id of a run.")],
    files: Annotated[
        list[Path], typer.Argument(help="Pictures, a small table, vectors, texts or sentences.")
    ],
    chart: Annotated[
        str | None, typer.Option("--map", help="Id of a map of the run; else its newest.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON an item.")] = False,
    workspace: Where = None,
) -> None:
    """Say where new items belong: group, odds, nearest items, place on the map; nothing is added."""
    house = workspace_at(workspace)
    record = house.run(run)
    found = chart or next((one.id for one in house.projections(run_id=run)), None)
    say(f"Loading what “{record.name}” needs.")
    answer = Placer(house).place(run, [file.expanduser() for file in files], found)
    for note in answer.notes:
        say(note)
    for item in answer.items:
        print(json.dumps(_plain(item)) if as_json else _told(item, house, run))


def _plain(item: NewItem) -> dict[str, object]:
    return {
        name: value
        for name, value in asdict(item).items()
        if name not in ("picture", "thumbnail", "features")
    }


def _told(item: NewItem, house: Workspace, run: str) -> str:
    from clustering.charts.palette import group_name

    names = house.cluster_names(run)
    ids = house.open_collection(house.run(run).collection_id).items["id"]

    def group(label: int) -> str:
        return names.get(label) or group_name(label)

    likely = sorted(range(len(item.odds)), key=lambda label: -item.odds[label])[:GROUPS_TOLD]
    odds = ", ".join(f"{group(label)} {item.odds[label]:.1%}" for label in likely)
    lines = [f"{item.name}: {group(item.label)}", f"  odds: {odds}"]
    for space, title in SPACES.items():
        near = ", ".join(
            f"{ids.iloc[index]} ({apart:.3g})" for index, apart in item.near[space][:NEAREST_TOLD]
        )
        lines += [
            f"  nearest in {title}: {near}",
            f"    {usual(item.nearer_than[space], 'items')}",
        ]
    lines += [f"  on {chart}: {x:.4g}, {y:.4g}" for chart, (x, y) in item.positions.items()]
    return "\n".join(lines)
