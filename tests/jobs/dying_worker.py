"""A worker for tests: a checkpoint after every epoch, and a sudden death when the first seed has ended."""

import os
import signal
import sys

from clustering.jobs.context import JobContext
from clustering.jobs.worker import main
from clustering.training.checkpoint import Checkpoint
from clustering.training.events import Finished

emit = JobContext.emit


def last_words(self, event):
    said = emit(self, event)
    if isinstance(event, Finished):
        self.log.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return said


Checkpoint.due = lambda self: True
JobContext.emit = last_words
sys.exit(main())
