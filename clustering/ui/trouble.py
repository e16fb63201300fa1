"""Show a page's trouble as sentences: what happened, what is safe, what to do; never a traceback."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st

from clustering.errors import StudioError
from clustering.ui.place import workspace_root

P = ParamSpec("P")
log = logging.getLogger("clustering.ui")

SAFE = "Your collections, runs and maps are untouched."


def show(error: Exception) -> bool:
    """Put the trouble on the page; the answer True tells Streamlit that nothing more need be shown.

    Parameters
    ----------
    error : Exception
        A `StudioError` speaks for itself; anything else is logged under a short number and shown as a
        calm sentence that names that number and the log file.
    """
    if isinstance(error, StudioError):
        notice(error.problem, error.mend)
        return True
    number = uuid.uuid4().hex[:6]
    log.error("Trouble %s", number, exc_info=error)
    notice(
        "Something went wrong on our side, and this page could not be finished.",
        f"Reload the page. If it happens again, send us note {number} from the log at {log_file()}.",
    )
    return True


def notice(problem: str, mend: str = "", safe: str = SAFE) -> None:
    """Write a problem, what is safe and the mend as one quiet box."""
    with st.container(border=True, key=f"trouble-{uuid.uuid4().hex[:6]}"):
        st.markdown(f":material/error: **{plain(problem)}**")
        st.caption(" ".join(plain(sentence) for sentence in (mend, safe) if sentence))


def plain(text: str) -> str:
    """Return ``text`` so that Markdown shows it letter by letter (a title may hold anything)."""
    special = "\\`*_{}[]<>()#+!|$~:"
    return "".join(f"\\{letter}" if letter in special else letter for letter in text).replace("\n", " ")


@contextmanager
def caught() -> Iterator[None]:
    """Run a page so that its trouble is shown in its place."""
    try:
        yield
    except Exception as error:
        show(error)


def guarded(block: Callable[P, Any]) -> Callable[P, Any]:
    """Give a fragment or a callback the same calm ending as a page."""

    @wraps(block)
    def calm(*args: P.args, **kwargs: P.kwargs) -> Any:
        with caught():
            return block(*args, **kwargs)

    return calm


def log_file() -> str:
    """Return where the log lies, as a person would type it."""
    return str(workspace_root() / "studio.log")


def write_log() -> None:
    """Send the studio's own log records to the log file, once a process."""
    from pathlib import Path

    root = logging.getLogger("clustering")
    target = Path(log_file())
    if any(getattr(handler, "baseFilename", "") == str(target) for handler in root.handlers):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(target, delay=True, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
