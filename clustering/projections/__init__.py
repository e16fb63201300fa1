"""One projection a file, from many dimensions to a map; the registry finds them by themselves."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from clustering.registry import discovered, looked_up

if TYPE_CHECKING:
    from clustering.projections.base import Projection


@cache
def projections() -> dict[str, type[Projection]]:
    """Return every projection by name, in the order of lists.

    Importing them costs a second (scikit-learn), so they are found at the first call, not at import.
    """
    from clustering.projections.base import Projection

    return discovered(sys.modules[__name__], Projection)


def projection(name: str) -> type[Projection]:
    """Return the projection called ``name``.

    Raises
    ------
    StudioError
        When there is none; the message lists what there is.
    """
    return looked_up(projections(), name, "projection")


def warm() -> None:
    """Compile what compiles at first use (numba, 5 to 50 seconds), so that the first map need not wait."""
    import numpy as np

    rows = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    for kind in projections().values():
        kind(**kind.info.test_settings).fit(rows).transform(rows[:2] + 0.5)
