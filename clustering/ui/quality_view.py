"""The blocks of the Quality page: each a picture, its numbers, and the sentence that keeps one honest."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import streamlit as st

from clustering import charts
from clustering.errors import StudioError
from clustering.ui import explore_state, jobs, judging, state, theme
from clustering.ui.explore_view import space_words
from clustering.ui.folding import folded
from clustering.ui.groups import Groups
from clustering.ui.judging import Rows
from clustering.ui.trouble import guarded, notice, plain
from clustering.words import figure
from clustering.workspace import CollectionRecord, FeatureRecord, RunRecord

QUIET = {"displayModeBar": False}


def measure(run: RunRecord) -> None:
    """Offer to measure a run, or show how far that is."""
    place = f"quality-{run.id}"
    waiting = [
        job.id
        for job in jobs.open_jobs(run.collection_id, kinds=("quality",))
        if job.parameters.get("run") == run.id or _run_before(job.after) == run.id
    ]
    jobs.watch(waiting, place)
    if waiting:
        st.skeleton(300)
        return
    st.markdown("This run has not been measured yet.")
    if st.button("Measure it", type="primary", key="measure"):
        job = jobs.submit(
            "quality", {"collection": run.collection_id, "run": run.id}, title="Measure quality"
        )
        jobs.remember(place, [job.id])
        st.rerun()


def _run_before(job_id: str | None) -> str | None:
    return state.workspace().job(job_id).result.get("run") if job_id else None


def with_labels(record: CollectionRecord, run: RunRecord, rows: Rows) -> str | None:
    """Show the agreement with a reference column a person chooses; return the column."""
    columns = [name for name in record.label_columns if judging.against(rows, name)]
    if not columns:
        return None
    st.header("Against labels", anchor=False)
    column = st.segmented_control(
        "Reference column",
        columns,
        default=columns[0],
        required=True,
        key=f"quality-column-{record.id}",
        persist_state="session",
        help="Labels never steer a method; they only serve to judge it.",
    )
    found = judging.against(rows, column)
    judging.headline(found)
    left, right = st.columns(2, gap="large")
    with left:
        groups = groups_of(run)
        table = partial(
            charts.confusion_table,
            groups.labels,
            state.open_collection(record.id).items[column],
            theme.name(),
            column_name=column,
            names=groups.names,
        )
        facts = ("confusion", theme.name(), run.id, record.content_hash, column, *groups.names)
        st.html(_made(facts, table))
    with right:
        judging.still(judging.table(found))
        st.caption(
            "NMI and AMI are normalised by the arithmetic mean. Intervals are bootstrapped over items."
        )
    return column


def without_labels(run: RunRecord, rows: Rows) -> None:
    """Show label-free figures in both spaces, and the silhouettes of one."""
    st.header("Without labels", anchor=False)
    left, right = st.columns([4, 4], gap="large")
    with left:
        judging.still(judging.side_by_side(rows))
        st.caption(f":material/info: {judging.BY_CONSTRUCTION}")
    with right:
        space = st.segmented_control(
            "Silhouettes in",
            ("features", "latent"),
            default="features",
            required=True,
            format_func={"features": "Features", "latent": "Latent space"}.__getitem__,
            key="silhouette-space",
            persist_state="session",
        )
        groups = groups_of(run)
        try:
            labels, values = judging.silhouettes(run.id, space)
        except StudioError as error:
            notice(error.problem, error.mend, safe="")
            return
        looks = {"names": groups.names, "colors": colours_of(run)}
        plot = partial(charts.silhouette_plot, values, labels, theme.name(), space=space, height=340, **looks)
        facts = (run.id, space, *groups.names, *looks["colors"])
        _draw(plot, "silhouettes", f"Silhouettes in the {space}", *facts)
        st.caption("Simplified silhouettes: distances to the groups' means, of at most 5,000 items.")


def by_links(run: RunRecord, rows: Rows) -> None:
    """Show of a graph how far its links stay within the groups, in all and group by group."""
    found = [row for row in rows if row["group"] == "links" and not row.get("detail")]
    if not found:
        return
    st.header("Links", anchor=False)
    judging.headline(found)
    judging.still(judging.of_links(rows, groups_of(run).names))
    st.caption(
        ":material/info: A method that is shown the links makes these figures good by construction: links "
        "say whether groups follow the graph, not whether they mean anything."
    )


def confidence(run: RunRecord, rows: Rows) -> None:
    """Show how sure the method is of its items, and how large its groups are."""
    st.header("Confidence", anchor=False)
    groups = groups_of(run)
    left, right = st.columns(2, gap="large")
    with left:
        histogram = partial(charts.confidence_histogram, groups.confidence, groups.count, theme.name())
        _draw(histogram, "confidence", "Histogram of confidences", run.id)
        told = [row for row in rows if row["group"] == "confidence"]
        st.caption(plain(" · ".join(f"{row['title']} {figure(row['value'])}" for row in told)))
    with right:
        looks = {"names": groups.names, "colors": colours_of(run)}
        bars = partial(charts.cluster_sizes, groups.labels, theme.name(), n_clusters=groups.count, **looks)
        _draw(bars, "sizes", "Group sizes", run.id, *groups.names, *looks["colors"])


def of_the_map(run: RunRecord) -> None:
    """Show how far each map of the run can be trusted."""
    maps = state.workspace().projections(run_id=run.id)
    if not maps:
        return
    from clustering.metrics.quality import Quality

    st.header("The map", anchor=False)
    names = {
        record.id: f"{record.title} of the {space_words(record.space)}, seed {record.seed}" for record in maps
    }
    wanted = maps[0].id
    if len(maps) > 1:
        wanted = st.selectbox("Map", list(names), format_func=names.__getitem__, key=f"quality-map-{run.id}")
    chosen = next(one for one in maps if one.id == wanted)
    found = [_quality(row, Quality) for row in state.workspace().projection_quality(chosen.id)]
    strip = partial(charts.projection_strip, found, theme.name())
    _draw(strip, "projection", "Figures of the map", chosen.id)
    sentence = explore_state.projection_info(chosen.projection).get("honesty", "")
    st.caption(plain(f"{sentence} {names[chosen.id]}. {chosen.engine}.".strip()))


def beside(run: RunRecord, column: str | None) -> None:
    """Show every run on the same features, plain methods among them."""
    from clustering.metrics.quality import Quality

    st.header("Beside other runs on the same features", anchor=False)
    others = state.workspace().runs(feature_id=run.feature_id)
    shown = _closest(run, others)
    found = {
        _title(record): [
            _quality(row, Quality)
            for row in state.workspace().quality(record.id)
            if row.get("column") in ("", None, column)
            and row["name"] in ("nmi", "ari", "accuracy", "silhouette")
        ]
        for record in shown
    }
    if len(found) > 1:
        measures = ("nmi", "ari", "silhouette") if column else ("silhouette",)
        sides = partial(
            charts.quality_comparison, found, theme.name(), current=_title(run), measures=measures
        )
        _draw(sides, "comparison", "Runs side by side", run.id, repr(found), *measures)
    table = judging.beside(run, column)
    numbers = {
        name: st.column_config.NumberColumn(format="%.3f") for name in judging.FIGURES if name in table
    }
    st.dataframe(table, hide_index=True, key="quality-beside", placeholder="–", column_config=numbers)
    if not any(record.family == "baseline" for record in others):
        st.caption("No plain method has been run on these features yet; Train offers them beside every run.")


def _closest(run: RunRecord, others: list[RunRecord]) -> list[RunRecord]:
    """Return this run and the newest run of every other method, deep ones first."""
    newest: dict[str, RunRecord] = {run.method: run}
    for record in others:
        newest.setdefault(record.method, record)
    return sorted(
        newest.values(), key=lambda record: (record.id != run.id, record.family != "deep", record.title)
    )


def _title(record: RunRecord) -> str:
    return f"{record.name}, seed {record.seed}"


@st.fragment
@guarded
def made_with(run: RunRecord, features: FeatureRecord) -> None:
    """Say what it takes to make this run again."""
    made = folded("How it was made", "quality-made")
    if made:
        with made:
            _making(run, features)


def _making(run: RunRecord, features: FeatureRecord) -> None:
    told = state.workspace().run_details(run.id)
    st.caption(plain(f"{features.origin} {features.description}"))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Parameters**")
        judging.still(_pairs(run.parameters))
    with right:
        st.markdown("**Environment**")
        place = dict(told.get("environment", {}))
        versions = place.pop("versions", {})
        judging.still(_pairs({**place, **versions}))
    st.caption("The run's folder holds all of it as run.json.")


def downloads(run: RunRecord, figures: bytes) -> None:
    """Offer the whole report as one HTML file, the figures as CSV, the model; made when asked for."""
    st.header("Take along", anchor=False)
    files: dict[str, tuple[Any, str, str]] = {
        "Report (HTML)": (partial(judging.report, run.id), f"{run.id}.html", "text/html"),
        "Figures (CSV)": (figures, f"{run.id}-quality.csv", "text/csv"),
    }
    if any((run.folder / "model").glob("*")):
        files["Model (ZIP)"] = (partial(judging.model, run.id), f"{run.id}-model.zip", "application/zip")
    with st.container(horizontal=True):
        for label, (content, name, kind) in files.items():
            st.download_button(
                label, content, name, kind, key=f"take-{label}", on_click="ignore", icon=":material/download:"
            )
    if "Model (ZIP)" not in files:
        st.caption("The model of a sample's run does not travel with the studio; train it again to get one.")


def _pairs(values: dict[str, Any]) -> dict[str, list[str]]:
    def told(value: Any) -> str:
        if value is None:
            return "automatic"
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

    return {"Name": list(values), "Value": [told(value) for value in values.values()]}


def _quality(row: Any, kind: Any) -> Any:
    known = kind.__dataclass_fields__
    return kind(**{name: value for name, value in row.items() if name in known})


def groups_of(run: RunRecord) -> Groups:
    """Return the groups of a run under the names they have now."""
    names = state.workspace().cluster_names(run.id)
    return explore_state.groups_of(run.id, tuple(sorted(names.items())))


def colours_of(run: RunRecord) -> list[str]:
    """Return the colour of each group as the sidebar's choice wants it."""
    return list(groups_of(run).colours(theme.name(), st.session_state.get("palette") or "auto"))


def _draw(make: Callable[[], Any], key: str, words: str, *facts: Hashable) -> None:
    """Draw a chart, made once for the same facts: building a plotly figure costs more than the page."""
    chart = _made((key, theme.name(), *facts), make)
    st.plotly_chart(chart, theme=None, key=f"quality-{key}", config=QUIET, alt=words)


@st.cache_resource(show_spinner=False, max_entries=64)
def _made(facts: tuple[Hashable, ...], _make: Callable[[], Any]) -> Any:  # noqa: ARG001  (names what is made)
    return _make()
