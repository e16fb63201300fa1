"""A thread beside the work: says that the worker lives, hears what the user asks."""

from __future__ import annotations

import logging
import threading
import time

from clustering.errors import StudioError
from clustering.jobs.context import JobContext
from clustering.jobs.queue import beat, wish
from clustering.workspace import Workspace

EVERY = 0.5  # seconds between two looks at the user's wishes
BEAT_EVERY = 2.0

log = logging.getLogger(__name__)


class Heart:
    """Beats from `start` to `stop`; `attend` gives it a job to watch over."""

    def __init__(self, workspace: Workspace, worker_id: str) -> None:
        self.workspace = workspace
        self.worker_id = worker_id
        self.leaving = False  # the process has been asked to go; a plain flag, as a signal handler sets it
        self._ended = threading.Event()
        self._context: JobContext | None = None
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._ended.set()
        self._thread.join(timeout=5)

    def leave(self) -> None:
        """Ask the running job, soon, to end so that it can be resumed; safe in a signal handler."""
        self.leaving = True

    def attend(self, context: JobContext | None) -> None:
        """Watch over a job, or over none."""
        self._context = context

    def _run(self) -> None:
        last = 0.0
        while not self._ended.wait(EVERY):
            context = self._context
            if self.leaving and context is not None:
                context.wish("interrupt")
            try:
                if time.monotonic() - last >= BEAT_EVERY:
                    beat(self.workspace, self.worker_id)
                    last = time.monotonic()
                self._look()
            except StudioError as error:  # a locked database or a full disk: the next look may succeed
                log.warning("%s", error)
            except Exception:  # a heart that stops would leave the job deaf, and dead to other machines
                log.exception("A look at the workspace failed")

    def _look(self) -> None:
        context = self._context
        if context is None:
            return
        context.status.flush()
        wanted = wish(self.workspace, context.job_id, self.worker_id)
        if self._context is context:  # it may have ended while the database was asked
            context.wish(wanted)
