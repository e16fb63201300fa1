"""One way for long work to say how far it is and to be asked to stop."""

from __future__ import annotations

from typing import Protocol

from clustering.errors import Stopped


class Progress(Protocol):
    """A listener for long work."""

    def __call__(self, done: int, total: int, doing: str) -> bool | None:
        """Hear that ``done`` of ``total`` steps of ``doing`` are finished.

        Returns
        -------
        bool or None
            True asks the work to stop.
        """


def silent(done: int, total: int, doing: str) -> None:
    """Listen to nothing; the default listener."""


def tell(progress: Progress, done: int, total: int, doing: str) -> None:
    """Report to the listener and raise `Stopped` when it asks for a stop.

    Raises
    ------
    Stopped
        When the listener returned True.
    """
    if progress(done, total, doing):
        raise Stopped(doing)
