"""The items nearest to one item in three spaces: the features, the latent space, the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustering.workspace import RunRecord, Workspace

Space = Literal["features", "latent", "map"]
TITLES: dict[Space, str] = {
    "features": "Nearest in features",
    "latent": "Nearest in latent space",
    "map": "Nearest on the map",
}
WORDS: dict[Space, str] = {
    "features": "what the encoder saw",
    "latent": "what the method learned",
    "map": "what the map shows",
}
WHERE: dict[Space, str] = {"features": "in the features", "latent": "in latent space", "map": "on the map"}
SHAPES: dict[Space, str] = {"features": "circle", "latent": "square", "map": "triangle"}
MOST = 10
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Neighbourhoods:
    """The nearest items by space, nearest first, with their distances."""

    indices: Mapping[Space, NDArray[np.int64]]
    distances: Mapping[Space, NDArray[np.float32]]

    def near_in(self, item: int) -> dict[Space, bool]:
        """Return in which spaces an item is among the nearest."""
        return {space: bool(np.isin(item, near)) for space, near in self.indices.items()}

    def sentence(self) -> str:
        """Say how many of the nearest in the features are the nearest elsewhere too."""
        own = set(self.indices["features"].tolist())
        if not own:
            return "There is no other item to be near to."
        others = {space: set(near.tolist()) for space, near in self.indices.items() if space != "features"}
        (first, near), *more = others.items()
        count = len(own & near)
        told = [
            f"{_number(count)} {'is' if count == 1 else 'are'} among the nearest {WHERE[first]} too",
            *(f"{_number(len(own & near))} {WHERE[space]}" for space, near in more),
        ]
        if more:
            told.append(f"and {_number(len(own.intersection(*others.values())))} in all three")
        return f"Of its {_number(len(own))} nearest in the features, {', '.join(told)}."


def neighbourhoods(
    workspace: Workspace, run: RunRecord, projection_id: str | None, index: int, k: int = MOST
) -> Neighbourhoods:
    """Find the ``k`` nearest items of item ``index`` in every space.

    Parameters
    ----------
    projection_id : str or None
        The map looked at; without one there are two spaces.

    Raises
    ------
    StudioError
        When there is no such item.
    """
    owners: dict[Space, str] = {"features": run.feature_id, "latent": run.id}
    if projection_id is not None:
        owners["map"] = projection_id
    found = {space: workspace.neighbours(owner, index, k) for space, owner in owners.items()}
    return Neighbourhoods(
        {space: indices for space, (indices, _) in found.items()},
        {space: distances for space, (_, distances) in found.items()},
    )


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
