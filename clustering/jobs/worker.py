"""The worker process: takes jobs from the queue one after another until it is told to go."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from clustering.errors import DiskFullError, StudioError
from clustering.jobs import reserve
from clustering.jobs.executors import run_job
from clustering.jobs.heart import Heart
from clustering.jobs.queue import claim, new_worker_id, register, unregister
from clustering.jobs.supervisor import end_turn
from clustering.workspace import JobRecord, Workspace
from clustering.workspace.database import OtherFormatError
from clustering.workspace.tidying import tidy

EVERY = 0.3  # seconds between two looks at an empty queue
BEHIND = 10  # niceness: the pages and the browser go first where they share the processor
WARM_AFTER = 2.0  # seconds without work after which slow imports are done beforehand

log = logging.getLogger(__name__)


def work(
    workspace: Workspace, *, idle_seconds: float | None = None, until_empty: bool = False, warm: bool = True
) -> int:
    """Do jobs until told to go; return how many were taken.

    Parameters
    ----------
    idle_seconds : float, optional
        Go home after so long without work; never when left out.
    until_empty : bool
        Go home as soon as no job can begin.
    warm : bool
        Compile what the projections need, and write the catalogue, while there is nothing else to do.
    """
    heart = Heart(workspace, new_worker_id())
    with ExitStack() as ending:
        ending.enter_context(signals_to(heart))  # before others see it, as they may then ask it to go
        _enter(workspace, heart.worker_id)
        ending.callback(_leave, workspace, heart.worker_id)
        heart.start()
        ending.callback(heart.stop)
        end_turn(workspace)
        taken, idle_since, cold = 0, time.monotonic(), warm
        while not heart.leaving:
            job = _claimed(workspace, heart)
            if job is not None:
                taken += 1
                run_job(workspace, job, heart)
                idle_since = time.monotonic()
                continue
            idle = time.monotonic() - idle_since
            if until_empty or (idle_seconds is not None and idle > idle_seconds):
                break
            if cold and idle > WARM_AFTER:
                cold = False
                threading.Thread(target=_warm, args=(workspace,), name="warm", daemon=True).start()
            time.sleep(EVERY)
    return taken


@contextmanager
def signals_to(heart: Heart) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the running job resumably; a second one ends the process at once."""

    def leave(number: int, _: FrameType | None) -> None:
        if heart.leaving:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        heart.leave()

    if threading.current_thread() is not threading.main_thread():  # only the main thread hears signals
        yield
        return
    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: list[str] | None = None) -> int:
    """Run a worker from the command line: ``python -m clustering.jobs.worker --workspace FOLDER``."""
    parser = argparse.ArgumentParser(prog="clustering.jobs.worker", description="Do the jobs of a workspace.")
    parser.add_argument("--workspace", help="its folder (default: STUDIO_WORKSPACE or the home folder's)")
    parser.add_argument("--idle-seconds", type=float, help="end after so long without work (default: never)")
    parser.add_argument("--until-empty", action="store_true", help="end when no job can begin")
    parser.add_argument("--no-warm", action="store_true", help="do not prepare slow imports while idle")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if hasattr(os, "nice"):
        os.nice(BEHIND)
    try:
        workspace = Workspace.open(chosen.workspace)
        work(
            workspace,
            idle_seconds=chosen.idle_seconds,
            until_empty=chosen.until_empty,
            warm=not chosen.no_warm,
        )
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _claimed(workspace: Workspace, heart: Heart) -> JobRecord | None:
    """Claim a job; a busy database only delays it, one of another version's format sends the worker home."""
    while not heart.leaving:
        try:
            workspace.interrupt_orphans()
            return claim(workspace, heart.worker_id)
        except OtherFormatError as error:
            log.warning("%s This worker goes home.", error)
            heart.leave()
        except StudioError as error:
            log.warning("%s", error)
            if not (isinstance(error, DiskFullError) and reserve.give(workspace)):
                time.sleep(1.0)
    return None


def _leave(workspace: Workspace, worker_id: str) -> None:
    """Strike this worker out; where that cannot be written, its end alone says as much."""
    try:
        unregister(workspace, worker_id)
    except StudioError as error:
        log.warning("%s", error)


def _enter(workspace: Workspace, worker_id: str) -> None:
    """Put the workspace in order and enter this worker; on a full disk too, as its jobs say what is wrong."""
    try:
        tidy(workspace)
        register(workspace, worker_id)
    except DiskFullError:
        if not reserve.give(workspace):
            raise
        _enter(workspace, worker_id)


def _warm(workspace: Workspace) -> None:
    from clustering.jobs import catalogue

    try:
        catalogue.write(workspace.cache)
        from clustering import projections

        projections.warm()
    except Exception:
        log.exception("What makes the first map quicker could not be prepared")


if __name__ == "__main__":
    sys.exit(main())
