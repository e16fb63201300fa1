"""The result of a run as a table to take along: one row an item, its group, its confidence."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from clustering.workspace import Workspace


def label_table(workspace: Workspace, run_id: str) -> pd.DataFrame:
    """Return one row an item: id, group number (from 1; 0 is unassigned), group name, confidence, metadata.

    Parameters
    ----------
    workspace : Workspace
    run_id : str
    """
    from clustering.charts.palette import group_name, group_number

    run = workspace.run(run_id)
    arrays = workspace.run_arrays(run_id)
    given = workspace.cluster_names(run_id)
    labels = np.asarray(arrays.labels)
    items = workspace.open_collection(run.collection_id).items
    names = {int(label): given.get(int(label)) or group_name(int(label)) for label in np.unique(labels)}
    result = pd.DataFrame(
        {
            "id": items["id"].to_numpy(),
            "group": [group_number(label) if label >= 0 else 0 for label in labels.tolist()],
            "group_name": [names[label] for label in labels.tolist()],
            "confidence": np.asarray(arrays.soft_assignments).max(axis=1).round(4),
        }
    )
    ours = {"id", "path", "aspect", "width", "height", "duplicate_of", *result.columns}
    rest = items[[name for name in items.columns if name not in ours]].reset_index(drop=True)
    return pd.concat([result, rest], axis=1)


def as_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8 with a mark by which spreadsheets recognise it."""
    safe = table.copy()
    for name in safe.columns:
        column = safe[name]
        if pd.api.types.is_string_dtype(column) or column.dtype == object:
            risky = column.astype("string").str.match(r"^[=+\-@\t\r]").fillna(False)
            safe[name] = column.where(~risky.to_numpy(bool), "'" + column.astype("string"))  # no formulas
    return safe.to_csv(index=False).encode("utf-8-sig")


def as_parquet(table: pd.DataFrame) -> bytes:
    """Return a table as Parquet."""
    stream = BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()
