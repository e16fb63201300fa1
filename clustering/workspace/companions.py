"""What stands beside a map and goes with it: the film of its training, the same map from another seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.files import new_folder, read_array, read_json, remove_folder, write_array, write_json
from clustering.workspace.maps import Maps

CompanionName = Literal["frames", "another-seed"]
TOLD = "told.json"


@dataclass(frozen=True)
class Companion:
    """Arrays beside a map, memory-mapped and read-only, and what is said of them."""

    arrays: Mapping[str, NDArray[Any]]
    told: Mapping[str, Any]


class Companions(Maps):
    """What was computed for maps that are there already."""

    def add_companion(
        self,
        projection_id: str,
        name: CompanionName,
        arrays: Mapping[str, NDArray[Any]],
        told: Mapping[str, Any],
    ) -> None:
        """Keep arrays and facts beside a map, in place of what was there under this name.

        Raises
        ------
        StudioError
            When there is no such map, or the disk is full.
        """
        target = self.projection(projection_id).folder / name
        with new_folder(target, sum(np.asarray(array).nbytes for array in arrays.values())) as part:
            for key, array in arrays.items():
                write_array(part / f"{key}.npy", np.asarray(array))
            write_json(part / TOLD, {**told, "arrays": list(arrays)})

    def companion(self, projection_id: str, name: CompanionName) -> Companion | None:
        """Return what is kept beside a map under this name, or None."""
        folder = self.projection(projection_id).folder / name
        if not (folder / TOLD).exists():
            return None
        told = read_json(folder / TOLD)
        return Companion({key: read_array(folder / f"{key}.npy") for key in told.pop("arrays")}, told)

    def remove_companion(self, projection_id: str, name: CompanionName) -> None:
        """Remove what is kept beside a map under this name; the map stays."""
        remove_folder(self.projection(projection_id).folder / name)
