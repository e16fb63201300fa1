"""Every kind of work by name: the same functions behind a page's button, a command and a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clustering.jobs import beside, bring, cut, judge, labelling, learn, split_again
from clustering.jobs.context import JobContext
from clustering.workspace import Workspace

Task = Callable[[Workspace, dict[str, Any], JobContext], dict[str, Any]]

# A task answers with the ids of what it made and of what that stands on, so that a job chained after it finds
# whatever it needs.
TASKS: dict[str, Task] = {
    "load": bring.load,
    "fetch": bring.fetch,
    "sample": bring.sample,
    "features": learn.features,
    "train": learn.train,
    "cut": cut.cut,
    "split-again": split_again.split_again,
    "survey": labelling.survey,
    "refine": labelling.refine,
    "project": judge.project,
    "frames": beside.frames,
    "another-seed": beside.another_seed,
    "quality": judge.quality,
}
