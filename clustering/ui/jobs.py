"""Show work under way: what it does, how far it is, time left, and the buttons that pause or end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from clustering import __version__
from clustering.jobs import ensure_worker
from clustering.ui import state
from clustering.ui.trouble import guarded, notice, plain
from clustering.words import duration
from clustering.workspace import JobKind, JobRecord, JobStatus, Request, Workspace

EVERY = 0.8  # seconds between two looks at a job
STATES = {
    "queued": "Waiting",
    "running": "Working",
    "paused": "Paused",
    "finished": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted",
}


def submit(
    kind: JobKind, parameters: Mapping[str, Any], after: str | None = None, title: str = ""
) -> JobRecord:
    """Put a job in the queue and see that somebody does it."""
    record = state.workspace().submit(kind, parameters, after=after, title=title)
    ensure(state.workspace())
    return record


def ensure(workspace: Workspace) -> None:
    """See that a worker lives."""
    ensure_worker(workspace)


def follow(
    job_ids: Sequence[str],
    *,
    picture: Callable[[JobStatus], None] | None = None,
    key: str = "work",
    until_one: bool = False,
) -> None:
    """Show a chain of jobs until it ends; then the whole page runs again.

    Parameters
    ----------
    job_ids : sequence of str
        In the order they run.
    picture : callable, optional
        Draws what is specific to the job under way (a live map, a skeleton), below its bar.
    until_one : bool
        The jobs are no chain: the page runs again as soon as one of them has ended.
    """
    at_first = _open(statuses(job_ids))
    every = EVERY if at_first else None

    @st.fragment(run_every=every, key=f"{key}-fragment")
    @guarded
    def block() -> None:
        found = statuses(job_ids)
        if any(status.state == "queued" for status in found):
            ensure(state.workspace())  # the worker they were handed to may have died since
        other = strangers()
        if other:
            notice(*other)
        still = _open(found)
        if at_first and (still != at_first if until_one else not still):
            st.rerun()
        current = in_hand(found)
        if len(found) > 1:
            _steps(found, current)
        show(current, key=key)
        if picture is not None:
            picture(current)

    block()


def watch(
    job_ids: Sequence[str],
    key: str,
    *,
    then: str | None = None,
    picture: Callable[[JobStatus], None] | None = None,
) -> None:
    """Follow jobs found in the workspace, and those this person started until their ending was seen.

    Parameters
    ----------
    job_ids : sequence of str
        Jobs under way, whoever started them.
    key : str
        Names the place on the page.
    then : {"collection", "run"}, optional
        What of the finished job becomes current.
    picture : callable, optional
        As in `follow`.
    """
    started = st.session_state.get(f"_started-{key}", [])
    listed = list(dict.fromkeys([*started, *job_ids]))
    found = statuses(listed)
    for status in found:
        if status.state == "finished":
            if then and status.job_id in started and status.result.get(then):
                state.choose(**{then: status.result[then]})
                forgotten = [job_id for job_id in started if job_id != status.job_id]
                remember(key, forgotten)
                st.rerun()
            remember(key, [job_id for job_id in started if job_id != status.job_id])
    ended = [status for status in found if status.state in ("failed", "cancelled")]
    for status in ended:
        _ending(status, key)
    going = [status.job_id for status in found if status.is_open or status.state == "interrupted"]
    if going:
        follow(going, key=key, picture=picture, until_one=True)


def preparing(
    kinds: Sequence[str], key: str, *, collection_id: str | None = None, then: str, height: int
) -> bool:
    """Say whether work that a page waits for is under way; show how far, and the place of what comes."""
    under_way = [job.id for job in open_jobs(collection_id, kinds=kinds)]
    if under_way:
        watch(under_way, key, then=then)
        st.skeleton(height)
    return bool(under_way)


def _open(found: Sequence[JobStatus]) -> set[str]:
    return {status.job_id for status in found if status.is_open}


def remember(key: str, job_ids: Sequence[str]) -> None:
    """Keep which jobs this person started at this place, so that their ending is told."""
    st.session_state[f"_started-{key}"] = list(job_ids)


def remembered(key: str) -> bool:
    """Say whether this person started something at this place whose ending was not seen yet."""
    return bool(st.session_state.get(f"_started-{key}"))


def of_map(kind: JobKind, projection_id: str, collection_id: str) -> list[str]:
    """Return the jobs under way that work for a map."""
    return [
        job.id
        for job in open_jobs(collection_id, kinds=(kind,))
        if job.parameters.get("projection") == projection_id
    ]


def _ending(status: JobStatus, key: str) -> None:
    def dismiss() -> None:
        started = st.session_state.get(f"_started-{key}", [])
        remember(key, [job_id for job_id in started if job_id != status.job_id])

    show(status, key=f"{key}-{status.job_id}")
    st.button("Dismiss", key=f"{key}-{status.job_id}-dismiss", on_click=dismiss, type="tertiary")


def strangers() -> tuple[str, str] | None:
    """Return what to say, and how to mend it, while a worker of another version is running; None else."""
    workers = state.workspace().workers()
    others = sorted({worker.version or "before 0.1.0" for worker in workers} - {__version__})
    if not others:
        return None
    return (
        f"A worker of version {', '.join(others)} is running; this studio is version {__version__}.",
        "Restart the studio: the worker then ends after its step, and its job can be resumed.",
    )


def wait_for(there: Callable[[], bool], sentence: str) -> None:
    """Hold a skeleton until something is there; then the whole page runs again."""

    @st.fragment(run_every=1.0)
    @guarded
    def block() -> None:
        if there():
            st.rerun()
        st.caption(sentence)
        st.skeleton(240)

    block()


def statuses(job_ids: Sequence[str]) -> list[JobStatus]:
    """Return how far each job is; jobs the workspace no longer knows are left out."""
    known = {record.id for record in state.workspace().jobs()}
    return [state.workspace().status(job_id) for job_id in job_ids if job_id in known]


def in_hand(found: Sequence[JobStatus]) -> JobStatus:
    """Return the job a person should look at: the first that is not done, else the last."""
    return next((status for status in found if status.state != "finished"), found[-1])


def open_jobs(collection_id: str | None = None, kinds: Sequence[str] = ()) -> list[Any]:
    """Return the records of jobs still to do or under way, oldest first, of a collection if one is named."""
    return [
        record
        for record in reversed(state.workspace().jobs())
        if record.state in ("queued", "running", "paused", "interrupted")
        and (not kinds or record.kind in kinds)
        and (collection_id is None or concerns(record, collection_id))
    ]


def concerns(record: JobRecord, collection_id: str) -> bool:
    """Return whether a job belongs to a collection, by itself or through the jobs it waits for."""
    named = {**record.result, **record.parameters}
    workspace = state.workspace()
    if named.get("collection"):
        return bool(named["collection"] == collection_id)
    if named.get("features"):
        owners = {kept.id: kept.collection_id for kept in workspace.feature_sets()}
        return owners.get(named["features"]) == collection_id
    if named.get("run"):
        return {kept.id: kept.collection_id for kept in workspace.runs()}.get(named["run"]) == collection_id
    return record.after is not None and concerns(workspace.job(record.after), collection_id)


def show(status: JobStatus, key: str = "work") -> None:
    """Draw one job: title and state, bar, what it does now, time left, buttons; trouble as sentences."""
    with st.container(border=True, key=f"{key}-job"):
        words, buttons = st.columns([5, 2], vertical_alignment="center")
        with words:
            st.markdown(f"**{plain(status.title)}** · {STATES[status.state]}")
        with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
            _buttons(status, key)
        if status.is_open:
            st.progress(status.share, text=line(status))
        elif status.state == "interrupted":
            st.caption("The process that did this ended. Everything up to the last checkpoint is kept.")
        elif status.state == "failed":
            notice(status.message or "This did not work.", status.mend)
            if status.offer.get("batch_size"):
                st.button(
                    f"Train again with batches of {status.offer['batch_size']:,}",
                    icon=":material/compress:",
                    help="The same training with smaller batches, which need less memory.",
                    key=f"{key}-smaller",
                    on_click=guarded(_train_again),
                    args=(status,),
                    type="primary",
                )
        elif status.state == "cancelled":
            st.caption("Cancelled. Nothing was changed.")


def line(status: JobStatus) -> str:
    """Return what a job does now in one line, with the time left when it can be told."""
    if status.state == "queued":
        return plain(status.message or "Waiting for its turn.")
    doing = status.doing or status.phase or status.message or "Starting"
    parts = [plain(doing[:1].upper() + doing[1:])]
    if status.total > 1:
        parts.append(f"{status.done:,} of {status.total:,}")
    if status.state == "paused":
        parts.append("paused")
    elif status.remaining is not None:
        parts.append(f"about {duration(status.remaining)} left")
    if status.request and status.state == "running":
        parts.append({"pause": "pausing", "stop": "stopping", "cancel": "cancelling"}.get(status.request, ""))
    return " · ".join(part for part in parts if part)


def _buttons(status: JobStatus, key: str) -> None:
    offered: dict[str, tuple[str, str, str]] = {}
    if status.state == "running":
        offered["pause"] = ("Pause", ":material/pause:", "Hold here; nothing is lost.")
        if status.kind == "train":
            offered["stop"] = ("Stop", ":material/stop:", "End after this epoch and keep the result so far.")
    if status.state in ("paused", "interrupted"):
        offered["resume"] = ("Resume", ":material/play_arrow:", "Go on from where it was.")
    if status.is_open or status.state == "interrupted":
        offered["cancel"] = ("Cancel", ":material/close:", "End and keep nothing of this step.")
    if status.state == "failed":
        offered["resume"] = ("Try again", ":material/refresh:", "Go on from the last checkpoint, if any.")
    for request, (label, icon, help_text) in offered.items():
        st.button(
            label,
            icon=icon,
            help=help_text,
            key=f"{key}-{request}",
            on_click=guarded(_ask),
            args=(status.job_id, request),
            disabled=status.request == request,
            type="tertiary",
        )


def _ask(job_id: str, request: Request) -> None:
    state.workspace().request(job_id, request)
    if request == "resume":
        ensure(state.workspace())  # the one that did it may be what died


def _train_again(status: JobStatus) -> None:
    state.workspace().again(status.job_id, status.offer)
    ensure(state.workspace())


def _steps(found: Sequence[JobStatus], current: JobStatus) -> None:
    marks = {"finished": ":material/check:", "failed": ":material/error:", "cancelled": ":material/close:"}
    words = []
    for status in found:
        mark = marks.get(status.state, "")
        name = plain(status.title)
        words.append(f"**{name}**" if status is current else f"{mark} {name}".strip())
    st.caption("  →  ".join(words))
