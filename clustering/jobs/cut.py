"""The task that cuts the tree of a run into another number of groups."""

from __future__ import annotations

from functools import partial
from shutil import copytree
from typing import Any

from clustering.errors import StudioError
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.jobs.environment import environment
from clustering.jobs.naming import name_by_words
from clustering.workspace import RunArrays, RunRecord, Workspace


def cut(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Make a run of the groups of another cut: ``{run, n_clusters}``; the same is never made twice.

    It is the run that a training with that number of groups would have made. Its latent space is that of the
    first run, so the first run's maps of it are its maps too.
    """
    source = workspace.run(needed(parameters, "run", "cut"))
    n_clusters = int(needed(parameters, "n_clusters", "cut"))
    made = workspace.run_of_job(context.job_id) or same_cut(workspace, source, n_clusters)
    if made is None:
        made = _made(workspace, source, n_clusters, context)
    return {"collection": made.collection_id, "features": made.feature_id, "run": made.id}


def same_cut(workspace: Workspace, source: RunRecord, n_clusters: int) -> RunRecord | None:
    """Return the run that has these groups of a tree already, if there is one."""
    wanted = {**source.parameters, "n_clusters": n_clusters}
    alike = [
        run
        for run in workspace.runs(feature_id=source.feature_id)
        if run.method == source.method and run.parameters == wanted and run.seed == source.seed
    ]
    grown = workspace.splits_again(source.id) if alike else []
    return next((run for run in alike if workspace.splits_again(run.id) == grown), None)


def _made(workspace: Workspace, source: RunRecord, n_clusters: int, context: JobContext) -> RunRecord:
    from clustering.methods import method

    owner: Any = method(source.method)
    if workspace.tree(source.id) is None or not hasattr(owner, "cut"):
        raise StudioError(
            f"The run “{source.name}” has no tree to cut.",
            "Train one with Ward's tree or HC-MGAN: deepclust train FEATURES --method ward",
        )
    context.progress(0, 0, "Cutting the tree")
    model = owner.load(source.folder / "model").cut(n_clusters)
    context.progress(0, 0, "Keeping the result")
    end = model.history_[-1]
    made = workspace.add_run(
        source.feature_id,
        RunArrays(model.labels_, model.soft_assignments_, model.embedding_, model.cluster_centers_),
        method=source.method,
        title=source.title,
        family=source.family,
        parameters=model.get_params(deep=False),
        profile=source.profile,
        seed=source.seed,
        reason=end["reason"],
        seconds=end["seconds"],
        device=source.device,
        history=model.history_,
        environment=environment(source.device, "the tree was cut on the processor"),
        save_model=model.save,
        given=workspace.run_details(source.id).get("given"),
        job_id=context.job_id,
    )
    carry_maps(workspace, source, made)
    name_by_words(workspace, made)
    return made


def carry_maps(workspace: Workspace, source: RunRecord, made: RunRecord) -> None:
    """Give a run the newest maps of the latent space that it shares with another."""
    drawn = [one for one in workspace.projections(run_id=source.id) if one.space == "latent"]
    newest = {one.projection: one for one in reversed(drawn)}
    for one in newest.values():
        workspace.add_projection(
            one.feature_id,
            workspace.map(one.id),
            run_id=made.id,
            space=one.space,
            projection=one.projection,
            title=one.title,
            parameters=one.parameters,
            seed=one.seed,
            engine=one.engine,
            notes=one.notes,
            seconds=one.seconds,
            quality=workspace.projection_quality(one.id),
            point_quality=workspace.point_quality(one.id),
            laid_on=workspace.laid_on(one.id),
            save_model=partial(copytree, one.folder / "model", dirs_exist_ok=True)
            if (one.folder / "model").exists()
            else None,
        )
