"""What a run was made with: versions and machine, so that a difference later can be explained."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from clustering import __version__

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "torchvision",
    "timm",
    "umap-learn",
    "openTSNE",
    "numba",
)


def environment(device: str, device_reason: str) -> dict[str, Any]:
    """Return versions, system, processor, threads, and where the work ran and why."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "device": device,
        "device_reason": device_reason,
        "versions": {"clustering": __version__, **{name: _version(name) for name in PACKAGES}},
    }
    torch = sys.modules.get("torch")  # asked only where it is loaded anyway
    if torch is not None:
        found["threads"] = torch.get_num_threads()
        if torch.cuda.is_available():
            found["graphics_processor"] = torch.cuda.get_device_name()
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
