"""Where the workspace lies; kept apart so that the server can say it before anything heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path


def workspace_root() -> Path:
    """Return the folder everything is kept in."""
    return Path(os.environ.get("STUDIO_WORKSPACE") or "~/.deep-clustering-studio").expanduser()
