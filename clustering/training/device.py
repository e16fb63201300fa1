"""Choose where a fit runs and say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from clustering.errors import StudioError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True)
class Device:
    """Where a fit runs; ``reason`` is a sentence for a person."""

    device: torch.device
    reason: str


def choose_device(name: DeviceName = "auto") -> Device:
    """Return the device called ``name``, or the best there is for ``"auto"``.

    Raises
    ------
    StudioError
        When the named device is not there.
    """
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        return _cuda(name)
    if name == "mps" or (name == "auto" and torch.backends.mps.is_available()):
        return _mps(name)
    if name == "cpu":
        return Device(torch.device("cpu"), "Runs on the processor (CPU), as asked.")
    return Device(torch.device("cpu"), "Runs on the processor (CPU): no graphics processor was found.")


def _cuda(name: DeviceName) -> Device:
    if not torch.cuda.is_available():
        built = "" if torch.version.cuda else " This PyTorch was built without CUDA."
        raise StudioError(
            f"No NVIDIA graphics processor can be used here.{built}",
            "Choose “auto” or “cpu” as the device.",
        )
    why = "as asked" if name == "cuda" else "the fastest device found"
    return Device(torch.device("cuda"), f"Runs on {torch.cuda.get_device_name()}: {why}.")


def _mps(name: DeviceName) -> Device:
    if not torch.backends.mps.is_available():
        raise StudioError(
            "No Apple graphics processor (MPS) can be used here.", "Choose “auto” or “cpu” as the device."
        )
    why = "as asked" if name == "mps" else "the fastest device found"
    return Device(torch.device("mps"), f"Runs on the Apple graphics processor (MPS): {why}.")
