"""A process that reads pictures for another one: indices come in by a pipe, squares or JPEG files go out.

Threads cannot feed a fast graphics card: at some thousand pictures a second they wait for one another's
Python. Requests are ``("squares" | "files", first, stop)``; the answer to each is a small pickled head
followed by plain bytes.
"""

from __future__ import annotations

import pickle
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from clustering.errors import StudioError
from clustering.features.base import Encodable
from clustering.features.jpeg import device_pixels
from clustering.features.pictures import Square

Problem = tuple[str, str] | None
DEVICE_PIXELS = 64_000_000  # decoded by a graphics card in one go, which needs 3 bytes for each


def squares(collection: Encodable, square: Square, first: int, stop: int) -> tuple[list[Problem], bytes]:
    """Return for every picture what is wrong with it, or None, and the squares one after another."""
    problems: list[Problem] = []
    parts: list[bytes] = []
    for index in range(first, stop):
        try:
            pixels = np.ascontiguousarray(square.of(collection, index))
            problems.append(None)
        except StudioError as error:
            pixels = np.zeros((square.side, square.side, 3), dtype=np.uint8)
            problems.append((error.problem, error.mend))
        parts.append(pixels.tobytes())
    return problems, b"".join(parts)


def files(
    collection: Encodable, square: Square, first: int, stop: int
) -> tuple[tuple[list[int], int], bytes]:
    """Return the files a graphics card may decode: every length, their pixels in all, and their bytes.

    The length is 0 for a picture that someone else must read.
    """
    parts: list[bytes] = []
    total = 0
    for index in range(first, stop):
        try:
            content = Path(collection.original(index)).read_bytes()  # type: ignore[attr-defined]
        except (StudioError, OSError):  # whoever decodes it says what is wrong
            content = b""
        pixels = device_pixels(content, square.side)
        suits = 0 < pixels <= DEVICE_PIXELS - total
        total += pixels if suits else 0
        parts.append(content if suits else b"")
    return ([len(part) for part in parts], total), b"".join(parts)


def serve(take: BinaryIO, give: BinaryIO) -> None:
    """Answer requests until the asking process closes its end or dies."""
    collection, square = pickle.load(take)
    while True:
        try:
            what, first, stop = pickle.load(take)
        except EOFError:
            return
        head: Any
        head, content = (squares if what == "squares" else files)(collection, square, first, stop)
        pickle.dump((head, len(content)), give)
        give.write(content)
        give.flush()


def main() -> None:
    """Serve standard input and output; the keyboard's interruption is for the asking process alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give = sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not break the answers
    with suppress(BrokenPipeError):  # the asking process is gone
        serve(sys.stdin.buffer, give)


if __name__ == "__main__":
    main()
