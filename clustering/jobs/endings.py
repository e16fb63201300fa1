"""What an error means for a job: the state it ends in, a sentence about it, and a mend."""

from __future__ import annotations

import logging
from typing import Any

from clustering.errors import DiskFullError, MemoryFullError, Stopped, StudioError
from clustering.files import disk_full, is_full
from clustering.jobs.context import Cancelled, GaveWay, Interrupted, Lost
from clustering.workspace import JobRecord
from clustering.workspace.orphans import INTERRUPTED, MORE_MEMORY, RESUME

log = logging.getLogger(__name__)


def ending(error: BaseException, job: JobRecord) -> dict[str, Any]:
    """Return what is to be written down about a job that ended with this error; others go on upwards.

    What was not foreseen also goes to the log, in full.
    """
    match error:
        case GaveWay():
            return {"state": "queued"}
        case Interrupted() | KeyboardInterrupt():
            return {"state": "interrupted", "problem": INTERRUPTED, "mend": RESUME}
        case Stopped():
            return {"state": "cancelled", "problem": "Stopped before there was anything to keep."}
        case Cancelled():
            return {"state": "cancelled"}
        case Lost():
            return {"state": "lost"}
        case StudioError():
            if error.__cause__ is not None and not isinstance(error, DiskFullError):
                log.info("The job failed", exc_info=error)
            smaller = error.batch_size if isinstance(error, MemoryFullError) else None
            return {**_failed(error.problem, error.mend), "offer": {"batch_size": smaller} if smaller else {}}
        case MemoryError():
            log.info("The job failed", exc_info=error)
            return _failed("The memory of this machine is used up.", MORE_MEMORY)
        case OSError() if is_full(error):
            log.info("The job failed", exc_info=error)
            told = disk_full(job.folder / "events.jsonl")
            return _failed(told.problem, told.mend)
        case OSError():
            log.error("The job failed", exc_info=error)
            where = f" ({error.filename})" if error.filename else ""
            return _failed(
                f"The operating system refused: {error.strerror or error}{where}.",
                "Mend that, then resume the job.",
            )
        case Exception():
            log.error("The job failed", exc_info=error)
            return _failed(
                f"Something happened that was not foreseen: {type(error).__name__}: {error}",
                "The job's log.txt holds the full report; please send it in.",
            )
    raise error


def _failed(problem: str, mend: str) -> dict[str, Any]:
    return {"state": "failed", "problem": problem, "mend": mend}
