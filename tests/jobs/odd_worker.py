"""A worker for tests, whose sample jobs count, write down what they did, or vanish without a word."""

import os
import signal
import sys
import time
from pathlib import Path

from clustering.jobs.tasks import TASKS
from clustering.jobs.worker import main
from clustering.progress import tell


def odd(workspace, parameters, context):
    kind = parameters["name"]
    if kind == "note":
        with Path(parameters["file"]).open("a") as file:  # one short append is whole, whoever else writes
            file.write(f"{context.job_id} {os.getpid()}\n")
        time.sleep(0.02)
        return {}
    last = parameters.get("at", 400)
    if kind == "vanish later":
        further = Path(parameters["further"])
        last = int(further.read_text()) + 1 if further.exists() else 1
        further.write_text(str(last))
    for step in range(last):
        tell(context.progress, step, 400, "Counting")
        time.sleep(0.01)
    if kind != "count":
        context.status.flush(now=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


TASKS["sample"] = odd
sys.exit(main())
