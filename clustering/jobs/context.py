"""What a task speaks and listens through: progress, events, a place for checkpoints, pause and stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from clustering.errors import Stopped
from clustering.jobs.log import EventLog
from clustering.jobs.status import StatusFile
from clustering.progress import Progress, silent
from clustering.training.events import Emit, Epoch, Event, Finished, Started, phase_in_words


class Cancelled(BaseException):
    """The user wants nothing of it. Not an `Exception`, so that no library swallows it on the way up."""


class Lost(BaseException):
    """Another process holds the job now; whatever is done here no longer counts."""


class Interrupted(Stopped):
    """The process has to go; as with any `Stopped`, work keeps its state first and can go on later."""


class GaveWay(Interrupted):
    """Somebody waits for another job, and nobody asked for this one: it goes on afterwards."""


ENDINGS: dict[str, type[BaseException]] = {
    "cancel": Cancelled,
    "interrupt": Interrupted,
    "give way": GaveWay,
    "lost": Lost,
}


class JobContext:
    """A task's line to the outside.

    Parameters
    ----------
    job_id : str
    folder : Path
        ``jobs/<id>``; the task may keep what it likes under `checkpoint`.
    listener : Progress
        Also hears every step (the command line's bar).
    on_pause : callable
        Called with True when the job begins to wait, with False when it goes on.
    """

    def __init__(
        self,
        job_id: str,
        folder: Path,
        *,
        listener: Progress = silent,
        on_pause: Callable[[bool], object] = lambda _: None,
    ) -> None:
        self.job_id = job_id
        self.folder = folder
        self.checkpoint = folder / "checkpoint"
        self.status = StatusFile(folder / "status.json")
        self.log = EventLog(folder)
        self.stopped = False
        self._listener = listener
        self._on_pause = on_pause
        self._wish = ""
        self._changed = threading.Event()
        self._training: dict[int | None, None] = {}  # seeds that have not ended, in the order they were named
        self._phase = ""
        self._phase_began = (0.0, 0)  # working seconds and steps done when the phase began
        self._began = time.monotonic()
        self._paused_for = 0.0

    @property
    def seconds(self) -> float:
        """Working time so far; pauses do not count."""
        return time.monotonic() - self._began - self._paused_for

    def wish(self, wanted: str) -> None:
        """Tell the job what is asked of it: nothing, pause, stop, or one of `ENDINGS`; from any thread."""
        if self._wish in ENDINGS or wanted == self._wish:
            return
        self._wish = wanted
        self._changed.set()

    def progress(self, done: int, total: int, doing: str) -> bool:
        """Hear how far work is (a `Progress`); True asks it to stop. Waits here while the job is paused.

        Raises
        ------
        Cancelled, Interrupted, Lost
            When the job must end at once.
        """
        if self._phase != doing or done < self._phase_began[1]:
            self._phase, self._phase_began = doing, (self.seconds, done)
        since, steps = self.seconds - self._phase_began[0], done - self._phase_began[1]
        remaining = since / steps * (total - done) if steps > 0 and total else None
        self._tell(phase=doing, done=done, total=total, doing=doing, remaining=remaining)
        self._listener(done, total, doing)
        return self._obeyed()

    def emit(self, event: Event) -> bool:
        """Hear an event of a fit (an `Emit`); True asks it to stop after this epoch. Waits while paused.

        Raises
        ------
        Cancelled, Interrupted, Lost
            When the job must end at once.
        """
        self.log.write(event)
        if isinstance(event, Finished):
            self._training.pop(event.seed, None)
        else:
            self._training.setdefault(event.seed)
        if isinstance(event, Started):
            self._tell(phase="", done=0, total=0, doing="Starting", message=event.device_reason)
        if isinstance(event, Epoch) and self._follows(event):
            doing = phase_in_words(event.phase).capitalize()
            self._tell(
                phase=event.phase,
                done=event.epoch,
                total=event.epochs,
                doing=doing,
                seed=event.seed,
                remaining=event.remaining,
            )
            self._listener(event.epoch, event.epochs, doing)
        return self._obeyed()

    def also(self, other: Emit) -> Emit:
        """Return an `emit` that tells ``other`` first."""

        def both(event: Event) -> bool:
            asked = bool(other(event))
            return self.emit(event) or asked

        return both

    def close(self) -> None:
        """Write the last word of status and events."""
        self.status.update(seconds=round(self.seconds, 3))
        self.status.flush(now=True)
        self.log.close()

    def _follows(self, event: Event) -> bool:
        """Say whether the status follows the seed of this event: of several, the first that still trains."""
        return next(iter(self._training), event.seed) == event.seed

    def _tell(self, **changes: object) -> None:
        self.status.update(seconds=round(self.seconds, 3), **changes)

    def _obeyed(self) -> bool:
        if self._wish == "pause":
            self._wait()
        if self._wish in ENDINGS:
            raise ENDINGS[self._wish](self._wish)
        self.stopped = self.stopped or self._wish == "stop"
        return self.stopped

    def _wait(self) -> None:
        began = time.monotonic()
        self.log.flush()
        self._on_pause(True)
        while self._wish == "pause":
            self._changed.wait(timeout=1.0)
            self._changed.clear()
        self._paused_for += time.monotonic() - began
        self._on_pause(False)
