"""Gather pictures and their metadata beside a destination, then load them there in one step.

Samples paint and museums send pictures one by one. Until all are there they lie in a hidden folder with one
line a picture, so that a stop or a kill costs at most one of them.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clustering.collections.collection import DESCRIPTION, Collection, Finding
from clustering.collections.files import gathered_at
from clustering.errors import StudioError
from clustering.files import disk_errors, write_json, write_whole
from clustering.progress import Progress

Row = dict[str, Any]

PICTURES = "pictures"
LINES = "rows.jsonl"
REQUEST = "request.json"


class Gathering:
    """The hidden folder of one destination.

    Parameters
    ----------
    destination : Path
        Folder of the collection to be.
    request : mapping
        What is gathered, as JSON; what another request left is removed.

    Raises
    ------
    StudioError
        When something else lies at the destination, or the disk is full or closed.
    """

    def __init__(self, destination: Path, request: Mapping[str, Any]) -> None:
        self.destination = destination.expanduser().absolute()
        self._request = dict(request)
        self._folder = gathered_at(self.destination)
        self._refuse_taken()
        with disk_errors(self.destination):
            if self._stored_request() != self._request:
                shutil.rmtree(self._folder, ignore_errors=True)
            (self._folder / PICTURES).mkdir(parents=True, exist_ok=True)
            write_json(self._folder / REQUEST, self._request)
        self.rows = self._read_rows()

    @property
    def pictures(self) -> Path:
        """Folder of the pictures gathered so far."""
        return self._folder / PICTURES

    def keep(self, key: str, row: Row, picture: bytes | None = None) -> None:
        """Store one picture whole and then its line; a row without a picture only notes what came of it."""
        with disk_errors(self.destination):
            if picture is not None:
                write_whole(self.pictures / str(row["file"]), lambda stream: stream.write(picture))
            with (self._folder / LINES).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"key": key, "row": row}, ensure_ascii=False) + "\n")
        self.rows[key] = row

    def loaded(
        self,
        rows: Sequence[Row],
        *,
        name: str,
        origin: str,
        label_column: str | None = None,
        findings: Sequence[Finding] = (),
        progress: Progress,
    ) -> Collection:
        """Load the gathered pictures; the collection appears whole at the destination.

        Parameters
        ----------
        rows : sequence of dict
            The metadata in order; each names its ``file``.
        name, origin : str
            For people; ``origin`` becomes the collection's source.
        label_column : str, optional
        findings : sequence of Finding
            Put before those of the check.
        progress : Progress
        """
        from clustering.collections.loading import load

        with disk_errors(self.destination):
            write_whole(self.pictures / "metadata.csv", lambda stream: stream.write(_table(rows)))
        inner = self._folder / "collection"
        load(
            self.pictures,
            inner,
            kind="images",
            name=name,
            copy=True,
            label_column=label_column,
            progress=progress,
        )
        with disk_errors(self.destination):
            told = json.loads((inner / DESCRIPTION).read_text(encoding="utf-8"))
            told["source"] = origin
            told["gathered"] = self._request
            told["findings"] = [
                *(asdict(finding) for finding in findings),
                *(
                    finding
                    for finding in told["findings"]
                    if finding["subject"] not in {f.subject for f in findings}
                ),
            ]
            write_json(inner / DESCRIPTION, told)
            self._refuse_taken()
            if self.destination.is_dir():
                self.destination.rmdir()
            inner.replace(self.destination)
        shutil.rmtree(self._folder, ignore_errors=True)
        return Collection.open(self.destination)

    def _refuse_taken(self) -> None:
        there = self.destination
        if there.exists() and not (there.is_dir() and not any(there.iterdir())):
            raise StudioError(
                f"There is already something at {there}.", "Choose another place, or remove it first."
            )

    def _stored_request(self) -> Any:
        try:
            return json.loads((self._folder / REQUEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _read_rows(self) -> dict[str, Row]:
        """Return the rows that an earlier call kept; a line cut by a kill is passed over."""
        found: dict[str, Row] = {}
        try:
            text = (self._folder / LINES).read_text(encoding="utf-8")
        except FileNotFoundError:
            return found
        for line in text.splitlines():
            try:
                kept = json.loads(line)
            except ValueError:
                continue
            row = kept["row"]
            if "file" not in row or (self.pictures / row["file"]).exists():
                found[kept["key"]] = row
        if text and not text.endswith("\n"):  # begin a fresh line after the cut one
            with (self._folder / LINES).open("a", encoding="utf-8") as lines:
                lines.write("\n")
        return found


def gathered_already(destination: Path, request: Mapping[str, Any]) -> Collection | None:
    """Return the collection that this very request made earlier, or None."""
    try:
        told = json.loads((destination / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Collection.open(destination) if told.get("gathered") == dict(request) else None


def _table(rows: Sequence[Row]) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue().encode()
