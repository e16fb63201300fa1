"""What can be chosen (methods, encoders, maps) as plain data, so that a page pays for none of their imports.

Run as ``python -m clustering.jobs.catalogue FILE`` it imports everything once and writes the catalogue.
Workers write it while idle; pages only read the file.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import clustering
from clustering.files import write_json
from clustering.methods import absent, library_version
from clustering.parameters import Parameter
from clustering.workspace import Workspace

PACKAGES = ("methods", "projections", "features")


@dataclass(frozen=True)
class Entry:
    """One thing to choose: what it says of itself (`MethodInfo` and its like as a dict) and what it takes."""

    name: str
    info: dict[str, Any]
    parameters: tuple[Parameter, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.info["title"])


@dataclass(frozen=True)
class Catalogue:
    """Everything that can be chosen, by package and name, in its order."""

    methods: Mapping[str, Entry]
    projections: Mapping[str, Entry]
    features: Mapping[str, Entry]
    device: str  # the sentence that says where a fit runs when nobody chooses
    absent: tuple[str, ...] = ()  # a line for every library whose methods could be here and are not


def catalogue(workspace: Workspace) -> Catalogue:
    """Return the catalogue; where nobody has written it yet, it is written first, which takes seconds."""
    write(workspace.cache)
    found = read(workspace.cache)
    assert found is not None  # just written
    return found


def read(cache: Path) -> Catalogue | None:
    """Return the catalogue of this very code, or None while nobody has written it."""
    try:
        return _read(place(cache))
    except FileNotFoundError:
        return None


def method_entry(cache: Path, name: str) -> Entry | None:
    """Return what a method says of itself; None while the catalogue is not written, or the method is gone."""
    choices = read(cache)
    return choices.methods.get(name) if choices else None


@lru_cache(maxsize=2)  # a page asks several times a look; another content has another name
def _read(file: Path) -> Catalogue:
    content = json.loads(file.read_text(encoding="utf-8"))
    entries = {package: _entries(content[package]) for package in PACKAGES}
    return Catalogue(**entries, device=content["device"], absent=tuple(content["absent"]))


def write(cache: Path) -> None:
    """Write the catalogue in another process unless it is there.

    Raises
    ------
    RuntimeError
        When a module of the library cannot be imported; the message ends with Python's own reason.
    """
    if place(cache).exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", "clustering.jobs.catalogue", str(place(cache))],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(clustering.__file__).parent.parent,
    )
    if done.returncode:
        raise RuntimeError(f"The catalogue could not be written: {done.stderr[-2000:]}")


def place(cache: Path) -> Path:
    """Return the catalogue's file; its name changes when a listed package or a library does."""
    home = Path(clustering.__file__).parent
    stamp = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((home / package).rglob("*.py")):
            stamp.update(f"{file.name}:{file.stat().st_mtime_ns}".encode())
    stamp.update(repr((library_version("clustpy"), absent())).encode())
    return cache / f"choices-{stamp.hexdigest()[:12]}.json"


def _entries(rows: list[dict[str, Any]]) -> dict[str, Entry]:
    return {
        row["name"]: Entry(row["name"], row["info"], tuple(_parameter(entry) for entry in row["parameters"]))
        for row in rows
    }


def _parameter(row: dict[str, Any]) -> Parameter:
    default = row["default"]
    if row["kind"] == "ints" and default is not None:
        default = tuple(default)
    return Parameter(**{**row, "default": default, "choices": tuple(row["choices"])})


def _collected() -> dict[str, Any]:
    from clustering.features import encoders
    from clustering.methods import clustpy, methods
    from clustering.parameters import parameters_of
    from clustering.projections import projections
    from clustering.training.device import choose_device

    found: dict[str, Mapping[str, Any]] = {
        "methods": methods(),
        "projections": projections(),
        "features": encoders(),
    }
    listed: dict[str, Any] = {
        package: [
            {
                "name": name,
                "info": asdict(entry.info),
                "parameters": [asdict(parameter) for parameter in parameters_of(entry)],
            }
            for name, entry in entries.items()
        ]
        for package, entries in found.items()
    }
    trouble = (clustpy.trouble,) if clustpy.trouble else ()
    return {**listed, "device": choose_device().reason, "absent": absent() + trouble}


if __name__ == "__main__":
    write_json(Path(sys.argv[1]), _collected())
