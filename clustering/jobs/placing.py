"""Place new items beside a run of the workspace; its encoder, model and maps are loaded once and kept."""

from __future__ import annotations

import base64
import io
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.files import read_array, write_array
from clustering.jobs.lessons import FAMILY
from clustering.newcomers import NEAREST, Newcomers, Placed, own_distances, place, read_newcomers
from clustering.workspace import FeatureRecord, ProjectionRecord, RunRecord, Workspace

if TYPE_CHECKING:
    from clustering.features.base import EncodeNew
    from clustering.methods.base import Clusterer, Judge
    from clustering.newcomers.placed import Space
    from clustering.projections.base import Projection

ROOMS = 2  # runs kept loaded
MAPS = 6
PREVIEWS = (640, 96)  # pixels
T = TypeVar("T")


@dataclass(frozen=True)
class NewItem:
    """What is known of one new item; plain values that JSON can hold.

    Parameters
    ----------
    label : int
        Its likeliest group.
    odds : list of float (K,)
    near : dict of space to list of (index, distance)
        Nearest first, in ``"features"`` and ``"latent"``.
    nearer_than : dict of space to float
        Share of the collection's items that are further from their own neighbours.
    positions : dict of map id to [x, y]
        As the map was computed.
    features, latent : list of float
        What other maps place it by.
    picture, thumbnail : str
        Pictures of two sizes as ``data:`` addresses; empty for rows.
    """

    name: str
    label: int
    odds: list[float]
    near: dict[str, list[tuple[int, float]]]
    nearer_than: dict[str, float]
    positions: dict[str, list[float]]
    features: list[float]
    latent: list[float]
    picture: str = ""
    thumbnail: str = ""


@dataclass(frozen=True)
class Answer:
    """What was placed, and sentences about what was met."""

    items: list[NewItem]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Room:
    """What one run needs to judge new items."""

    run: RunRecord
    collection: Any
    model: Clusterer
    judge: Judge
    encode: EncodeNew
    features: NDArray[np.float32]
    latents: NDArray[np.float32]
    own: dict[Space, NDArray[np.float64]]


class Placer:
    """Places new items; a few runs and maps stay loaded, the longest unused goes first."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._rooms: OrderedDict[str, Room] = OrderedDict()
        self._maps: OrderedDict[str, Projection] = OrderedDict()

    def warm(self, run_id: str, map_id: str | None = None) -> None:
        """Load what a run and a map need, and go the whole way once with an item that is known.

        Raises
        ------
        StudioError
            When nothing can be placed beside this run; says why and what to do.
        """
        room = self.room(run_id)
        record = self._record(map_id, room.run)
        projection = self._map(record) if record is not None else None
        place(
            np.array(room.features[:1]) + np.float32(1e-3),
            room.model,
            room.features,
            latents=room.latents,
            projection=projection,
            of="features" if record is not None and record.space == "features" else "latent",
            own=room.own,
            judge=room.judge,
        )

    def place(self, run_id: str, files: Sequence[Path], map_id: str | None = None) -> Answer:
        """Read, encode, judge and place the items in some files; nothing of them is kept.

        Raises
        ------
        StudioError
            When a file does not fit the collection, or nothing can be placed beside this run.
        """
        collection = self.workspace.open_collection(self.workspace.run(run_id).collection_id)
        newcomers = read_newcomers(collection, files)  # before seconds are spent on loading
        room = self.room(run_id)
        record, notes = self._record(map_id, room.run), list(newcomers.notes)
        rows = room.encode(newcomers)
        found = place(rows, room.model, room.features, latents=room.latents, own=room.own, judge=room.judge)
        items = [_item(newcomers, rows, found, at) for at in range(newcomers.n_items)]
        if record is None:
            return Answer(items, notes)
        try:
            return Answer(self.located(items, record.id), notes)
        except StudioError as error:
            return Answer(items, [*notes, str(error)])

    def located(self, items: Sequence[NewItem], map_id: str) -> list[NewItem]:
        """Return items with their positions on a map.

        Raises
        ------
        StudioError
            When the map cannot place what comes later.
        """
        record = self.workspace.projection(map_id)
        rows = [item.features if record.space == "features" else item.latent for item in items]
        positions = self._map(record).transform(np.array(rows, dtype=np.float32)).tolist()
        return [
            replace(item, positions={**item.positions, map_id: position})
            for item, position in zip(items, positions, strict=True)
        ]

    def room(self, run_id: str) -> Room:
        """Return what a run needs, loaded now or kept from before."""
        return _kept(self._rooms, run_id, ROOMS, lambda: self._room(run_id))

    def forget(self) -> None:
        """Let go of everything loaded."""
        self._rooms.clear()
        self._maps.clear()

    def _room(self, run_id: str) -> Room:
        from clustering.methods import method

        run = self.workspace.run(run_id)
        folder = run.folder / "model"
        if run.family == FAMILY:
            raise StudioError(
                f"“{run.name}” is what labels tell of the items there are; it places no new ones.",
                "Sort by the labels with FixMatch: its model stays here.",
            )
        if not (folder / "model.json").exists():
            raise StudioError(
                f"The model of “{run.name}” is not here: only its result came with the sample, "
                "so nothing new can be placed beside it.",
                "Train a method on this collection; its model stays here.",
            )
        model = method(run.method).load(folder)
        record = self.workspace.feature_set(run.feature_id)
        collection = self.workspace.open_collection(run.collection_id)
        features = self.workspace.features(record.id)
        latents = self.workspace.run_arrays(run_id).latents
        return Room(
            run,
            collection,
            model,
            model.prepared(),
            self._encode_new(record, collection),
            features,
            latents,
            {"features": self._own(record.id, features), "latent": self._own(run.id, latents)},
        )

    def _encode_new(self, record: FeatureRecord, collection: Any) -> EncodeNew:
        from clustering.features import encoder, feature_key

        changed = (
            f"{record.title} is no longer what it was when the features of “{collection.name}” were "
            "computed (its weights or its version changed)."
        )
        if feature_key(collection, record.encoder, record.parameters) != record.key:
            raise StudioError(changed, "Compute the features again and train on them.")
        return encoder(record.encoder)(**record.parameters).prepared(collection, record.dimensions)

    def _own(self, owner_id: str, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the collection's own distances, worked out once and kept in the cache."""
        place_kept = self.workspace.cache / "own-distances" / f"{owner_id}-{NEAREST}.npy"
        if place_kept.exists():
            return np.asarray(read_array(place_kept))
        found = own_distances(np.ascontiguousarray(points))
        write_array(place_kept, found)
        return found

    def _record(self, map_id: str | None, run: RunRecord) -> ProjectionRecord | None:
        if map_id is None:
            return None
        record = self.workspace.projection(map_id)
        if record.feature_id != run.feature_id or record.run_id not in (run.id, None):
            raise StudioError(f"The map {map_id} shows another run.", "Choose a map of this run.")
        return record

    def _map(self, record: ProjectionRecord) -> Projection:
        from clustering.projections import projection

        folder = record.folder / "model"
        if not (folder / "model.json").exists():
            raise StudioError(
                f"This {record.title} map came without what places new items on it.",
                "Choose another map of this run, or draw one.",
            )
        return _kept(self._maps, record.id, MAPS, lambda: projection(record.projection).load(folder))


def _kept(shelf: OrderedDict[str, T], name: str, most: int, make: Callable[[], T]) -> T:
    if name not in shelf:
        made = make()
        shelf[name] = made
        while len(shelf) > most:
            shelf.popitem(last=False)
    shelf.move_to_end(name)
    return shelf[name]


def _item(newcomers: Newcomers, rows: NDArray[np.float32], found: Placed, at: int) -> NewItem:
    near: dict[str, list[tuple[int, float]]] = {
        space: list(zip(those.indices[at].tolist(), those.distances[at].tolist(), strict=True))
        for space, those in found.near.items()
    }
    return NewItem(
        newcomers.names[at],
        int(found.labels[at]),
        found.odds[at].tolist(),
        near,
        {space: float(share[at]) for space, share in found.nearer_than.items()},
        {},
        rows[at].tolist(),
        found.latents[at].tolist(),
        *(_previews(newcomers, at) if newcomers.pictured else ()),
    )


def _previews(newcomers: Newcomers, at: int) -> list[str]:
    largest = newcomers.picture(at, max(PREVIEWS))
    found = []
    for size in PREVIEWS:
        stream = io.BytesIO()
        small = largest.copy()
        small.thumbnail((size, size))
        small.save(stream, "WEBP", quality=82, method=2)
        found.append(f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}")
    return found
