"""Tasks that turn a collection into features, and features into a run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clustering.errors import StudioError
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.jobs.environment import environment
from clustering.jobs.given import given, told
from clustering.jobs.lessons import lesson_of, name_by_labels
from clustering.jobs.naming import name_by_words
from clustering.jobs.seeds import pictures_of, seeds_of
from clustering.kinds import in_words
from clustering.training.events import Event, Finished, Started
from clustering.workspace import CollectionRecord, FeatureRecord, RunArrays, RunRecord, Workspace

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer
    from clustering.methods.info import MethodInfo


def features(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Encode a collection: ``{collection, encoder, parameters}``; the same is never computed twice."""
    from clustering.features import encode, feature_key

    collection_id = needed(parameters, "collection", "features")
    encoder, settings = parameters.get("encoder") or "auto", parameters.get("parameters") or {}
    collection = workspace.open_collection(collection_id)
    context.progress(0, 0, "Preparing the encoder")
    record = workspace.feature_set_with_key(collection_id, feature_key(collection, encoder, settings))
    if record is None:
        found = encode(
            collection, encoder, progress=context.progress, checkpoint=context.checkpoint, **settings
        )
        context.progress(0, 0, "Keeping the features")
        record = workspace.add_features(
            collection_id,
            found.values,
            **{
                name: found.about[name]
                for name in (
                    "encoder",
                    "title",
                    "origin",
                    "description",
                    "parameters",
                    "key",
                    "seconds",
                    "device",
                )
            },
        )
    return {"collection": collection_id, "features": record.id}


def train(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Fit a method: ``{features, method, parameters, profile, baselines}``.

    ``baselines`` names methods that are queued on the same features, each with its quality, unless such a run
    is there already.
    """
    run = workspace.run_of_job(context.job_id)  # a kill may have come between its row and the job's
    if run is None:
        source = workspace.feature_set(needed(parameters, "features", "train"))
        model = _made(needed(parameters, "method", "train"), parameters)
        _check_kind(model.info, workspace.collection(source.collection_id))
        model.set_params(**_laid_out(workspace, source, model))
        if "labels" in model.info.inputs:  # as many groups as there are labels
            names = lesson_of(workspace, source.collection_id, context).names
            model.set_params(n_clusters=len(names))
        run = _fitted(workspace, source, model, context)
    name_by_labels(workspace, run)
    name_by_words(workspace, run)
    for name in parameters.get("baselines") or ():
        _queue_baseline(workspace, name, run)
    return {"collection": run.collection_id, "features": run.feature_id, "run": run.id}


def _made(name: str, parameters: Mapping[str, Any]) -> Clusterer:
    from clustering.methods import method
    from clustering.parameters import checked_parameters, parameters_of

    chosen = method(name)
    settings = dict(parameters.get("parameters") or {})
    known = {parameter.name for parameter in parameters_of(chosen)}
    if parameters.get("profile") and "profile" in known:
        settings["profile"] = parameters["profile"]
    if "random_state" in settings and settings["random_state"] is None:
        settings["random_state"] = secrets.randbelow(2**31)  # a run must be repeatable, so its seed is known
    return chosen(**checked_parameters(chosen, settings))


def _check_kind(info: MethodInfo, collection: CollectionRecord) -> None:
    """Refuse a method that does not take this kind of collection.

    Raises
    ------
    StudioError
        Saying what it takes.
    """
    if collection.kind not in info.kinds:
        taken = ", ".join(in_words(kind) for kind in info.kinds)
        raise StudioError(
            f"{info.title} takes {taken}, but “{collection.name}” holds {in_words(collection.kind)}.",
            "Choose another method: “deepclust methods” says what each takes.",
        )


def _laid_out(workspace: Workspace, source: FeatureRecord, model: Clusterer) -> dict[str, Any]:
    """Return how the features lie, for a method that must know it and was not told.

    Raises
    ------
    StudioError
        When they do not lie as the method reads them.
    """
    from clustering.features import encoder

    wanted = [name for name in model.info.layout if getattr(model, name) is None]
    if not wanted:
        return {}
    made = encoder(source.encoder)(**source.parameters)
    told = made.layout(workspace.open_collection(source.collection_id))
    missing = [name for name in wanted if name not in told]
    if missing and model.info.layout_needed:
        raise StudioError(
            f"{model.info.title} reads items step by step, but “{made.info.title}” gives numbers in no order "
            f"(it says nothing of {' and '.join(missing)}).",
            "Choose features that keep the order, such as “Windows as measured”.",
        )
    return {name: told[name] for name in wanted if name in told}


def _fitted(workspace: Workspace, source: FeatureRecord, model: Clusterer, context: JobContext) -> RunRecord:
    from clustering.training.kept_weights import weights_kept_in

    heard = Heard()
    context.progress(0, 0, "Starting")
    with weights_kept_in(workspace.cache / "learned"):
        model.fit(
            workspace.features(source.id),
            emit=context.also(heard),
            checkpoint=context.checkpoint,
            **given(workspace, source, model, context),
        )
    return kept(workspace, source, model, heard, context, given=told(context))


class Heard:
    """Remembers the last event of every kind."""

    def __init__(self) -> None:
        self.last: dict[str, Event] = {}

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        self.last[event.kind] = event


def kept(
    workspace: Workspace,
    source: FeatureRecord,
    model: Clusterer,
    heard: Heard,
    context: JobContext,
    *,
    given: Mapping[str, Any],
    name: str = "",
    origin: str = "",
) -> RunRecord:
    """Keep a fitted model as a run.

    Parameters
    ----------
    given : mapping
        As in `Workspace.add_run`.
    name : str
        The method's title unless given.
    origin : str
        A sentence that stands before the reason why the fit ended.
    """
    context.log.flush()
    context.progress(0, 0, "Keeping the result")
    settings = model.get_params(deep=False)
    seeds, init_labels = seeds_of(model)
    seed = next((one.seed for one in seeds if one.kept), int(settings.get("random_state") or 0))
    started, finished = heard.last.get("started"), heard.last.get("finished")
    device, why = (started.device, started.device_reason) if isinstance(started, Started) else ("cpu", "")
    reason, seconds = (finished.reason, finished.seconds) if isinstance(finished, Finished) else ("", 0.0)
    return workspace.add_run(
        source.id,
        RunArrays(
            model.labels_, model.soft_assignments_, model.embedding_, model.cluster_centers_, init_labels
        ),
        method=model.info.name,
        title=model.info.title,
        family=model.info.family,
        name=name,
        parameters=settings,
        profile=str(settings.get("profile") or ""),
        seed=seed,
        reason=f"{origin} {reason}".strip(),
        seconds=seconds,
        device=device,
        history=model.history_,
        environment=environment(device, why),
        snapshots=pictures_of(context.folder / "snapshots", seed, several=bool(seeds)),
        seeds=seeds,
        save_model=model.save,
        given=given,
        job_id=context.job_id,
    )


def _queue_baseline(workspace: Workspace, name: str, run: RunRecord) -> None:
    """Queue a plain method with this run's number of clusters and seed, unless it is there or under way."""
    from clustering.methods import method
    from clustering.parameters import parameters_of

    asked = run.parameters.get("random_state")  # of several seeds the first, whichever was kept
    shared = {
        "n_clusters": run.parameters.get("n_clusters"),
        "random_state": run.seed if asked is None else asked,
    }
    known = {parameter.name for parameter in parameters_of(method(name))}
    settings = {key: value for key, value in shared.items() if key in known and value is not None}
    wanted = {"features": run.feature_id, "method": name, "parameters": settings}
    there = any(
        other.method == name and settings.items() <= other.parameters.items()
        for other in workspace.runs(feature_id=run.feature_id)
    )
    if there:
        return
    waiting = workspace.jobs(open_only=True)
    job = next((job for job in waiting if job.kind == "train" and job.parameters == wanted), None)
    if job is None:
        job = workspace.submit("train", wanted, title=f"Train: {method(name).info.title}")
    if not any(other.kind == "quality" and other.after == job.id for other in waiting):  # cut by a kill
        workspace.submit("quality", {}, after=job.id)
