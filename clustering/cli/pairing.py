"""The commands for pairs made by hand: which items belong together, which are to be kept apart."""

from __future__ import annotations

from typing import Annotated

import typer

from clustering.cli.options import Where, app
from clustering.cli.speaking import answer, say, table
from clustering.cli.working import workspace_at
from clustering.errors import StudioError


@app.command()
def pair(
    collection: Annotated[str, typer.Argument(help="Id of a collection.")],
    items: Annotated[list[str], typer.Argument(help="Ids of two items or more, as in its items table.")],
    apart: Annotated[bool, typer.Option("--apart", help="Keep every two of them apart.")] = False,
    workspace: Where = None,
) -> None:
    """Say that items belong together, or are to be kept apart; the next run heeds it if its method can."""
    house = workspace_at(workspace)
    ids = house.open_collection(collection).items["id"].astype(str)
    place = {id: row for row, id in enumerate(ids)}
    unknown = [id for id in items if id not in place]
    if unknown:
        raise StudioError(
            f"There is no item “{unknown[0]}” in “{collection}”.",
            f"Ids look like “{ids.iloc[0]}”; an exported table of labels lists them.",
        )
    answer(house.add_hint(collection, [place[id] for id in items], together=not apart).id)


@app.command()
def pairs(
    collection: Annotated[str, typer.Argument(help="Id of a collection.")],
    remove: Annotated[str | None, typer.Option(help="Take one back, by its id.")] = None,
    run: Annotated[str | None, typer.Option(help="Id of a run: which of them does it keep?")] = None,
    workspace: Where = None,
) -> None:
    """List the pairs made by hand, or take one back."""
    house = workspace_at(workspace)
    if remove:
        house.remove_hint(remove)
    hints = house.hints(collection)
    if not hints:
        say("No pair was made by hand.")
        return
    ids = house.open_collection(collection).items["id"]
    labels = house.run_arrays(run).labels if run else None
    rows = [
        (
            hint.id,
            "together" if hint.together else "apart",
            ", ".join(str(ids.iloc[item]) for item in hint.items),
            "" if labels is None else "kept" if hint.kept(labels) else "broken",
        )
        for hint in hints
    ]
    table("Pairs made by hand", ("id", "said", "items", "this run" if run else ""), rows)
