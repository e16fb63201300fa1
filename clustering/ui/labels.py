"""The result of a run as a table to take along, read from the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clustering.charts.exports import labels_table
from clustering.charts.palette import group_name

if TYPE_CHECKING:
    import pandas as pd

    from clustering.workspace import Workspace


def label_table(workspace: Workspace, run_id: str) -> pd.DataFrame:
    """Return one row an item of a run: id, label, group, confidence, q, metadata."""
    run = workspace.run(run_id)
    arrays = workspace.run_arrays(run_id)
    given = workspace.cluster_names(run_id)
    count = int(max(arrays.soft_assignments.shape[1], np.max(arrays.labels, initial=-1) + 1))
    names = [given.get(label) or group_name(label) for label in range(count)]
    items = workspace.open_collection(run.collection_id).items
    return labels_table(items, arrays.labels, arrays.soft_assignments, names=names)
