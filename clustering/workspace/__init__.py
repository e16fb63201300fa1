"""What is kept: collections, features, runs, maps, selections, notes and jobs."""

from clustering.workspace.events import without_repeats
from clustering.workspace.job_records import (
    LIVE,
    OPEN,
    JobKind,
    JobRecord,
    JobStatus,
    Request,
    State,
    WorkerRecord,
)
from clustering.workspace.records import (
    CollectionRecord,
    FeatureRecord,
    Hint,
    Note,
    ProjectionRecord,
    RunArrays,
    RunRecord,
    SeedRecord,
    Selection,
    SnapshotFile,
)
from clustering.workspace.results import last_alarms, newest_epoch
from clustering.workspace.workspace import Workspace

__all__ = [
    "LIVE",
    "OPEN",
    "CollectionRecord",
    "FeatureRecord",
    "Hint",
    "JobKind",
    "JobRecord",
    "JobStatus",
    "Note",
    "ProjectionRecord",
    "Request",
    "RunArrays",
    "RunRecord",
    "SeedRecord",
    "Selection",
    "SnapshotFile",
    "State",
    "WorkerRecord",
    "Workspace",
    "last_alarms",
    "newest_epoch",
    "without_repeats",
]
