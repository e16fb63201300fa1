"""Watch a training live: the moving map, the curves, the alarms; found again after any reload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from numpy.typing import NDArray

from clustering import charts
from clustering.charts import palette
from clustering.training.events import phase_in_words
from clustering.ui import generated, jobs, live, runs, state, theme
from clustering.ui.latent_map import Legend, latent_map, layer_sections, point_sections
from clustering.ui.trouble import plain
from clustering.words import duration, several
from clustering.workspace import JobRecord, JobStatus, SnapshotFile, last_alarms, without_repeats


def show(collection_id: str) -> bool:
    """Show the newest training of a collection, whatever became of it; False when there is none."""
    chain = chain_of(collection_id)
    if not chain:
        return False
    found = jobs.statuses([record.id for record in chain])
    current = jobs.in_hand(found)
    if current.is_open or current.state == "interrupted":
        jobs.follow([status.job_id for status in found], picture=picture, key="training")
        _beside(chain)
        return True
    if current.state == "finished":
        return _done(found, chain)
    jobs.show(current, key="training")
    st.button("Dismiss", key="training-dismiss", on_click=_dismiss, args=(chain,), type="tertiary")
    return False


def chain_of(collection_id: str) -> list[JobRecord]:
    """Return the newest training a person started, with what it waits for and what waits for it."""
    records = state.workspace().jobs()  # newest first
    train = next(
        (
            record
            for record in records
            if record.kind == "train"
            and "baselines" in record.parameters
            and record.parameters.get("collection") == collection_id
        ),
        None,
    )
    if train is None:
        return []
    before = [record for record in records if record.id == train.after]
    after = [record for record in reversed(records) if record.after == train.id]
    return [*before, train, *after]


def _beside(chain: Sequence[JobRecord]) -> None:
    """Say how many plain methods are still to come."""
    own = {record.id for record in chain}
    waiting = [
        job for job in state.workspace().jobs(open_only=True) if job.kind == "train" and job.id not in own
    ]
    if waiting:
        st.caption(f"{several(len(waiting), 'plain method')} to follow on the same features.")


def _done(found: Sequence[JobStatus], chain: Sequence[JobRecord]) -> bool:
    train = next(status for status in found if status.kind == "train")
    run_id = train.result.get("run")
    known = {record.id: record for record in state.workspace().runs()}
    if run_id not in known:
        return False
    run = known[run_id]
    with st.container(border=True, key="training-done"):
        words, button = st.columns([4, 2], vertical_alignment="center")
        words.markdown(
            f"**{plain(run.name)}** found {several(run.n_clusters, 'group')} in {duration(run.seconds)}."
        )
        words.caption(plain(run.reason))
        if button.button("Explore the map", type="primary", icon=":material/explore:", width="stretch"):
            state.choose(collection=run.collection_id, run=run.id)
            st.switch_page("pages/explore.py")
    runs.warnings(runs.alarms(run.id))
    _beside(chain)
    return True


def _dismiss(chain: Sequence[JobRecord]) -> None:
    for record in chain:
        if record.state in ("failed", "cancelled"):
            state.workspace().remove_job(record.id)


def picture(status: JobStatus) -> None:
    """Draw what the job under way looks like: the moving map of a training, a skeleton for the rest."""
    if status.kind != "train":
        if status.is_open:
            st.skeleton(300)
        return
    workspace = state.workspace()
    snapshots = workspace.job_snapshots(status.job_id)
    rows, _ = workspace.events(status.job_id)
    settings = workspace.job(status.job_id).parameters.get("parameters") or {}
    several = int(settings.get("n_init") or 1) > 1
    if several and status.seed is not None:
        rows = [row for row in rows if row.get("seed") in (status.seed, None)]
        snapshots = [one for one in snapshots if one.seed in (status.seed, None)]
    _alarms(rows)
    if several and status.state != "queued":
        st.caption(
            f"{settings['n_init']} seeds train side by side. Picture and curves show "
            f"{'one of them' if status.seed is None else f'seed {status.seed}'}, then another when that has "
            "ended; the loss decides at the end which one is kept."
        )
    left, right = st.columns([5, 3], gap="medium")
    with left:
        if snapshots:
            moving_map(status.job_id, snapshots[-1])
            for sentence in live.told(rows):
                st.caption(plain(sentence))
            generated.latest(workspace.job(status.job_id), snapshots[-1])
        else:
            st.skeleton(430)
            st.caption("The map appears with the first epoch.")
    with right:
        curves(rows, status.job_id)


def moving_map(job_id: str, snapshot: SnapshotFile) -> None:
    """Draw a snapshot as a map that moves on from the one before."""
    frame = _frame(job_id, snapshot)
    n_clusters = max(len(frame["centers"]), int(frame["labels"].max(initial=-1)) + 1)
    legend = Legend(
        title="Group" if n_clusters else "Not grouped yet",
        colours=palette.cluster_colors(n_clusters, theme.name()),
        names=[palette.group_name(label) for label in range(n_clusters)],
        shapes=n_clusters > 8,
        missing="Not grouped yet",
    )
    latent_map(
        point_sections(frame["xy"]),
        layer_sections(frame["labels"], frame["confidences"]),
        legend,
        key=f"live-{job_id}",
        items=job_id,
        space=job_id,
        title="Latent space while it is learned",
        bounds=live.bounds(frame["xy"]),
        height=430,
        live=True,
        selectable=False,
        scroll_zoom=False,
    )
    phase = phase_in_words(snapshot.phase)
    st.caption(f"Epoch {snapshot.epoch} of {phase} · {several(len(frame['xy']), 'item')}. {live.HONESTY}")


def _frame(job_id: str, snapshot: SnapshotFile) -> dict[str, NDArray[Any]]:
    """Return a snapshot with positions turned towards the frame this person saw before."""
    kept = st.session_state.setdefault("_live", {})
    seen = kept.get(job_id)
    if seen and seen["number"] == snapshot.number:
        return dict(seen["frame"])
    arrays = snapshot.load()
    before = seen["frame"]["xy"] if seen else None
    frame = {**arrays, "xy": live.aligned(live.positions(arrays["latents"]), before)}
    frame.pop("latents")
    kept.clear()  # one live map a session is enough to remember
    kept[job_id] = {"number": snapshot.number, "frame": frame}
    return frame


def curves(rows: Sequence[Mapping[str, Any]], job_id: str) -> None:
    """Draw losses, changed labels and group sizes of the epochs so far."""
    kept = without_repeats([dict(row) for row in rows])
    grouped = [row for row in kept if row.get("cluster_sizes")]
    theme_name = theme.name()
    drawn = {
        "losses": charts.loss_curves(kept, theme_name, height=200),
        "changed": charts.changed_curve(grouped, theme_name, height=150),
        "sizes": charts.size_curves(grouped, theme_name, height=200),
    }
    if any(row.get("figures") for row in kept):
        drawn["figures"] = charts.figure_curves(kept, theme_name)
    told = {
        "losses": "Losses",
        "changed": "Share of items that changed group",
        "sizes": "Group sizes",
        "figures": "What the method tells beside its losses",
    }
    for name, chart in drawn.items():
        st.plotly_chart(
            chart, theme=None, key=f"{name}-{job_id}", config={"displayModeBar": False}, alt=told[name]
        )


def _alarms(rows: Sequence[Mapping[str, Any]]) -> None:
    runs.warnings(last_alarms(rows))
    for sentence in live.earlier(list(rows)):
        st.caption(f":material/history: {plain(sentence)}")
