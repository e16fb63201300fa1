"""An older database is brought up to date, a newer one refused in a sentence, and nobody claims from it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from clustering.errors import StudioError
from clustering.jobs import queue
from clustering.jobs.worker import work
from clustering.workspace import Workspace
from clustering.workspace.database import SCHEMA
from tests.conftest import ROOT


def asked(root: Path, statement: str) -> list[tuple]:
    with sqlite3.connect(root / "studio.db") as connection:
        return list(connection.execute(statement))


def as_of_format_1(root: Path) -> None:
    """Take from a database what formats 2 to 4 brought."""
    for table in ("hints", "labels"):
        asked(root, f"DROP TABLE {table}")
    for table, column in (("workers", "version"), ("jobs", "deaths"), ("jobs", "reached"), ("jobs", "offer")):
        asked(root, f"ALTER TABLE {table} DROP COLUMN {column}")
    asked(root, "UPDATE meta SET value = '1' WHERE key = 'schema'")


def test_a_database_of_an_older_format_keeps_everything(tmp_path):
    before = Workspace.open(tmp_path)
    job = before.submit("sample", {"name": "digits"})
    note = before.add_note("run/a", "kept")
    before.close()
    as_of_format_1(tmp_path)
    after = Workspace.open(tmp_path)
    assert after.job(job.id) == job
    assert after.notes("run/a") == [note]
    assert asked(tmp_path, "SELECT value FROM meta WHERE key = 'schema'") == [(SCHEMA,)]
    assert Workspace.open(tmp_path).jobs() == [job]


def test_many_that_open_an_older_database_at_once_all_succeed(tmp_path):
    Workspace.open(tmp_path).close()
    as_of_format_1(tmp_path)
    opening = f"from clustering.workspace import Workspace; Workspace.open({str(tmp_path)!r}).jobs()"
    processes = [subprocess.Popen([sys.executable, "-c", opening], cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4


@pytest.mark.parametrize("found", ["99", "something else"])
def test_a_database_of_a_newer_format_is_refused_in_a_sentence(tmp_path, found):
    Workspace.open(tmp_path).close()
    asked(tmp_path, f"UPDATE meta SET value = '{found}' WHERE key = 'schema'")
    with pytest.raises(StudioError, match=f"format {found}; this version reads format {SCHEMA}. Update"):
        Workspace.open(tmp_path)
    command = [sys.executable, "-m", "clustering.jobs.worker", "--workspace", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Update Deep Clustering Studio" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_goes_home_when_another_version_has_changed_the_database(tmp_path):
    workspace = Workspace.open(tmp_path)
    job = workspace.submit("sample", {})
    asked(tmp_path, "UPDATE meta SET value = '99' WHERE key = 'schema'")
    with pytest.raises(StudioError, match="format 99"):
        queue.claim(workspace, "worker-1")
    assert work(workspace, warm=False) == 0, "it does not wait for better times"
    assert workspace.job(job.id).state == "queued"


def test_jobs_stay_in_the_order_they_were_handed_in_when_the_clock_is_set_back(tmp_path, monkeypatch):
    workspace = Workspace.open(tmp_path)
    first = workspace.submit("sample", {})
    monkeypatch.setattr("clustering.workspace.database.now", lambda: "2001-01-01T00:00:00.000000+00:00")
    second, third = workspace.submit("sample", {}), workspace.submit("sample", {})
    assert workspace.jobs() == [third, second, first]
