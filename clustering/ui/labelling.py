"""Labels given by hand, as the blocks of a page share them: given, undone, counted, and which come next."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from clustering.errors import StudioError
from clustering.jobs.labelling import kept_survey, survey_file
from clustering.labelling import Pick, Survey, read_labels, surest_items
from clustering.labelling.surveying import Distances
from clustering.ui import explore_state, state
from clustering.ui.explore_state import LABELS, MAP, WORKS, Shown, offers
from clustering.ui.explore_view import BY_LABEL
from clustering.ui.trouble import notice
from clustering.workspace.labels import LabelsStamp

Step = Mapping[int, str | None]
DONE = "_labels-done"  # what can be undone, newest last: what the items of a step had before it
TROUBLE, NOTES, SKIPPED = "_label-trouble", "_label-notes", "_labels-skipped"
ROUND = 20  # labels that are asked for at first, and then again


def given(shown: Shown) -> dict[int, str]:
    """Return the labels of the collection by item, oldest first."""
    return state.workspace().labels(shown.record.id)


def used(labels: Mapping[int, str]) -> dict[str, int]:
    """Return the different labels and how many items have each, in the order they were first used."""
    counts: dict[str, int] = {}
    for text in labels.values():
        counts[text] = counts.get(text, 0) + 1
    return counts


def give(shown: Shown, labels: Step) -> bool:
    """Give items labels, or take them; say whether that was possible, and remember how to undo it."""
    try:
        before = state.workspace().set_labels(shown.record.id, labels)
    except StudioError as error:
        st.session_state[TROUBLE] = (error.problem, error.mend)
        return False
    if before != dict(labels):
        _done(shown).append(before)
    return True


def take_in(shown: Shown, content: bytes) -> None:
    """Give the labels of a CSV file, all of them in one step."""
    try:
        found = read_labels(content, list(shown.collection.items["id"].astype(str)))
    except StudioError as error:
        st.session_state[TROUBLE] = (error.problem, error.mend)
        return
    if give(shown, found.labels):
        st.session_state[NOTES] = (f"{len(found.labels):,} labels were taken in.", *found.notes)


def undo(shown: Shown) -> None:
    """Take the last step back."""
    try:
        state.workspace().set_labels(shown.record.id, _done(shown).pop())
    except StudioError as error:  # the collection is gone, or the database busy
        st.session_state[TROUBLE] = (error.problem, error.mend)


def can_undo(shown: Shown) -> bool:
    """Say whether this person has done something that can be taken back."""
    return bool(_done(shown))


def undo_button(shown: Shown, key: str, shortcut: str | None = None) -> None:
    """Draw the button that takes the last step back."""
    st.button(
        "Undo",
        key=key,
        icon=":material/undo:",
        disabled=not can_undo(shown),
        on_click=_undone,
        args=(shown,),
        help="Take the last step back.",
        shortcut=shortcut,
    )


def told() -> None:
    """Say why the last step could not be done, or what was left out of it."""
    trouble = st.session_state.pop(TROUBLE, None)
    if trouble:
        problem, mend = trouble
        notice(problem, mend, safe="No label was changed.")
    for note in st.session_state.pop(NOTES, ()):
        st.caption(note)


def run_again() -> None:
    """Draw again what shows labels; call it from a callback."""
    coloured = [MAP] if st.session_state.get("explore-colour") == BY_LABEL else []
    explore_state.run_again([*coloured, WORKS, LABELS])


def skipped(shown: Shown) -> list[int]:
    """Return the items this person does not want to be asked about, to be added to."""
    kept: dict[str, list[int]] = st.session_state.setdefault(SKIPPED, {})
    return kept.setdefault(shown.record.id, [])


def budget_key(shown: Shown) -> str:
    """Return under which key the number of labels to give is kept."""
    return f"label-budget-{shown.record.id}"


def budget(shown: Shown, n_labels: int) -> int:
    """Return how many labels a person wants to give in all.

    At first as many as make the next twenty full, or as the run was trained for.
    """
    usual = min((n_labels // ROUND + 1) * ROUND, shown.n)
    if chooses(shown) and n_labels < shown.groups.count:
        usual = shown.groups.count
    return int(st.session_state.setdefault(budget_key(shown), usual))


def chooses(shown: Shown) -> bool:
    """Say whether the run learned itself which items to ask about (USL-T)."""
    return offers(shown, "picks")


def next_picks(shown: Shown, wanted: int) -> list[Pick] | None:
    """Return what is to be labelled next, the most worth first; None while nobody has looked.

    A run that learned it is asked first; once every group of its has a label, its features are looked over
    as those of any run.
    """
    labels, left_out = state.workspace().labels_stamp(shown.record.id), tuple(skipped(shown))
    if chooses(shown) and (picks := _surest(shown.run.id, shown.record.id, labels, left_out)):
        return picks
    file = survey_file(state.workspace(), shown.run.feature_id, wanted)
    if not file.exists():
        return None
    stamp = f"{file} {file.stat().st_mtime_ns}"
    return _next_picks(stamp, shown.run.feature_id, wanted, shown.record.id, labels, left_out)


@st.cache_data(show_spinner=False, max_entries=64)
def _surest(
    run_id: str,
    collection_id: str,
    labels: LabelsStamp,  # noqa: ARG001
    left_out: tuple[int, ...],
) -> list[Pick]:
    odds = state.run_arrays(run_id).soft_assignments
    return surest_items(odds, state.workspace().labels(collection_id), left_out)


@st.cache_data(show_spinner=False, max_entries=64)
def _next_picks(
    stamp: str,
    feature_id: str,
    wanted: int,
    collection_id: str,
    labels: LabelsStamp,  # noqa: ARG001
    left_out: tuple[int, ...],
) -> list[Pick] | None:
    found = _survey(stamp, feature_id, wanted)
    if found is None:
        return None
    looked, distances = found
    return looked.next_items(distances, wanted, state.workspace().labels(collection_id), left_out)


@st.cache_resource(show_spinner=False, max_entries=4)
def _survey(stamp: str, feature_id: str, wanted: int) -> tuple[Survey, Distances] | None:  # noqa: ARG001
    looked = kept_survey(state.workspace(), feature_id, wanted)
    return None if looked is None else (looked, Distances.of(state.workspace().features(feature_id), looked))


def _undone(shown: Shown) -> None:
    undo(shown)
    run_again()


def _done(shown: Shown) -> list[Step]:
    steps: dict[str, list[Step]] = st.session_state.setdefault(DONE, {})
    return steps.setdefault(shown.record.id, [])
