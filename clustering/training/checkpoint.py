"""Keep a fit's state on disk so that a killed one goes on and ends as an unbroken one would."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

FILE = "checkpoint.pt"
SECONDS_BETWEEN = 30.0


def fingerprint(
    method: str, parameters: Mapping[str, Any], device: str, features: NDArray[np.float32]
) -> str:
    """Return a hash of everything that decides a fit's outcome: method, parameters, device and data."""
    digest = hashlib.blake2b(digest_size=16)
    said = {"method": method, "parameters": dict(parameters), "device": device, "shape": features.shape}
    digest.update(json.dumps(said, sort_keys=True, default=str).encode())
    rows = max(1, 2**24 // max(1, features.shape[1] * 4))
    for start in range(0, len(features), rows):
        digest.update(np.ascontiguousarray(features[start : start + rows]).tobytes())
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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f"{FILE}.{os.getpid()}.part")
        try:
            torch.save({"fingerprint": self.fingerprint, **state}, unfinished)
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)
        self._written = time.monotonic()

    def read(self, device: torch.device) -> dict[str, Any] | None:
        """Return the state of this very fit, or None when there is none."""
        if not self.path.is_file():
            return None
        state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
        return state if state.pop("fingerprint", None) == self.fingerprint else None
