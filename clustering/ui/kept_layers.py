"""Layers of a map that a page has made, held ready for the browser to fetch by itself."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

LAYER_BYTES = 96 * 2**20  # kept of layers at most


class Layers:
    """Blobs made for a page, kept under their digest while there is room; the longest unused goes first."""

    def __init__(self, most_bytes: int = LAYER_BYTES) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._most = most_bytes
        self._lock = threading.Lock()

    def put(self, blob: bytes) -> str:
        """Keep a blob and return its digest."""
        digest = hashlib.blake2b(blob, digest_size=12).hexdigest()
        with self._lock:
            self._kept[digest] = blob
            self._kept.move_to_end(digest)
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._most:
                self._kept.popitem(last=False)
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return a blob, or None when it is not kept any more."""
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
            return self._kept.get(digest)


layers = Layers()


def layer_address(blob: bytes) -> str:
    """Keep a layer for the browser and return its address."""
    return f"/studio/layers/{layers.put(blob)}.bin"
