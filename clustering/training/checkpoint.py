"""Keep a fit's state on disk so that a killed one goes on and ends as an unbroken one would."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clustering.files import replace_whole

FILE = "checkpoint.pt"
FORMAT = 3  # of the kept state; another number, and what an older version kept is not gone on with
SECONDS_BETWEEN = 30.0

log = logging.getLogger(__name__)


def fingerprint(
    method: str,
    parameters: Mapping[str, Any],
    device: str,
    features: NDArray[np.float32],
    beside: Mapping[str, NDArray[Any] | None] = MappingProxyType({}),
) -> str:
    """Return a hash of everything that decides a fit's outcome: method, parameters, device, data.

    ``beside`` holds what the fit was handed besides the features, by name: links, pairs.
    """
    digest = hashlib.blake2b(digest_size=16)
    said = {
        "format": FORMAT,
        "method": method,
        "parameters": dict(parameters),
        "device": device,
        "shape": features.shape,
    }
    digest.update(json.dumps(said, sort_keys=True, default=str).encode())
    rows = max(1, 2**24 // max(1, features.shape[1] * 4))
    for start in range(0, len(features), rows):
        digest.update(np.ascontiguousarray(features[start : start + rows]).tobytes())
    for name, array in beside.items():
        if array is not None:
            digest.update(name.encode() + array.tobytes())
    return digest.hexdigest()


class Checkpoint:
    """A folder that holds the last state of one fit.

    Parameters
    ----------
    folder : Path
        Made when missing.
    fingerprint : str
        Of the fit; the state of another fit is not read, and is replaced by the first write.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = Path(folder) / FILE
        self.fingerprint = fingerprint
        self._written = time.monotonic()

    def due(self) -> bool:
        """Say whether the last write is long enough ago."""
        return time.monotonic() - self._written >= SECONDS_BETWEEN

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the kept state in one move: a kill at any moment leaves the old or the new one whole.

        Raises
        ------
        OSError
            When the disk is full or the folder cannot be written.
        """
        content = io.BytesIO()  # torch's own writer ends a full disk in an error of its own kind
        torch.save({"fingerprint": self.fingerprint, **state}, content)
        replace_whole(self.path, lambda stream: stream.write(content.getbuffer()))
        self._written = time.monotonic()

    def read(self, device: torch.device) -> dict[str, Any] | None:
        """Return the state of this very fit, or None when there is none that can be read."""
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, EOFError, OSError, KeyError, ValueError, UnpicklingError) as error:
            log.warning("The checkpoint %s is damaged (%s): the fit begins anew.", self.path, error)
            return None
        return state if state.pop("fingerprint", None) == self.fingerprint else None
