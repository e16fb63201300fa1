"""The task that divides a branch of a run's tree once more, and leaves all other branches as they are."""

from __future__ import annotations

from typing import Any

from clustering.errors import StudioError
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.jobs.cut import carry_maps
from clustering.jobs.learn import Heard, kept
from clustering.jobs.naming import name_by_words
from clustering.workspace import RunRecord, Workspace


def split_again(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Make a run whose tree has one branch divided anew: ``{run, node, leaves, random_state}``.

    ``node`` is numbered as in `MergeTree`; ``leaves`` (2) is how many the branch is to have, and
    ``random_state`` by default one more than the first run's. The latent space is that of the first run, so
    its maps are the new run's too.
    """
    made = workspace.run_of_job(context.job_id)
    if made is None:
        source = workspace.run(needed(parameters, "run", "split-again"))
        made = _made(workspace, source, parameters, context)
        carry_maps(workspace, source, made)
        name_by_words(workspace, made)
    return {"collection": made.collection_id, "features": made.feature_id, "run": made.id}


def _made(
    workspace: Workspace, source: RunRecord, parameters: dict[str, Any], context: JobContext
) -> RunRecord:
    from clustering.methods import method

    owner: Any = method(source.method)
    tree = workspace.tree(source.id)
    if tree is None or "splits" not in owner.info.offers:
        raise StudioError(
            f"The run “{source.name}” has no tree whose branches can be split again.",
            "Train one with HC-MGAN: deepclust train FEATURES --method hcmgan",
        )
    node, leaves = int(needed(parameters, "node", "split-again")), int(parameters.get("leaves") or 2)
    heard = Heard()
    context.progress(0, 0, "Starting")
    model = owner.load(source.folder / "model").split_again(
        workspace.features(source.feature_id),
        node,
        leaves=leaves,
        random_state=parameters.get("random_state"),
        emit=context.also(heard),
        checkpoint=context.checkpoint,
    )
    size, seed = tree.size(node), model.random_state
    what = {"run": source.id, "seed": source.seed, "node": node, "leaves": leaves, "random_state": seed}
    return kept(
        workspace,
        workspace.feature_set(source.feature_id),
        model,
        heard,
        context,
        given={"split_again": [*workspace.splits_again(source.id), what]},
        name=f"{source.title}, {size:,} split again",
        origin=f"{size:,} items of the run “{source.name}” were split again from seed {seed}; "
        "all other branches are as they were.",
    )
