"""The command line itself, and the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="See what deep clustering does to a collection: load, represent, cluster, project, look.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Where = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Folder that keeps everything.", envvar="STUDIO_WORKSPACE"),
]
Queue = Annotated[bool, typer.Option("--queue", help="Hand it to the worker and return at once.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="A parameter as name=value; see “deepclust methods NAME”."),
]
Seed = Annotated[int | None, typer.Option(help="Start of all chance: the same number, the same result.")]
