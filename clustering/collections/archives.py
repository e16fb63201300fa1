"""Unpack a zip that a stranger may have made: nothing outside its folder, nothing without measure."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, silent, tell

MOST_FILES = 500_000
MOST_BYTES = 64 * 2**30  # unpacked
MOST_RATIO = 100  # pictures hardly shrink; a bomb shrinks a thousandfold
HARMLESS = 64 * 2**20  # bytes up to which any ratio is let through: small bitmaps of one colour are no bomb
_BLOCK = 2**20


def extract(archive: Path, target: Path, progress: Progress = silent) -> None:
    """Unpack ``archive`` into the folder ``target``; the whole archive is judged before a byte is written.

    Files that an earlier, broken-off call unpacked are kept.

    Raises
    ------
    StudioError
        When it is no zip, is broken or locked with a password, holds too much, or an entry that leads out of
        the folder or is a link.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = checked_entries(opened, archive.name)
            _refuse_if_full(sum(entry.file_size for entry in entries), target, archive.name)
            target.mkdir(parents=True, exist_ok=True)
            for done, entry in enumerate(entries):
                if done % 64 == 0:
                    tell(progress, done, len(entries), "unpacking")
                _unpack(opened, entry, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise StudioError(
            f"{archive.name} is no zip that can be read ({error}).",
            "Pack the folder again, or upload it whole.",
        ) from error


def checked_entries(opened: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the files in a zip after all of them were found harmless.

    Raises
    ------
    StudioError
        Names the first entry that is not, or what is too much.
    """
    for entry in opened.infolist():
        _refuse_escape(entry, name)
        if entry.flag_bits & 1:
            raise StudioError(f"{name} is locked with a password.", "Pack the folder again without one.")
    entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise StudioError(
            f"{name} holds {len(entries):,} files; the limit is {MOST_FILES:,}.",
            "Split it, or load the folder.",
        )
    seen: set[str] = set()
    for entry in entries:
        _refuse_swollen(entry.file_size, entry.compress_size, f"“{_shown(entry.filename)}” in {name}")
        path = _safe_name(entry)
        if path in seen:
            raise StudioError(f"{name} holds two files called “{_shown(path)}”.", "Pack the folder again.")
        seen.add(path)
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES:
        raise StudioError(
            f"{name} would unpack to {total / 2**30:,.0f} GB; the limit is {MOST_BYTES / 2**30:,.0f} GB.",
            "Split it, or load the folder.",
        )
    _refuse_swollen(total, sum(entry.compress_size for entry in entries), name)
    return entries


def refuse_bomb(path: Path) -> None:
    """Judge a file that is a zip inside (a spreadsheet) before another library unpacks it.

    Raises
    ------
    StudioError
        When it is no zip or unpacks to far more than it is.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            checked_entries(opened, path.name)
    except zipfile.BadZipFile as error:
        raise StudioError(f"{path.name} is broken ({error}).", "Save it again.") from error


def _refuse_escape(entry: zipfile.ZipInfo, name: str) -> None:
    raw = entry.orig_filename.replace("\\", "/")
    absolute = raw.startswith("/") or re.match(r"[A-Za-z]:", raw) is not None
    if absolute or ".." in raw.split("/") or "\0" in raw or not raw.strip("/. "):
        raise StudioError(
            f"{name} was refused: its entry “{_shown(raw)}” leads out of its own folder.",
            "Pack the folder again with an ordinary zip program, and do not trust where this file came from.",
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise StudioError(
            f"{name} was refused: its entry “{_shown(raw)}” is a link or device, not a file.",
            "Pack the folder again with the files themselves.",
        )


def _refuse_swollen(unpacked: int, packed: int, what: str) -> None:
    if unpacked > HARMLESS and unpacked > MOST_RATIO * max(1, packed):
        raise StudioError(
            f"{what} was refused: {packed / 2**20:,.1f} MB would unpack to {unpacked / 2**20:,.0f} MB, "
            f"more than {MOST_RATIO} times as much, as zip bombs do.",
            "Pack the pictures themselves, or load the folder.",
        )


def _refuse_if_full(needed: int, target: Path, name: str) -> None:
    folder = next(parent for parent in (target, *target.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StudioError(
            f"{name} needs {needed / 2**30:,.1f} GB unpacked; the disk has {free / 2**30:,.1f} GB free.",
            "Free some space or choose another place.",
        )


def _unpack(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    path = target / _safe_name(entry)
    if path.exists() and path.stat().st_size == entry.file_size:
        return

    def fill(stream: object) -> None:
        left = entry.file_size  # what the archive says may be a lie
        with opened.open(entry) as packed:
            while block := packed.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise zipfile.BadZipFile(f"{_shown(entry.filename)} is longer than it says")
                stream.write(block)  # type: ignore[attr-defined]

    between = path.parents[: len(path.parents) - len(target.parents) - 1]
    if path.is_dir() or any(folder.is_file() for folder in between):
        raise StudioError(
            f"An entry is a file and a folder at once (“{_shown(entry.filename)}”).", "Pack the folder again."
        )
    write_whole(path, fill)


def _safe_name(entry: zipfile.ZipInfo) -> str:
    """Return the entry's path with every piece short enough for any file system."""
    pieces = [piece for piece in entry.filename.replace("\\", "/").split("/") if piece not in ("", ".")]
    return "/".join(_short(piece) for piece in pieces)


def _short(piece: str) -> str:
    if len(piece.encode(errors="replace")) <= 200:  # 255 is the usual limit; temporary names need some room
        return piece
    stem, dot, ending = piece.rpartition(".")
    kept = (stem or ending).encode(errors="replace")[:150].decode(errors="ignore")
    return f"{kept}~{zlib.crc32(piece.encode(errors='replace')):08x}{dot}{ending[:20] if stem else ''}"


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in name)[:120]
