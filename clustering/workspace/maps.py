"""Maps: the two-dimensional pictures of latent spaces and features, with what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from clustering.errors import StudioError
from clustering.files import (
    plain,
    read_array,
    read_json,
    removal,
    write_array,
    write_json,
)
from clustering.projections.turning import drawing
from clustering.workspace.database import now
from clustering.workspace.records import ProjectionRecord
from clustering.workspace.results import SaveModel
from clustering.workspace.shelves import Shelves
from clustering.workspace.store import found, refuse_while_used
from clustering.workspace.tables import ProjectionRow, RunRow

LAID_ON = "laid_on.json"  # in a map's folder


class Maps(Shelves):
    """Two-dimensional pictures of what was found."""

    def projections(
        self, collection_id: str | None = None, run_id: str | None = None, feature_id: str | None = None
    ) -> list[ProjectionRecord]:
        """Return maps, newest first."""
        query = select(ProjectionRow).order_by(ProjectionRow.created.desc())
        for column, value in (
            (ProjectionRow.collection_id, collection_id),
            (ProjectionRow.run_id, run_id),
            (ProjectionRow.feature_id, feature_id),
        ):
            query = query if value is None else query.where(column == value)
        with self.database.transaction() as session:
            return [self._projection_record(row) for row in session.scalars(query)]

    def projection(self, projection_id: str) -> ProjectionRecord:
        """Return one map's record."""
        with self.database.transaction() as session:
            return self._projection_record(found(session, ProjectionRow, projection_id, "map"))

    def projection_of_job(self, job_id: str) -> ProjectionRecord | None:
        """Return the map that a job has made, if it has."""
        with self.database.transaction() as session:
            row = session.scalars(select(ProjectionRow).where(ProjectionRow.job_id == job_id)).first()
            return self._projection_record(row) if row else None

    def add_projection(
        self,
        feature_id: str,
        positions: NDArray[np.float32],
        *,
        run_id: str | None,
        space: str,
        projection: str,
        title: str,
        parameters: Mapping[str, Any],
        seed: int,
        engine: str,
        notes: Sequence[str] = (),
        seconds: float = 0.0,
        quality: Sequence[Mapping[str, Any]] = (),
        point_quality: NDArray[np.float32] | None = None,
        laid_on: str | None = None,
        save_model: SaveModel | None = None,
        job_id: str | None = None,
    ) -> ProjectionRecord:
        """Keep a map: positions (n, 2), its quality figures, and how far each point may be trusted.

        Parameters
        ----------
        point_quality : float32 array (n,), optional
            Share of an item's nearest neighbours that are near it on the map too, 0 to 1; NaN where it was
            not measured.
        laid_on : str, optional
            The map on which this one was laid.

        Raises
        ------
        StudioError
            When the positions do not fit the features, are not finite, or the disk is full.
        """
        features = self.feature_set(feature_id)
        if positions.shape != (features.n_items, 2) or not np.isfinite(positions).all():
            raise StudioError(
                f"The map has shape {positions.shape} or holds values that are not finite; "
                f"expected ({features.n_items}, 2) finite numbers.",
                "Choose other parameters for the projection.",
            )
        with self.database.transaction() as session:
            if run_id is not None:
                found(session, RunRow, run_id, "run")
            id = self._fresh_id(session, ProjectionRow, "projections", projection)
        row = ProjectionRow(
            id=id,
            collection_id=features.collection_id,
            feature_id=feature_id,
            run_id=run_id,
            space=space,
            projection=projection,
            title=title,
            parameters=plain(parameters),
            seed=seed,
            engine=engine,
            notes=list(notes),
            n_items=features.n_items,
            seconds=seconds,
            created=now(),
            job_id=job_id,
        )
        record = self._projection_record(row)
        with self._kept(row, record.folder, needed=12 * len(positions)) as part:
            write_array(part / "map.npy", np.asarray(positions, dtype=np.float32))
            if point_quality is not None:
                write_array(part / "point_quality.npy", np.asarray(point_quality, dtype=np.float32))
            write_json(part / "quality.json", list(quality))
            if laid_on is not None:
                write_json(part / LAID_ON, {"projection": laid_on})
            if save_model:
                (part / "model").mkdir()
                save_model(part / "model")
            told = {name: value for name, value in vars(record).items() if name != "folder"}
            write_json(part / "projection.json", told)
        return record

    def map(self, projection_id: str) -> NDArray[np.float32]:
        """Return the positions (n, 2), memory-mapped and read-only."""
        return read_array(self.projection(projection_id).folder / "map.npy")

    def laid_on(self, projection_id: str) -> str | None:
        """Return the map on which a map was laid when it was made, if it was; that one may be gone."""
        path = self.projection(projection_id).folder / LAID_ON
        return str(read_json(path)["projection"]) if path.exists() else None

    def drawn_map(self, projection_id: str) -> NDArray[np.float32]:
        """Return the positions as they are drawn, (n, 2): lying on its long side, or on another map."""
        return self.drawn_on(projection_id, self.map(projection_id))

    def drawn_on(self, projection_id: str, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where places on a map, (m, 2), are drawn; also such as are none of its items."""
        record = self.projection(projection_id)
        lies = (record.folder / LAID_ON).exists()
        return drawing(read_array(record.folder / "map.npy"), record.projection, lies)(places)

    def point_quality(self, projection_id: str) -> NDArray[np.float32] | None:
        """Return the share of each item's neighbours that the map keeps (n,); None when not measured."""
        path = self.projection(projection_id).folder / "point_quality.npy"
        return read_array(path) if path.exists() else None

    def projection_quality(self, projection_id: str) -> list[dict[str, Any]]:
        """Return the quality figures of a map as rows."""
        path = self.projection(projection_id).folder / "quality.json"
        return read_json(path) if path.exists() else []

    def remove_projection(self, projection_id: str) -> None:
        """Remove a map; what it shows stays."""
        with removal() as put_aside, self.database.transaction() as session:
            row = found(session, ProjectionRow, projection_id, "map")
            refuse_while_used(session, [projection_id], f"The map “{row.title}”")
            session.delete(row)
            session.flush()
            put_aside(self._folder("projections", projection_id))

    def _projection_record(self, row: ProjectionRow) -> ProjectionRecord:
        names = (field for field in ProjectionRecord.__dataclass_fields__ if field not in ("folder", "notes"))
        return ProjectionRecord(
            **{name: getattr(row, name) for name in names},
            notes=tuple(row.notes),
            folder=self._folder("projections", row.id),
        )
