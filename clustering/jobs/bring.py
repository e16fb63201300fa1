"""Tasks that bring a collection into the workspace: from files, from a sample, from a museum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustering.errors import StudioError
from clustering.files import remove_folder, write_text
from clustering.jobs.context import JobContext
from clustering.workspace import Workspace
from clustering.workspace.jobs import DESTINATION

if TYPE_CHECKING:
    from clustering.collections import Collection


def load(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Load files: ``{source, kind, name, copy, label_column, options}``."""
    from clustering.collections import load as read

    source = needed(parameters, "source", "load")
    chosen = {
        name: parameters[name]
        for name in ("kind", "name", "copy", "label_column", "options")
        if parameters.get(name) is not None
    }

    def build(destination: Path) -> Collection:
        return read(source, destination, progress=context.progress, **chosen)

    return _built(workspace, context, parameters.get("name") or Path(str(source)).stem, build)


def sample(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Make a sample collection with a finished run and its map: ``{name}``."""
    from clustering.collections.samples import make_sample
    from clustering.jobs.shipped import finish

    name = needed(parameters, "name", "sample")

    def build(destination: Path) -> Collection:
        return make_sample(name, destination, progress=context.progress)

    made = _built(workspace, context, name, build)
    return {**made, **finish(workspace, name, made["collection"])}


def fetch(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Fetch works from a museum: ``{museum, query, department, limit, name, address}``."""
    from clustering.collections import museums

    museum = needed(parameters, "museum", "fetch")
    chosen = {
        name: parameters[name]
        for name in ("query", "department", "limit", "name", "address", "interval")
        if parameters.get(name) is not None
    }

    def build(destination: Path) -> Collection:
        return museums.fetch(museum, destination, progress=context.progress, **chosen)

    return _built(workspace, context, chosen.get("name") or chosen.get("query") or museum, build)


def needed(parameters: dict[str, Any], name: str, kind: str) -> Any:
    """Return a parameter a job cannot do without.

    Raises
    ------
    StudioError
        When it is missing.
    """
    if not parameters.get(name):
        raise StudioError(
            f"A “{kind}” job needs “{name}”.", f"Say which {name}, or chain it after a job that makes one."
        )
    return parameters[name]


def _built(
    workspace: Workspace, context: JobContext, name: str, build: Callable[[Path], Collection]
) -> dict[str, Any]:
    """Build a collection in its final folder and register it; a resumed job goes on with the same folder."""
    from clustering.collections import Collection

    noted = context.checkpoint / DESTINATION
    if noted.exists():
        destination = workspace.root / "collections" / noted.read_text(encoding="utf-8")
    else:
        destination = workspace.new_collection_folder(name)
        write_text(noted, destination.name)
    # a kill may have come after the folder was whole and before its row was written
    collection = Collection.open(destination) if destination.exists() else build(destination)
    try:
        record = workspace.add_collection(collection)
    except StudioError:
        remove_folder(destination)
        raise
    return {"collection": record.id}
