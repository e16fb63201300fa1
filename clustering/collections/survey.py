"""Look at every picture once: what it is, whether it can be read, and a thumbnail; 256 at a time, each kept.

A chunk of pictures becomes one file, written whole. A load that was killed finds the finished chunks and goes
on; memory holds one chunk and as many decoded pictures as there are threads.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clustering.collections.atlas import SIZES
from clustering.collections.pictures import TooLargeError, UnreadableError, open_picture
from clustering.files import write_arrays
from clustering.progress import Progress, silent, tell

CHUNK = 256  # pictures; a thumbnail takes some 10 kB, so a chunk file has about 2.5 MB
THUMBNAIL = max(SIZES)
LOOK = 16  # pixels a side of the picture that duplicates are compared by


@dataclass(frozen=True)
class Survey:
    """What is known of n files after one look at each; arrays of length n.

    Attributes
    ----------
    problem : ndarray of str
        Why a file could not be read; empty for pictures.
    too_large : ndarray of bool
        Refused for its number of pixels.
    width, height : ndarray of int32
    notes : ndarray of str
        What was done to it, joined by commas; see `pictures.Picture`.
    digest : ndarray of str
        128-bit BLAKE2 hash of the file's bytes, in hexadecimal digits.
    perceptual : ndarray of uint64
        64-bit perceptual hash (discrete cosine transform).
    spread : ndarray of float32
        Standard deviation of the thumbnail's brightness, in grey levels of 255.
    look : ndarray of uint8, shape (n, 16, 16, 3)
        The picture squeezed to a small square.
    size, modified : ndarray of int64
        Bytes, and time of change in nanoseconds.
    """

    problem: NDArray[np.str_]
    too_large: NDArray[np.bool_]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    notes: NDArray[np.str_]
    digest: NDArray[np.str_]
    perceptual: NDArray[np.uint64]
    spread: NDArray[np.float32]
    look: NDArray[np.uint8]
    size: NDArray[np.int64]
    modified: NDArray[np.int64]

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which files are pictures."""
        return self.problem == ""


def survey(files: Sequence[Path], folder: Path, progress: Progress = silent) -> Survey:
    """Look at every file, keeping finished chunks in ``folder``.

    Raises
    ------
    Stopped
        When the listener asks for it; finished chunks are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[dict[str, NDArray[Any]]] = []
    doing = "looking at the pictures"
    with ThreadPoolExecutor(_threads(), thread_name_prefix="pictures") as pool:
        for start in range(0, len(files), CHUNK):
            tell(progress, start, len(files), doing)
            part, names = folder / f"{start // CHUNK:05d}.npz", files[start : start + CHUNK]
            fingerprint = _fingerprint(names)
            if _fingerprint_of(part) != fingerprint:
                looks = _in_order(pool, names, progress, start, len(files), doing)
                write_arrays(part, {**_columns(looks), "fingerprint": np.array(fingerprint)})
            with np.load(part, allow_pickle=False) as kept:
                parts.append({name: kept[name] for name in Survey.__dataclass_fields__})
    tell(progress, len(files), len(files), doing)
    return Survey(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def thumbnails(folder: Path) -> Iterator[Image.Image | None]:
    """Yield every file's thumbnail (RGB, longer side at most 128 pixels), None for unreadable ones."""
    for part in sorted(folder.glob("?????.npz")):
        with np.load(part, allow_pickle=False) as kept:
            ends, packed = kept["thumbnail_ends"], kept["thumbnails"]
        for start, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True):
            yield Image.open(io.BytesIO(packed[start:end].tobytes())).convert("RGB") if end > start else None


def _threads() -> int:
    return max(1, min(8, os.cpu_count() or 1))  # decoding and scaling release Python's lock


def _in_order(
    pool: ThreadPoolExecutor, names: Sequence[Path], progress: Progress, start: int, total: int, doing: str
) -> list[dict[str, Any]]:
    looks = []
    futures = [pool.submit(_look_at, name) for name in names]
    try:
        for done, future in enumerate(futures):
            looks.append(future.result())
            if done % 16 == 15:
                tell(progress, start + done + 1, total, doing)
    finally:
        for future in futures:
            future.cancel()
    return looks


_NOTHING: dict[str, Any] = {
    "problem": "",
    "too_large": False,
    "width": 0,
    "height": 0,
    "notes": "",
    "digest": "",
    "perceptual": 0,
    "spread": 0.0,
    "look": np.zeros((LOOK, LOOK, 3), np.uint8),
    "size": 0,
    "modified": 0,
    "thumbnail": b"",
}  # what is known of a file before the look


def _look_at(path: Path) -> dict[str, Any]:
    """Return one file's row of the survey, and its thumbnail as JPEG or PNG bytes."""
    row = dict(_NOTHING)
    try:
        facts = path.stat()
        row |= {"size": facts.st_size, "modified": facts.st_mtime_ns}
        with path.open("rb") as stream:
            row["digest"] = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        picture = open_picture(path, THUMBNAIL)
    except TooLargeError as error:
        return row | {"problem": str(error), "too_large": True}
    except UnreadableError as error:
        return row | {"problem": str(error)}
    except OSError as error:
        return row | {"problem": f"cannot be read ({error.strerror})"}
    grey = np.asarray(picture.image.convert("L"), np.float32)
    return row | {
        "width": picture.width,
        "height": picture.height,
        "notes": ",".join(picture.notes),
        "perceptual": _perceptual_hash(picture.image),
        "spread": float(grey.std()),
        "look": np.asarray(picture.image.resize((LOOK, LOOK), Image.Resampling.BOX)),
        "thumbnail": _packed(picture.image),
    }


def _perceptual_hash(image: Image.Image) -> int:
    import imagehash

    return int.from_bytes(np.packbits(imagehash.phash(image).hash).tobytes(), "big")


def _packed(image: Image.Image) -> bytes:
    """Pack a thumbnail for the time of the load: small drawings exactly, the rest nearly so."""
    stream = io.BytesIO()
    if max(image.size) <= 64:
        image.save(stream, "PNG", compress_level=1)
    else:
        image.save(stream, "JPEG", quality=95, subsampling=0)
    return stream.getvalue()


def _columns(rows: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    kinds = {
        "problem": np.str_, "too_large": np.bool_, "width": np.int32, "height": np.int32, "notes": np.str_,
        "digest": np.str_, "perceptual": np.uint64, "spread": np.float32, "look": np.uint8, "size": np.int64,
        "modified": np.int64,
    }  # fmt: skip
    columns: dict[str, NDArray[Any]] = {
        name: np.array([row[name] for row in rows], dtype) for name, dtype in kinds.items()
    }
    packed = [row["thumbnail"] for row in rows]
    columns["thumbnail_ends"] = np.cumsum([len(one) for one in packed], dtype=np.int64)
    columns["thumbnails"] = np.frombuffer(b"".join(packed), np.uint8)
    return columns


def _fingerprint(names: Sequence[Path]) -> str:
    """Return what tells whether a chunk's files are still the ones it was made of."""
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        try:
            facts = name.stat()
            digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode(errors="surrogateescape"))
        except OSError:
            digest.update(f"{name}\0gone\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _fingerprint_of(part: Path) -> str:
    if not part.exists():
        return ""
    with np.load(part, allow_pickle=False) as kept:
        return str(kept["fingerprint"])
