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


@cache
def methods() -> dict[str, type[Clusterer]]:
    """Return every method by name, baselines first, then by year.

    Importing them costs seconds (torch, scikit-learn), so they are found at the first call, not at import.
    """
    from clustering.methods.base import Clusterer

    return discovered(sys.modules[__name__], Clusterer)


def method(name: str) -> type[Clusterer]:
    """Return the method called ``name``.

    Raises
    ------
    StudioError
        When there is none; the message lists what there is.
    """
    return looked_up(methods(), name, "method")


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
