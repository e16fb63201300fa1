"""Pairs made by hand: say of selected items that they belong together or are to be kept apart."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.ui import explore_state, state
from clustering.ui.captions import Captions
from clustering.ui.explore_state import BASKET, MAP, WORKS, Shown
from clustering.ui.folding import folded
from clustering.ui.gallery import Badge
from clustering.ui.trouble import notice, plain
from clustering.words import several
from clustering.workspace import Hint, RunRecord
from clustering.workspace.hints import MOST_APART, MOST_TOGETHER

NAMED = 3  # items of a hint that are named
DONE = "_hints-done"  # what can be undone, newest last: ("added" or "removed", hint)


def buttons(shown: Shown, chosen: NDArray[np.int64]) -> None:
    """Offer to say of the selected items that they belong together, or are to be kept apart."""
    n = len(chosen)
    if n < 2:
        return
    st.button(
        "Belong together",
        key="hint-together",
        icon=":material/link:",
        disabled=n > MOST_TOGETHER,
        on_click=_add,
        args=(shown, chosen, True),
        help=f"Say so of 2 to {MOST_TOGETHER} items. The next training heeds it, if its method can.",
    )
    st.button(
        "Keep apart",
        key="hint-apart",
        icon=":material/call_split:",
        disabled=n > MOST_APART,
        on_click=_add,
        args=(shown, chosen, False),
        help=f"Every two of 2 to {MOST_APART} items in another group. The next training heeds it, if its "
        "method can.",
    )


def trouble() -> None:
    """Say why the last step could not be done."""
    for problem, mend in st.session_state.pop("_hint-trouble", ()):
        notice(problem, mend, safe="No pair was changed.")


def listed(shown: Shown) -> None:
    """List the pairs of the collection, whether this run keeps them, and how to take them back."""
    hints = state.workspace().hints(shown.record.id)
    if not hints and not _done(shown):
        return
    kept = {hint.id: hint.kept(shown.groups.labels) for hint in hints}
    if hints:
        st.caption(f"{several(len(hints), 'hint')} by hand, {sum(kept.values())} kept by this run.")
    room = folded("Pairs made by hand", "hints-room", icon=":material/link:")
    if room is None:
        return
    with room:
        st.caption(plain(used(shown.run, len(hints))))
        captions = Captions.of(shown.collection)
        for hint in reversed(hints):
            _line(shown, hint, kept[hint.id], captions)
        st.button(
            "Undo",
            key="hint-undo",
            icon=":material/undo:",
            disabled=not _done(shown),
            on_click=_undo,
            args=(shown,),
            help="Take the last step back: a pair made, or one removed.",
        )


def badges(shown: Shown, chosen: NDArray[np.int64]) -> dict[int, list[Badge]]:
    """Return a shape under every selected item that is in a pair: filled where this run keeps it."""
    found: dict[int, list[Badge]] = {}
    there = set(chosen.tolist())
    for hint in state.workspace().hints(shown.record.id):
        kept = hint.kept(shown.groups.labels)
        shape = "circle" if hint.together else "square"
        words = f"{'belongs together' if hint.together else 'kept apart'}: {'kept' if kept else 'broken'}"
        for item in there & set(hint.items):
            found.setdefault(item, []).append((shape, kept, words))
    return found


def used(run: RunRecord, n_hints: int) -> str:
    """Say how many hints a run was trained with."""
    then = len(state.workspace().hints_given(run.id))
    if then:
        return (
            f"{run.name} was trained with {several(then, 'hint')}; the next training takes all listed here."
        )
    if not n_hints:
        return "There is none at the moment."
    return f"{run.name} was trained without any. Train again with a method that heeds them, such as DMSC."


def _line(shown: Shown, hint: Hint, kept: bool, captions: Captions) -> None:
    names = [captions.caption(item).title for item in hint.items[:NAMED]]
    more = f" and {len(hint.items) - NAMED} more" if len(hint.items) > NAMED else ""
    said = ":material/link: **together**" if hint.together else ":material/call_split: **apart**"
    verdict = ":material/check: kept" if kept else ":material/close: broken"
    with st.container(horizontal=True, vertical_alignment="center", key=f"hint-{hint.id}"):
        st.markdown(f"{said} · {plain(', '.join(names))}{more} · {verdict}", width="stretch")
        st.button("Show", key=f"hint-show-{hint.id}", type="tertiary", on_click=_show, args=(shown, hint))
        st.button(
            ":material/close:",
            key=f"hint-remove-{hint.id}",
            type="tertiary",
            help="Remove",
            on_click=_remove,
            args=(shown, hint),
        )


def _done(shown: Shown) -> list[tuple[str, Hint]]:
    steps: dict[str, list[tuple[str, Hint]]] = st.session_state.setdefault(DONE, {})
    return steps.setdefault(shown.record.id, [])


def _add(shown: Shown, chosen: NDArray[np.int64], together: bool) -> None:
    try:
        hint = state.workspace().add_hint(shown.record.id, chosen.tolist(), together=together)
    except StudioError as error:
        st.session_state["_hint-trouble"] = [(error.problem, error.mend)]
    else:
        _done(shown).append(("added", hint))
    explore_state.run_again([WORKS])


def _remove(shown: Shown, hint: Hint) -> None:
    _done(shown).append(("removed", state.workspace().remove_hint(hint.id)))
    explore_state.run_again([WORKS])


def _undo(shown: Shown) -> None:
    step, hint = _done(shown).pop()
    try:
        if step == "added":
            state.workspace().remove_hint(hint.id)
        else:
            state.workspace().restore_hint(hint)
    except StudioError as error:  # somebody else was quicker, or other pairs now say the opposite
        st.session_state["_hint-trouble"] = [(error.problem, error.mend)]
    explore_state.run_again([WORKS])


def _show(shown: Shown, hint: Hint) -> None:
    explore_state.select(shown.record.id, np.array(hint.items))
    explore_state.run_again([MAP, WORKS, BASKET])
