"""Which folders of this machine the app may read for a user."""

from __future__ import annotations

import os
from pathlib import Path

from clustering.errors import StudioError


def roots() -> tuple[Path, ...]:
    """Return the folders below which sources may lie.

    ``STUDIO_ROOTS`` names them, separated as in ``PATH``. Without it: the home folder, the current folder
    and the workspace (``STUDIO_WORKSPACE``).
    """
    configured = os.environ.get("STUDIO_ROOTS", "")
    if configured:
        named = [Path(entry) for entry in configured.split(os.pathsep) if entry]
    else:
        named = [Path.home(), Path.cwd()]
        if workspace := os.environ.get("STUDIO_WORKSPACE"):
            named.append(Path(workspace))
    return tuple(folder.expanduser().resolve() for folder in named)


def is_allowed(path: Path) -> bool:
    """Say whether ``path``, links followed, lies in or below one of the roots."""
    resolved = path.expanduser().resolve()
    return any(resolved.is_relative_to(root) for root in roots())


def allowed_folder(path: str | Path) -> Path:
    """Return ``path`` with links followed, when it lies in or below one of the roots.

    The app asks this before it reads a folder or file a user typed; the library and the command line,
    which act with the user's own rights, do not.

    Raises
    ------
    StudioError
        When it lies elsewhere or does not exist.
    """
    if not is_allowed(Path(path)):
        raise StudioError(
            f"{path} lies outside the folders this studio may read.",
            f"Choose one below {', '.join(map(str, roots()))}, or start the studio with STUDIO_ROOTS set.",
        )
    resolved = Path(path).expanduser().resolve()
    if not resolved.exists():
        raise StudioError(f"There is nothing at {path}.", "Check the spelling of the path.")
    return resolved
