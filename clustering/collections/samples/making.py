"""Make a sample: gather its pictures and metadata, then load them like anyone's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.collections.collection import Collection
from clustering.collections.gathering import Gathering, Row, gathered_already
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
    info, destination = samples()[name], Path(destination).expanduser().absolute()
    request = {"sample": name}
    there = gathered_already(destination, request)
    if there is not None:
        return there
    gathering = Gathering(destination, request)
    rows: list[Row] = []
    steps = _gallery(gathering.rows) if info is GALLERY else _digits(gathering.rows)
    for number, (picture, row) in enumerate(steps):
        tell(progress, number, info.n_items, f"Making “{info.title}”")
        if picture is not None:
            gathering.keep(row["file"], row, picture)
        rows.append(row)
    return gathering.loaded(
        rows, name=info.title, origin=info.origin, label_column=info.label_column, progress=progress
    )


Step = tuple[bytes | None, Row]  # the encoded picture (None: gathered before) and its metadata


def _gallery(before: dict[str, Row]) -> Iterator[Step]:
    from clustering.collections.samples import gallery

    for plan in gallery.plans():
        if plan.file in before:
            yield None, before[plan.file]
        else:
            pixels, row = gallery.painted(plan)
            yield _encoded(pixels, "JPEG", quality=88, subsampling=0, optimize=True), row


def _digits(before: dict[str, Row]) -> Iterator[Step]:
    from sklearn.datasets import load_digits

    data = load_digits()
    # values 0 to 16, light on dark as the set has them; 16 becomes 255, so that pixel / 255 is value / 16
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    for index, (picture, digit) in enumerate(zip(pixels, data.target, strict=True)):
        row = {"file": f"digit-{index:04d}.png", "digit": int(digit)}
        yield None if row["file"] in before else _encoded(picture, "PNG"), row


def _encoded(pixels: NDArray[np.uint8], form: str, **settings: Any) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **settings)
    return stream.getvalue()
