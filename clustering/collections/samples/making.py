"""Make a sample: write its pictures and metadata beside the destination, then load them like anyone's."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.collections.collection import DESCRIPTION, Collection
from clustering.collections.files import disk_errors, write_json, write_whole
from clustering.collections.samples.info import SampleInfo
from clustering.errors import StudioError
from clustering.progress import Progress, silent, tell

GALLERY = SampleInfo(
    name="generated_gallery",
    title="Generated gallery",
    summary="600 pictures in eight manners, painted by the studio itself in series that evolve.",
    origin="Painted by the studio's own code from fixed seeds; free to use for anything.",
    kind="images",
    n_items=600,
    label_column="manner",
    encoder="efficientnet-lite0",
    seconds=30,
    order=10,
)
DIGITS = SampleInfo(
    name="digits",
    title="Handwritten digits",
    summary="1,797 handwritten digits of 8 × 8 pixels: small enough to train on in seconds.",
    origin="Optical recognition of handwritten digits (Alpaydin and Kaynak 1998, UCI), from scikit-learn.",
    kind="images",
    n_items=1797,
    label_column="digit",
    encoder="pixels",
    seconds=5,
    order=20,
)


def samples() -> dict[str, SampleInfo]:
    """Return all samples by name, in the order lists show them."""
    return {info.name: info for info in (GALLERY, DIGITS)}


def make_sample(name: str, destination: str | Path, progress: Progress = silent) -> Collection:
    """Make a sample collection; after a stop or a kill the same call goes on where it was.

    Parameters
    ----------
    name : str
        A key of `samples`.
    destination : path
        Folder of the new collection, as for `clustering.collections.load`.
    progress : callable
        Hears every picture; returning True stops.

    Returns
    -------
    Collection
        Of kind images, with its pictures inside its own folder.

    Raises
    ------
    StudioError
        When there is no such sample, the destination is taken or the disk is full.
    Stopped
        When the listener asked for it.
    """
    if name not in samples():
        raise StudioError(f"There is no sample called “{name}”.", f"Choose one of: {', '.join(samples())}.")
    from clustering.collections import load

    info, destination = samples()[name], Path(destination).expanduser().absolute()
    source = destination.with_name(f".{destination.name}.pictures")
    if not (destination / DESCRIPTION).exists():
        with disk_errors(destination):
            source.mkdir(parents=True, exist_ok=True)
            _write(_gallery(source) if info is GALLERY else _digits(source), source, info, progress)
    load(source, destination, name=info.title, copy=True, label_column=info.label_column, progress=progress)
    _name_origin(destination, info.origin)
    shutil.rmtree(source, ignore_errors=True)
    return Collection.open(destination)


Row = dict[str, Any]
Step = tuple[str, NDArray[np.uint8] | None, Row]  # file name, pixels (None: already there), metadata


def _write(steps: Iterator[Step], folder: Path, info: SampleInfo, progress: Progress) -> None:
    """Write every picture and its row; rows of finished pictures are kept for a later call."""
    rows: list[Row] = []
    with (folder / ".rows.jsonl").open("a", encoding="utf-8") as finished:
        for number, (file, pixels, row) in enumerate(steps):
            tell(progress, number, info.n_items, f"Making “{info.title}”")
            if pixels is not None:
                write_whole(folder / file, _encoded(file, pixels))
                finished.write(json.dumps(row) + "\n")
                finished.flush()
            rows.append(row)
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(folder / "metadata.csv", lambda stream: stream.write(table.getvalue().encode()))
    tell(progress, info.n_items, info.n_items, f"Making “{info.title}”")


def _encoded(file: str, pixels: NDArray[np.uint8]) -> Any:
    from PIL import Image

    picture = Image.fromarray(pixels)
    if file.endswith(".png"):
        return lambda stream: picture.save(stream, "PNG")
    return lambda stream: picture.save(stream, "JPEG", quality=88, subsampling=0, optimize=True)


def _finished_rows(folder: Path) -> dict[str, Row]:
    """Return the rows of pictures that an earlier call finished; a line cut by a kill is passed over."""
    found: dict[str, Row] = {}
    try:
        lines = (folder / ".rows.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if (folder / row["file"]).exists():
            found[row["file"]] = row
    return found


def _gallery(folder: Path) -> Iterator[Step]:
    from clustering.collections.samples.gallery import painted, plans

    finished = _finished_rows(folder)
    for plan in plans():
        if plan.file in finished:
            yield plan.file, None, finished[plan.file]
        else:
            pixels, row = painted(plan)
            yield plan.file, pixels, row


def _digits(folder: Path) -> Iterator[Step]:
    from sklearn.datasets import load_digits

    data = load_digits()
    finished = _finished_rows(folder)
    # 16 grey levels and zero, light on dark as the set has them: 16 becomes 255
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    for index, (picture, digit) in enumerate(zip(pixels, data.target, strict=True)):
        file = f"digit-{index:04d}.png"
        row = {"file": file, "digit": int(digit)}
        yield file, None if file in finished else picture, row


def _name_origin(folder: Path, origin: str) -> None:
    """Say in the collection where it comes from, instead of the folder it was loaded from."""
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    write_json(folder / DESCRIPTION, {**description, "source": origin})
