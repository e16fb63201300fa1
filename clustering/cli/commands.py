"""The commands. Each hands a job to the same task functions that the pages use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import clustering
from clustering.cli.options import Queue, Seed, Set, Where, app
from clustering.cli.settings import load_options, settings
from clustering.cli.sources import source_of
from clustering.cli.speaking import answer, figures, say
from clustering.cli.working import Work, workspace_at
from clustering.errors import StudioError
from clustering.words import several
from clustering.workspace import Workspace


@app.command()
def load(
    source: Annotated[str, typer.Argument(help="Folder, zip, table, array, or id on the Hugging Face hub.")],
    kind: Annotated[
        str | None,
        typer.Option(help="images, table, vectors, series, text, tokens, graph or views; else by its looks."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the originals into the workspace.")] = False,
    label_column: Annotated[str | None, typer.Option(help="Column with labels to compare with.")] = None,
    given: Set = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Load a collection; prints its id.

    Series: ``--set window=100 --set step=50 --set rate=50`` cuts a long recording into windows. Graph: a
    folder with nodes.csv and edges.csv; ``--kind graph --set links=cites.csv`` names the file of the links.
    """
    path = Path(source.partition("::")[0]).expanduser()
    parameters: dict[str, Any] = {
        "source": str(Path(source).expanduser().absolute()) if path.exists() else source,
        "kind": kind,
        "name": name,
        "copy": copy,
        "label_column": label_column,
    }
    if given:
        parameters["options"] = load_options(kind, path.suffix, given)
    with Work(workspace_at(workspace), queue) as work:
        made = work.do("load", parameters)
        if not queue:
            collection = work.workspace.open_collection(made.result["collection"])
            say(f"{collection.name}: {several(collection.n_items, 'item')} ({collection.kind}).")
            for finding in collection.findings:
                say(f"  {finding.sentence}")
        answer(work.made(made, "collection"))


@app.command()
def sample(
    name: Annotated[str, typer.Argument(help="generated_gallery or digits.")] = "generated_gallery",
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Make a sample collection that needs no network; prints its id."""
    with Work(workspace_at(workspace), queue) as work:
        answer(work.made(work.do("sample", {"name": name}), "collection"))


@app.command()
def fetch(
    museum: Annotated[str, typer.Argument(help="met or chicago.")],
    query: Annotated[str, typer.Argument(help="Words to search for.")] = "",
    department: Annotated[str, typer.Option(help="Only from this department.")] = "",
    limit: Annotated[int, typer.Option(help="How many works at most.")] = 200,
    name: Annotated[str | None, typer.Option(help="What people call the collection.")] = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Fetch open-access works from a museum; prints the id of the collection."""
    wanted = {"museum": museum, "query": query, "department": department, "limit": limit, "name": name}
    with Work(workspace_at(workspace), queue) as work:
        answer(work.made(work.do("fetch", wanted), "collection"))


@app.command()
def features(
    collection: Annotated[str, typer.Argument(help="Id of a collection.")],
    encoder: Annotated[str, typer.Option(help="See “deepclust methods”; auto chooses one.")] = "auto",
    given: Set = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Turn a collection into features; prints their id."""
    with Work(workspace_at(workspace), queue) as work:
        work.workspace.collection(collection)
        made = work.do("features", _features(collection, encoder, given or []))
        if not queue:
            record = work.workspace.feature_set(made.result["features"])
            say(f"{record.n_items} × {record.dimensions} by {record.title}. {record.origin}")
        answer(work.made(made, "features"))


@app.command()
def train(
    subject: Annotated[str, typer.Argument(help="Id of features, or of a collection.")],
    method: Annotated[str, typer.Option("--method", "-m", help="See “deepclust methods”.")] = "dec",
    n_clusters: Annotated[int | None, typer.Option("--n-clusters", "-k", help="Groups to look for.")] = None,
    latent_dim: Annotated[int | None, typer.Option(help="Dimensions of the latent space.")] = None,
    pretrain_epochs: Annotated[int | None, typer.Option(help="Epochs before clustering.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of clustering.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Items in a step.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    profile: Annotated[str | None, typer.Option(help="paper, or fast.")] = None,
    seed: Seed = None,
    baselines: Annotated[
        str, typer.Option(help="Plain methods to run on the same features: kmeans,ward,…")
    ] = "",
    projection: Annotated[str | None, typer.Option(help="Also draw a map of the result.")] = None,
    given: Set = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Cluster features and judge the result; prints the id of the run."""
    from clustering.methods import method as method_called

    owner = method_called(method)
    shared = {
        "n_clusters": n_clusters,
        "latent_dim": latent_dim,
        "pretrain_epochs": pretrain_epochs,
        "epochs": epochs,
        "batch_size": batch_size,
        "device": device,
        "profile": profile,
        "random_state": seed,
    }
    chosen = {"method": method, "parameters": settings(owner, given or [], shared)}
    plain = [name.strip() for name in baselines.split(",") if name.strip()]
    others = [(name, _baseline(name, chosen["parameters"])) for name in plain]  # type: ignore[arg-type]
    with Work(workspace_at(workspace), queue) as work:
        source, after = source_of(work, subject, owner.info)
        # a training that lists what stands beside it is one a person wants to watch in the studio
        watched = {**source, **chosen, "baselines": []}
        made = work.do("train", watched, after, title=f"Train {owner.info.title}")
        for name, parameters in [("", {}), *others]:
            step = (
                made
                if not name
                else work.do("train", {**source, "method": name, "parameters": parameters}, after)
            )
            judged = work.do("quality", {}, step.id)
            if not queue:
                told(work.workspace, judged.result["run"])
        if projection:
            work.do("project", {"projection": projection, "space": "latent"}, made.id)
        answer(work.made(made, "run"))


@app.command()
def project(
    subject: Annotated[str, typer.Argument(help="Id of a run, or of features.")],
    projection: Annotated[str, typer.Option("--projection", "-p", help="See “deepclust methods”.")] = "umap",
    space: Annotated[str | None, typer.Option(help="latent (of a run) or features.")] = None,
    seed: Seed = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Do not lay it on the newest map of the collection.")
    ] = False,
    frames: Annotated[
        bool,
        typer.Option("--frames", help="Also lay out the kept epochs, to play the training."),
    ] = False,
    given: Set = None,
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Draw a map of a run's latent space, or of features; prints its id.

    It lies as the newest map of the collection does, so that items can be followed from one to the other.
    """
    from clustering.projections import projection as projection_called

    chosen = settings(projection_called(projection), given or [], {"random_state": seed})
    with Work(workspace_at(workspace), queue) as work:
        where = work.identified(subject, ("run", "features"))
        wanted = {where: subject, "projection": projection, "parameters": chosen, "space": space}
        made = work.do("project", {**wanted, "alone": alone})
        if frames:
            work.do("frames", {}, made.id)
        if not queue:
            figures(work.workspace.projection_quality(made.result["projection"])[:3])
            for note in work.workspace.projection(made.result["projection"]).notes:
                say(f"  {note}")
        answer(work.made(made, "projection"))


@app.command()
def resume(
    job: Annotated[str, typer.Argument(help="Id of an interrupted or failed job.")],
    workspace: Where = None,
    queue: Queue = False,
) -> None:
    """Go on with a job from its last checkpoint."""
    with Work(workspace_at(workspace), queue) as work:
        say(f"{work.resume(job).title} is done." if not queue else "It goes on in the worker.")
        answer(job)


@app.command()
def ask(
    job: Annotated[str, typer.Argument(help="Id of a job.")],
    wanted: Annotated[Literal["pause", "resume", "stop", "cancel"], typer.Argument(help="What it shall do.")],
    workspace: Where = None,
) -> None:
    """Ask a job in the queue to pause, resume, stop (keep what there is) or cancel."""
    workspace_at(workspace).request(job, wanted)
    say(f"{job} was asked to {wanted}.")


@app.command()
def worker(
    workspace: Where = None,
    idle_seconds: Annotated[float | None, typer.Option(help="End after so long without work.")] = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when no job can begin.")] = False,
) -> None:
    """Do the jobs of a workspace until told to stop (Ctrl-C)."""
    from clustering.jobs.worker import work

    house = workspace_at(workspace)
    say(f"Doing the jobs of {house.root}. Stop with Ctrl-C; a job under way can be resumed.")
    say(f"{work(house, idle_seconds=idle_seconds, until_empty=until_empty)} jobs were taken.")


@app.command()
def studio(
    workspace: Where = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; else 8501 or the next free one.")] = None,
) -> None:
    """Start the studio and print its address."""
    command = [sys.executable, str(_studio_file()), "--host", host]
    command += ["--port", str(port)] if port is not None else []
    command += ["--workspace", str(workspace.expanduser().absolute())] if workspace is not None else []
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(sys.executable, command)  # the studio itself hears Ctrl-C and SIGTERM
    sys.exit(subprocess.call(command))


def _studio_file() -> Path:
    """Return the app's entry: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(clustering.__file__).parent
    for candidate in (package.parent / "app.py", package / "_app" / "app.py"):
        if candidate.exists() and (candidate.parent / "pages").is_dir():
            return candidate
    raise StudioError("The studio's pages are not installed.", "Install deep-clustering-studio again.")


def _features(collection: str, encoder: str, given: list[str]) -> dict[str, Any]:
    if given and encoder == "auto":
        raise StudioError("--set needs to know the encoder.", "Name one with --encoder.")
    if encoder == "auto":
        return {"collection": collection, "encoder": encoder, "parameters": {}}
    from clustering.features import encoder as encoder_called

    return {
        "collection": collection,
        "encoder": encoder,
        "parameters": settings(encoder_called(encoder), given),
    }


def _baseline(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    from clustering.methods import method as method_called
    from clustering.parameters import parameters_of

    known = {parameter.name for parameter in parameters_of(method_called(name))}
    return {
        key: parameters[key] for key in ("n_clusters", "random_state") if key in parameters and key in known
    }


def told(workspace: Workspace, run_id: str) -> None:
    """Say what a run found, and how it is judged."""
    from clustering.methods import method as method_called

    run = workspace.run(run_id)
    linked = workspace.collection(run.collection_id).kind == "graph"
    if linked and "links" not in method_called(run.method).info.inputs:
        say(f"{run.title} looks at the features of nodes alone; SDCN, DAGC and UDDA look at links too.")
    say(f"{run.title}: {run.found} in {run.seconds:.1f} s. {run.reason}")
    for sentence in workspace.alarms(run_id):
        say(f"Warning: {sentence}")
    shown = {"accuracy", "nmi", "ari", "modularity", "silhouette", "mean_ari"}
    figures([row for row in workspace.quality(run_id) if row["name"] in shown])
