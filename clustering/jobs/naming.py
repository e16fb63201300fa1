"""What the groups of texts are called at first: their own words."""

from __future__ import annotations

import pandas as pd

from clustering.workspace import RunRecord, Workspace

LONGEST = 60


def name_by_words(workspace: Workspace, run: RunRecord) -> None:
    """Call nameless groups of texts, or of words in sentences, by their words; a person may rename them."""
    collection = workspace.open_collection(run.collection_id)
    if collection.kind not in ("text", "tokens") or workspace.cluster_names(run.id):
        return
    from clustering.collections.words import names_of_groups

    data = collection.data()
    assert isinstance(data, pd.DataFrame)
    for label, name in names_of_groups(data, workspace.run_arrays(run.id).labels).items():
        workspace.name_cluster(run.id, label, name[:LONGEST])
