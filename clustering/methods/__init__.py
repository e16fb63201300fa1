"""One published method a file; the registry finds them, nobody lists them by hand."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from functools import cache
from typing import TYPE_CHECKING

from clustering.registry import discovered, looked_up

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer


def methods() -> dict[str, type[Clusterer]]:
    """Return every method that finds groups by itself by name, baselines first, then by year.

    Importing them costs seconds (torch, scikit-learn), so they are found at the first call, not at import.
    """
    return {name: kind for name, kind in _all().items() if "labels" not in kind.info.inputs}


def method(name: str) -> type[Clusterer]:
    """Return the method called ``name``, also one that learns from labels of some items.

    Raises
    ------
    StudioError
        When there is none; the message lists what there is.
    """
    return looked_up(_all(), name, "method")


@cache
def _all() -> dict[str, type[Clusterer]]:
    from clustering.methods.base import Clusterer

    return discovered(sys.modules[__name__], Clusterer)


def library_version(module: str) -> str | None:
    """Return the version of another library, or None where it is not installed; it is not imported."""
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        return ""


def absent() -> tuple[str, ...]:
    """Return a line for every library whose methods could be here and are not."""
    if library_version("clustpy") is not None:
        return ()
    return ("ClustPy’s methods are not installed: pip install 'deep-clustering-studio[clustpy]'",)
