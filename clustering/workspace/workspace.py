"""The workspace: everything that is kept, behind one object that is cheap to open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from clustering.errors import StudioError
from clustering.files import disk_errors
from clustering.workspace.companions import Companions
from clustering.workspace.database import Database, database_url
from clustering.workspace.hints import Hints
from clustering.workspace.jobs import Jobs
from clustering.workspace.labels import Labels
from clustering.workspace.marks import Marks
from clustering.workspace.results import Results

DEFAULT_ROOT = Path("~/.deep-clustering-studio")


class Workspace(Results, Companions, Marks, Hints, Labels, Jobs):
    """Collections, features, runs, maps, selections, notes and jobs in one folder with a database.

    Examples
    --------
    >>> import tempfile
    >>> workspace = Workspace.open(tempfile.mkdtemp())
    >>> workspace.collections()
    []
    """

    @classmethod
    def open(cls, root: Path | str | None = None) -> Self:
        """Open a workspace, made if it is not there.

        Parameters
        ----------
        root : path, optional
            The folder; else ``STUDIO_WORKSPACE``, else ``~/.deep-clustering-studio``. The database is the one
            ``STUDIO_DATABASE`` names (a SQLAlchemy URL), else a SQLite file in the folder.

        Raises
        ------
        StudioError
            When the folder or the database cannot be used.
        """
        chosen = Path(root or os.environ.get("STUDIO_WORKSPACE") or DEFAULT_ROOT).expanduser().absolute()
        if chosen.exists() and not chosen.is_dir():
            raise StudioError(f"{chosen} is a file, not a folder.", "Choose a folder for the workspace.")
        with disk_errors(chosen / "studio.db"):
            chosen.mkdir(parents=True, exist_ok=True)
        return cls(chosen, Database(database_url(chosen)))
