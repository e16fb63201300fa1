"""How the command line speaks: progress and figures on stderr, ids on stdout to be chained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from clustering.progress import Progress as Listener


def say(sentence: str) -> None:
    """Say something to the person, not to the next command."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, markup=False)


def answer(id: str) -> None:
    """Say the id of what was made, for the next command."""
    print(id, flush=True)


@contextmanager
def bar() -> Iterator[Listener]:
    """Show progress: a bar in a terminal, one line a phase elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("Starting", total=None)
        current = [""]

        def listen(done: int, total: int, doing: str) -> None:
            if doing != current[0]:
                current[0] = doing
                shown.reset(task, description=_sentence(doing))
            shown.update(task, completed=done, total=total or None)

        yield listen


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table on stdout; plain text where it is not a terminal."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=200)).print(made)


def figures(rows: Sequence[dict[str, Any]]) -> None:
    """Print quality figures on stderr."""
    for row in rows:
        if row["value"] is not None:
            against = row.get("column") or row["space"]
            say(f"  {row['title']}{f' ({against})' if against else ''}: {row['value']:.3f}")


def _lines() -> Listener:
    current = [""]

    def listen(done: int, total: int, doing: str) -> None:  # noqa: ARG001
        if doing != current[0]:
            current[0] = doing
            say(_sentence(doing))

    return listen


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _sentence(doing: str) -> str:
    return doing[:1].upper() + doing[1:]
