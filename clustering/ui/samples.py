"""The samples on the Start page: asked for at the first start, finished by what travels with the studio."""

from __future__ import annotations

import logging

from clustering.collections.samples import samples as known_samples
from clustering.jobs import ensure_worker
from clustering.jobs.shipped import RECIPES
from clustering.workspace import JobRecord, Workspace

log = logging.getLogger("clustering.ui")
FIRST = "generated_gallery"


def ensure(workspace: Workspace) -> None:
    """Ask for every sample once; one that was removed or cancelled is not asked for again."""
    known = known_samples()
    asked = {record.parameters.get("name") for record in workspace.jobs() if record.kind == "sample"}
    for name in RECIPES:
        if name not in asked:
            wanted = {"name": name, "unasked": True}
            workspace.submit("sample", wanted, title=f"Sample: {known[name].title.lower()}")
    ensure_worker(workspace)


def job_of(workspace: Workspace, name: str = FIRST) -> JobRecord | None:
    """Return the newest job that makes a sample."""
    return next(
        (
            record
            for record in workspace.jobs()
            if record.kind == "sample" and record.parameters.get("name") == name
        ),
        None,
    )


def collection_of(workspace: Workspace, name: str = FIRST) -> str | None:
    """Return the id of a sample's collection once it is there."""
    job = job_of(workspace, name)
    made = job.result.get("collection") if job else None
    return made if made in {record.id for record in workspace.collections()} else None
