"""The commands for runs with a tree: list its branches, cut it at another level, split a branch again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from clustering.cli.commands import told
from clustering.cli.options import Queue, Seed, Where, app
from clustering.cli.speaking import answer, table
from clustering.cli.working import Work, workspace_at
from clustering.errors import StudioError
from clustering.merge_tree import MergeTree
from clustering.workspace import JobRecord


@app.command()
def tree(
    run: Annotated[str, typer.Argument(help="Id of a run with a tree: of Ward's, or HC-MGAN.")],
    most: Annotated[int, typer.Option(help="Leaves of the tree as it is listed, at most.", min=2)] = 12,
    workspace: Where = None,
) -> None:
    """List the branches of a run's tree with their numbers, each below the one it is part of."""
    house = workspace_at(workspace)
    found = house.tree(run)
    if found is None:
        raise StudioError(
            f"The run “{house.run(run).name}” has no tree.", "Train with Ward's tree or HC-MGAN."
        )
    rows = [
        (
            f"{'  ' * depth}{node}",
            f"{found.size(node):,}",
            f"{found.mass(node):,.1f}",
            f"{found.height(node):.4g}",
        )
        for node, depth in _downwards(found, min(most, found.n_leaves))
    ]
    table("", ("branch", "items", "mass", "height"), rows)


@app.command()
def cut(
    run: Annotated[str, typer.Argument(help="Id of a run with a tree: of Ward's, or HC-MGAN.")],
    n_clusters: Annotated[int, typer.Option("--n-clusters", "-k", help="Groups to cut it into.")],
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Cut a run's tree into another number of groups and judge them; prints the id of the new run."""
    with Work(workspace_at(workspace), queue) as work:
        work.workspace.run(run)
        _judged(work, work.do("cut", {"run": run, "n_clusters": n_clusters}), queue)


@app.command()
def split_again(
    run: Annotated[str, typer.Argument(help="Id of a run of HC-MGAN.")],
    branch: Annotated[int, typer.Argument(help="Its number, as “deepclust tree” lists it.")],
    leaves: Annotated[int, typer.Option(help="Groups that the branch is to have.", min=2)] = 2,
    seed: Seed = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Split a branch of a run's tree anew, or a leaf further; prints the id of the new run.

    All other branches stay as they are. Without a seed it takes the one after the run's.
    """
    with Work(workspace_at(workspace), queue) as work:
        work.workspace.run(run)
        wanted = {"run": run, "node": branch, "leaves": leaves, "random_state": seed}
        _judged(work, work.do("split-again", wanted), queue)


def _judged(work: Work, made: JobRecord, queue: bool) -> None:
    """Judge the run that a job makes, and answer with its id."""
    judged = work.do("quality", {}, made.id)
    if not queue:
        told(work.workspace, judged.result["run"])
    answer(work.made(made, "run"))


def _downwards(tree: MergeTree, n_leaves: int) -> Iterator[tuple[int, int]]:
    """Yield the nodes of a tree cut into so many leaves, each before those below it, with its depth."""
    whole, waiting = set(tree.branches(n_leaves).tolist()), [(tree.root, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        halves = None if node in whole else tree.halves(node)
        waiting += [(half, depth + 1) for half in reversed(halves or ())]
