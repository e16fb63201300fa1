"""Errors a person can act on: what happened, where, and how to mend it."""

from __future__ import annotations


class StudioError(ValueError):
    """Something the user gave or asked for cannot be used, said in sentences.

    Parameters
    ----------
    problem : str
        What was found and where, as a full sentence.
    mend : str
        What the user can do about it, as a full sentence; may be empty.
    """

    def __init__(self, problem: str, mend: str = "") -> None:
        super().__init__(problem, mend)
        self.problem = problem
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.problem} {self.mend}".strip()


class DiskFullError(StudioError):
    """There is no room left where something has to be written."""


class MemoryFullError(StudioError):
    """The memory of the machine or of its accelerator was too small for the work.

    Parameters
    ----------
    batch_size : int, optional
        Smaller batches, with which it may fit.
    """

    def __init__(self, problem: str, mend: str = "", batch_size: int | None = None) -> None:
        super().__init__(problem, mend)
        self.batch_size = batch_size


class Stopped(Exception):  # noqa: N818 - a stop is no error
    """Raised inside long work after the listener asked for a stop; what was done so far is kept."""
