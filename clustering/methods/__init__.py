"""One published method a file; the registry finds them, nobody lists them by hand."""

from __future__ import annotations

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
