"""A worker for tests: a checkpoint after every epoch, slow epochs, and a long moment of writing a run."""

import sys
import time

import clustering.workspace.results as results
from clustering.jobs.context import JobContext
from clustering.jobs.worker import main
from clustering.training.checkpoint import Checkpoint

emit = JobContext.emit
write_json = results.write_json


def slow_emit(self, event):
    time.sleep(0.03)
    return emit(self, event)


def slow_write_json(path, content):
    if path.name == "run.json":
        time.sleep(1.0)
    write_json(path, content)


Checkpoint.due = lambda self: True
JobContext.emit = slow_emit
results.write_json = slow_write_json
sys.exit(main())
