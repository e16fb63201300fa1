"""Would another seed tell the same? The seeds of a run in words, as a table and group by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from clustering import charts
from clustering.charts.palette import cluster_glyph
from clustering.jobs import catalogue
from clustering.metrics.stability import DOUBTFUL, STABLE
from clustering.ui import jobs, judging, state, theme, training
from clustering.ui.groups import Groups
from clustering.ui.judging import Rows
from clustering.ui.trouble import plain
from clustering.words import figure
from clustering.workspace import CollectionRecord, RunRecord

if TYPE_CHECKING:
    import pandas as pd

USUAL = 5  # seeds that are offered
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
AGREEMENT = (  # from which mean ARI on; the bounds are ours, so the number stands beside the words
    (0.95, "tell the same"),
    (0.8, "agree well"),
    (0.6, "agree in the main"),
    (0.3, "agree in part only"),
    (-1.0, "contradict one another: these groups are mostly chance"),
)


def stability(
    record: CollectionRecord, run: RunRecord, rows: Rows, groups: Groups, colours: list[str]
) -> None:
    """Show how alike the seeds of a run are; where it has one seed, offer to train several."""
    told = {row["name"]: row for row in rows if row["group"] == "stability" and not row.get("detail")}
    if not told:
        _offer(record, run)
        return
    st.header("Would another seed tell the same?", anchor=False)
    seeds = [row for row in rows if row.get("detail") == "seed"]
    recovered = {row["cluster"]: row["value"] for row in rows if row.get("detail") == "cluster"}
    st.markdown(" ".join(filter(None, (plain_words(told, len(seeds), groups), most_alike(seeds)))))
    left, right = st.columns([4, 4], gap="large")
    with left:
        judging.still(table(seeds))
        st.caption(
            "ARI: 1 for the same groups, 0 for what chance alone would give. The loss decides which seed is "
            f"kept, no label does. Consensus of items: {figure(told['mean_consensus']['value'])}, where 1 "
            "means that every two items are together in all seeds or in none."
        )
    with right:
        chart = charts.recovery_bars(recovered, theme.name(), names=groups.names, colors=colours)
        words = "How well each group is found again"
        st.plotly_chart(
            chart, theme=None, key="quality-recovery", config={"displayModeBar": False}, alt=words
        )
        st.caption(
            "Each group of this run beside its best counterpart in every other seed: shared items as a share "
            "of both together (Jaccard), on average."
        )


def plain_words(told: Mapping[str, Mapping[str, Any]], count: int, groups: Groups) -> str:
    """Return how alike the seeds are and which group is the least settled, for a person.

    Parameters
    ----------
    told : mapping of str to mapping
        The rows ``mean_ari`` and ``weakest_cluster``.
    count : int
        Seeds.
    """
    mean = told["mean_ari"]["value"]
    verdict = next(words for least, words in AGREEMENT if mean >= least)
    number = NUMBERS[count] if count < len(NUMBERS) else f"{count}"
    said = f"**{number} seeds {verdict}** (mean ARI {figure(mean, 2)})."
    weakest = told.get("weakest_cluster", {})
    label, value = weakest.get("cluster"), weakest.get("value")
    if label is None or value is None:
        return said
    name = f"{plain(groups.name(label))} {cluster_glyph(label)}"
    worth = "still stable" if value >= STABLE else "doubtful" if value < DOUBTFUL else "not quite stable"
    return (
        f"{said} The least settled group is {name}: it shares {figure(value, 2)} with its counterparts in "
        f"the other seeds, which is {worth}."
    )


def medoid(seeds: Rows) -> Mapping[str, Any] | None:
    """Return the seed most like all others; of equals the kept one. None where nothing sets one apart.

    That is so of two seeds, and of runs measured before this was.
    """
    if len(seeds) < 3 or any("alike" not in row for row in seeds):
        return None
    return max(seeds, key=lambda row: (row["alike"], row["kept"]))


def most_alike(seeds: Rows) -> str:
    """Return in a sentence which seed is most like all others, for a person."""
    middle = medoid(seeds)
    if middle is None:
        return ""
    if middle["kept"]:
        return "The kept seed, whose loss is the lowest, is also the most like the others."
    kept = next(row for row in seeds if row["kept"])
    return (
        f"Seed {kept['seed']} is kept, as its loss is the lowest; seed {middle['seed']} is the most like the "
        f"others (mean ARI {figure(middle['alike'], 2)} with them, the kept one {figure(kept['alike'], 2)})."
    )


def table(seeds: Rows) -> pd.DataFrame:
    """Return each seed with its loss and its agreement with the kept one and with all others."""
    import pandas as pd

    columns = {
        "Seed": [row["seed"] for row in seeds],
        "Loss": ["–" if row["loss"] is None else f"{row['loss']:.4g}" for row in seeds],
        "Agreement with the kept one (ARI)": [
            "kept" if row["kept"] else figure(row["value"]) for row in seeds
        ],
    }
    middle = medoid(seeds)
    if middle is not None:
        columns["with the others"] = [
            figure(row["alike"]) + (", most like them" if row is middle else "") for row in seeds
        ]
    return pd.DataFrame(columns)


def _offer(record: CollectionRecord, run: RunRecord) -> None:
    """Say in one line how to hear of other seeds, where the method can train several."""
    entry = catalogue.method_entry(state.workspace().cache, run.method)
    if entry is None or "n_init" not in {parameter.name for parameter in entry.parameters}:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="quality-one-seed"):
        st.markdown("Would another seed tell the same? This run has one only.", width="content")
        if _under_way(run):
            st.caption("Several seeds are being trained; see Train.", width="content")
            return
        if st.button(
            f"Train with {USUAL} seeds",
            key="quality-more-seeds",
            type="tertiary",
            icon=":material/casino:",
            help="The same method with the same settings; the seed with the lowest loss is kept.",
        ):
            _train(record, run, entry)
            st.switch_page("pages/train.py")


def _train(record: CollectionRecord, run: RunRecord, entry: catalogue.Entry) -> None:
    known = {parameter.name for parameter in entry.parameters}
    settings = {name: value for name, value in run.parameters.items() if name in known}
    training.start(
        state.workspace(),
        record,
        entry,
        {**settings, "n_init": USUAL},
        features=run.feature_id,
        baselines=False,
    )


def _under_way(run: RunRecord) -> bool:
    return any(
        (job.parameters.get("features"), job.parameters.get("method")) == (run.feature_id, run.method)
        and int((job.parameters.get("parameters") or {}).get("n_init") or 1) > 1
        for job in jobs.open_jobs(kinds=("train",))
    )
