"""Turn a folder of pictures into a collection: list, look at each once, join metadata, check, draw."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from clustering.collections.check import column_findings, few_findings, picture_findings, unreadable_findings
from clustering.collections.collection import FACTS, ORIGINALS, THUMBNAILS, Finding
from clustering.collections.columns import label_columns, listed
from clustering.collections.duplicates import duplicates
from clustering.collections.loaded import Loaded
from clustering.collections.metadata import NAMES, join, metadata_file, read_metadata
from clustering.collections.pictures import EXTENSIONS, is_picture
from clustering.collections.places import is_allowed
from clustering.collections.survey import Survey, survey, thumbnails
from clustering.collections.thumbnails import build_atlas
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

SURVEY = "survey"  # chunks of the look at each picture, only while loading
_JUNK = frozenset({"__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"})


def read_folder(
    source: Path,
    part: Path,
    *,
    copy: bool,
    label_column: str | None,
    progress: Progress,
    metadata: pd.DataFrame | None = None,
) -> Loaded:
    """Read every picture in or below ``source``.

    Parameters
    ----------
    source : Path
        The folder; when it lies in ``part``, the pictures already belong to the collection.
    part : Path
        Folder of the collection being built.
    copy : bool
        Copy the pictures into the collection instead of referring to them.
    label_column : str, optional
        The metadata column that comes first among the reference labels.
    metadata : pandas.DataFrame, optional
        Instead of a metadata file in the folder.

    Raises
    ------
    StudioError
        When there is no picture, none can be read, or the metadata fit none.
    """
    root = _only_folder(source)
    names, findings = list_pictures(root, progress)
    if not names:
        raise _no_pictures(source, findings)
    if metadata is None and (described := metadata_file(root)) is not None:
        metadata, odd = read_metadata(described)
        findings += odd
    if copy and not source.is_relative_to(part):
        root = _copied(root, names, part / ORIGINALS, progress)
    seen = survey([root / name for name in names], part / SURVEY, progress)
    findings += unreadable_findings(names, seen)
    keep = np.flatnonzero(seen.readable)
    if not len(keep):
        raise StudioError(
            f"None of the {several(len(names), 'picture')} in {source} can be read "
            f"(first: {names[0]}, {seen.problem[0]}).",
            "Open one in another program to see whether the files are whole.",
        )
    names, seen = [names[row] for row in keep], _rows(seen, keep)
    items, more = _items(names, seen, metadata, progress)
    described_by = items.drop(columns=["id", "path", "aspect", "width", "height", "duplicate_of"])
    if label_column is not None and label_column not in described_by:
        raise StudioError(
            f"There is no column “{label_column}” beside the pictures.",
            f"Choose one of: {listed(list(described_by), 20)}."
            if len(described_by.columns)
            else "Leave it out.",
        )
    labels = label_columns(described_by, label_column)
    findings += [
        *more, *few_findings(len(items)),
        *column_findings(described_by, labels, constant="kept, it tells the items apart in nothing",
                         missing="kept as missing; features do not use them"),
    ]  # fmt: skip
    content_hash = _content_hash(seen)
    chosen = (image for image in thumbnails(part / SURVEY) if image is not None)
    build_atlas(chosen, len(items), part / THUMBNAILS, content_hash, progress)
    facts = pd.DataFrame({"path": names, "size": seen.size, "modified": seen.modified})
    write_whole(part / FACTS, lambda stream: facts.to_parquet(stream, index=False))
    shutil.rmtree(part / SURVEY)
    inside = root.is_relative_to(part)
    place = root.relative_to(part).as_posix() if inside else str(root)
    return Loaded(items, labels, content_hash, tuple(findings), place)


def list_pictures(root: Path, progress: Progress) -> tuple[list[str], list[Finding]]:
    """Return the pictures in and below a folder, relative and in natural order, and what was passed over.

    A file counts when its first bytes are a picture's, whatever its ending, and also when only its ending
    is: then the check reports it. Hidden files, and links that lead out of the folder to places the studio
    may not read, do not count.
    """
    names: list[str] = []
    others: list[str] = []
    outside: list[str] = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not _is_junk(name)]
        tell(progress, 0, 0, f"listing the pictures ({len(names):,} so far)")
        for file in files:
            path = Path(folder, file)
            name = path.relative_to(root).as_posix()
            if _is_junk(file) or name in NAMES or not path.exists():
                continue
            if path.is_symlink() and not (path.resolve().is_relative_to(root.resolve()) or is_allowed(path)):
                outside.append(name)
            elif path.is_file():
                (names if path.suffix.lower() in EXTENSIONS or is_picture(path) else others).append(name)
    findings = []
    if outside:
        sentence = f"{several(len(outside), 'link')} to places the studio may not read; left out."
        findings.append(Finding("links", len(outside), sentence, tuple(outside[:20])))
    if others:
        others.sort(key=natural)
        which = several(len(others), "file that is no picture", "files that are no pictures")
        sentence = f"{which} passed over ({listed(others, 3)})."
        findings.append(Finding("other files", len(others), sentence, tuple(others[:20])))
    return sorted(names, key=natural), findings


def natural(name: str) -> tuple[list[list[tuple[int, int, str]]], str]:
    """Return a sorting key by which 9.jpg comes before 10.jpg, folder by folder, whatever the case."""
    parts = [re.split(r"(\d+)", part) for part in name.casefold().split("/")]
    return [[(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in part] for part in parts], name


def _items(
    names: list[str], seen: Survey, metadata: pd.DataFrame | None, progress: Progress
) -> tuple[pd.DataFrame, list[Finding]]:
    joined = join(metadata, names) if metadata is not None else None
    ids = joined.ids if joined is not None and joined.ids is not None else _ids(names)
    repeats = duplicates(seen.digest, seen.perceptual, seen.look, seen.spread, progress)
    columns = {
        "id": pd.Series(ids, dtype="str"),
        "path": pd.Series(names, dtype="str"),
        "aspect": (seen.width / seen.height).astype(np.float32),
        "width": seen.width,
        "height": seen.height,
        "duplicate_of": pd.Series([ids[row] if row >= 0 else None for row in repeats], dtype="str"),
    }
    items = pd.concat([pd.DataFrame(columns), _folders(names)], axis=1)
    findings = picture_findings(ids, seen.width, seen.height, seen.spread, seen.notes, repeats)
    if joined is None:
        return items, findings
    table = joined.table.rename(
        columns={name: f"{name} (metadata)" for name in joined.table if name in items}
    )
    return pd.concat([items, table], axis=1), [*findings, *joined.findings]


def _folders(names: list[str]) -> pd.DataFrame:
    """Return the folders pictures lie in as columns, where they tell pictures apart."""
    parents = [name.split("/")[:-1] for name in names]
    while all(parents) and len({parent[0] for parent in parents}) == 1:
        parents = [parent[1:] for parent in parents]
    columns = {
        "folder": [parent[0] if parent else None for parent in parents],
        "subfolder": ["/".join(parent[1:]) or None for parent in parents],
    }
    told = {name: pd.Series(values, dtype="str") for name, values in columns.items() if len(set(values)) > 1}
    return pd.DataFrame(told, index=pd.RangeIndex(len(names)))


def _ids(names: list[str]) -> list[str]:
    without = [re.sub(r"\.[^./]+$", "", name) for name in names]
    return without if len(set(without)) == len(without) else names


def _rows(seen: Survey, rows: np.ndarray) -> Survey:
    return replace(seen, **{name: getattr(seen, name)[rows] for name in Survey.__dataclass_fields__})


def _content_hash(seen: Survey) -> str:
    """Hash the pictures' bytes (not their names), in order."""
    return hashlib.blake2b("".join(seen.digest).encode(), digest_size=16).hexdigest()


def _copied(root: Path, names: list[str], target: Path, progress: Progress) -> Path:
    for done, name in enumerate(names):
        if done % 64 == 0:
            tell(progress, done, len(names), "copying the pictures")
        origin, copied = root / name, target / name
        if copied.exists() and copied.stat().st_size == origin.stat().st_size:
            continue  # from an earlier, broken-off load: files are renamed only when whole
        copied.parent.mkdir(parents=True, exist_ok=True)
        halfway = copied.with_name(f".{copied.name}.part")
        shutil.copy2(origin, halfway)
        halfway.replace(copied)
    return target


def _only_folder(folder: Path) -> Path:
    """Go down while a folder holds a single folder and nothing else, as zip files of a folder do."""
    while True:
        inside = [entry for entry in folder.iterdir() if not _is_junk(entry.name)]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].is_symlink():
            return folder
        folder = inside[0]


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name in _JUNK


def _no_pictures(source: Path, findings: list[Finding]) -> StudioError:
    others = next((finding for finding in findings if finding.subject == "other files"), None)
    if others is None:
        return StudioError(f"The folder {source} is empty.", "Choose a folder with pictures in it.")
    return StudioError(
        f"The folder {source} holds no pictures, only {several(others.count, 'other file')} "
        f"({listed(others.items, 3)}).",
        "Choose a folder with pictures in it, or one of these files itself.",
    )
