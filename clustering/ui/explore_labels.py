"""Label next: the item most worth a label, large, with a field for it; Enter goes on to the next."""

from __future__ import annotations

import streamlit as st

from clustering.labelling import Pick
from clustering.ui import explore_item, explore_refine, jobs, labelling, looks, state
from clustering.ui.captions import Captions
from clustering.ui.explore_state import LABELS, Shown
from clustering.ui.folding import folded
from clustering.ui.gallery import gallery
from clustering.ui.sidebar import items_word, one_of
from clustering.ui.trouble import guarded, plain
from clustering.words import several

KEYS = 9  # labels that a number key gives
COMING = 6  # items shown that are asked about after this one
PAGE = 24


def show(shown: Shown) -> None:
    """Ask for labels of the items most worth one, and show how far what was asked for is."""
    place = f"labels-{shown.record.id}"
    waiting = [job.id for job in jobs.open_jobs(shown.record.id, kinds=("survey", "refine"))]
    if waiting or jobs.remembered(place):
        jobs.watch(waiting, place, then="run")
    explore_refine.told(shown)
    _block(shown, bool(waiting))


@st.fragment(key=LABELS)
@guarded
def _block(shown: Shown, busy: bool) -> None:
    room = folded("Label next", "labels-room", icon=":material/new_label:")
    if room is None:
        return
    labels = labelling.given(shown)
    with room:
        wanted = labelling.budget(shown, len(labels))
        _progress(shown, len(labels), wanted)
        labelling.told()
        picks = labelling.next_picks(shown, wanted)
        if picks:
            _ask(shown, picks, labels)
        elif picks is None and wanted > len(labels):
            _offer(shown, wanted, busy)
        else:
            _all_answered(shown, wanted, len(labels))
        _given(shown, labels)
        explore_refine.offer(shown, labels, busy)


def _progress(shown: Shown, n_labels: int, wanted: int) -> None:
    words = several(max(wanted, n_labels), one_of(shown.record.kind), items_word(shown.record.kind))
    told = words if n_labels > wanted else f"{n_labels:,} of {words}"
    left, right = st.columns([1, 4], vertical_alignment="bottom", gap="medium")
    left.number_input(
        "Labels to give",
        1,
        shown.n,
        key=labelling.budget_key(shown),
        persist_state="session",
        help="In all. The collection is looked over for so many places, one label for each.",
    )
    right.progress(
        min(1.0, n_labels / wanted),
        text=f"{told} labelled",
    )


def _offer(shown: Shown, wanted: int, busy: bool) -> None:
    st.markdown(
        f"Which {items_word(shown.record.kind)} are most worth a label? Those that many others resemble, "
        "each from another part of the collection. The answer comes from the features of this run alone; a "
        "run of USL-T learns it, one for each of its groups."
    )
    st.button(
        "Look for them",
        key="labels-look",
        type="primary",
        icon=":material/search:",
        disabled=busy,
        on_click=guarded(_look),
        args=(shown, wanted),
    )


def _ask(shown: Shown, picks: list[Pick], labels: dict[int, str]) -> None:
    now = picks[0]
    picture, question = st.columns([3, 2], gap="large")
    caption = Captions.of(shown.collection).caption(now.item)
    with picture:
        if not looks.item(shown, now.item, caption.line, "look-label"):
            st.html(explore_item.facts(Captions.of(shown.collection).metadata(now.item)))
    with question:
        st.subheader(plain(caption.title), anchor=False)
        if caption.lines:
            st.caption(plain(", ".join(caption.lines)))
        st.caption(plain(now.reason.replace("items", items_word(shown.record.kind), 1)))
        with st.form("label-form", clear_on_submit=True, border=False):
            st.text_input("Label", key="label-text", placeholder="What is it?")
            st.form_submit_button(
                "Label it", key="label-it", type="primary", icon=":material/new_label:",
                on_click=_typed, args=(shown, now.item),
            )  # fmt: skip
        _shortcuts(shown, now.item, labels)
        with st.container(horizontal=True):
            st.button(
                "Skip", key="label-skip", icon=":material/skip_next:", on_click=_skip, args=(shown, now.item),
                help="Ask about the next best of its kind instead.", shortcut="Alt+S",
            )  # fmt: skip
            labelling.undo_button(shown, "label-undo", "Alt+Z")
    if len(picks) > 1:
        st.caption("Then")
        opened = gallery(
            shown.collection, [pick.item for pick in picks[1 : COMING + 1]], key="labels-coming",
            title="Asked about next", height=76, strip=True,
        )  # fmt: skip
        if opened is not None:
            explore_item.drawer(shown, opened)


def _shortcuts(shown: Shown, item: int, labels: dict[int, str]) -> None:
    """Offer the labels used before, each with a number key; keys count while no text is being typed."""
    texts = list(labelling.used(labels))[:KEYS]
    if not texts:
        return
    with st.container(horizontal=True, gap="small", key="label-again"):
        for number, text in enumerate(texts, start=1):
            st.button(
                plain(text), key=f"label-again-{number}", shortcut=str(number), on_click=_answer,
                args=(shown, item, text),
            )  # fmt: skip


def _all_answered(shown: Shown, wanted: int, n_labels: int) -> None:
    st.markdown(f"Every part of the collection that {several(max(wanted, n_labels), 'label')} reach has one.")
    with st.container(horizontal=True):
        more = min(max(wanted, n_labels) + labelling.ROUND, shown.n)
        st.button(
            f"Go on to {more:,}",
            key="labels-more",
            icon=":material/add:",
            type="primary",
            on_click=_more,
            args=(shown, more),
            disabled=more <= wanted,
        )
        labelling.undo_button(shown, "label-undo", "Alt+Z")


def _given(shown: Shown, labels: dict[int, str]) -> None:
    """Show what has a label, and the ways in and out as a file."""
    head, tools = st.columns([4, 1], vertical_alignment="center")
    counts = labelling.used(labels)
    head.markdown(
        f"**{several(len(labels), 'label')}** · "
        + plain(", ".join(f"{text} {n:,}" for text, n in counts.items()))
        if labels
        else "No label yet. They are kept with the collection, for all its runs."
    )
    with tools, st.container(horizontal=True, horizontal_alignment="right"):
        _files(shown, labels)
    if labels:
        opened = gallery(
            shown.collection, list(labels)[::-1], key="labels-given", title="Labelled", height=84,
            page_size=PAGE, notes=labels,
        )  # fmt: skip
        if opened is not None:
            explore_item.drawer(shown, opened)


def _files(shown: Shown, labels: dict[int, str]) -> None:
    from clustering.cli.taking import hand_labels_file

    with st.popover("CSV", icon=":material/table:"):
        st.download_button(
            "Labels as CSV", lambda: hand_labels_file(state.workspace(), shown.record.id),
            f"{shown.record.id}-labels-by-hand.csv", "text/csv", key="labels-csv", on_click="ignore",
            icon=":material/download:", disabled=not labels,
        )  # fmt: skip
        file = st.file_uploader(
            "Take labels in", type="csv", key="labels-file",
            help="A column “id” and a column “label”; what has a label gets the new one.",
        )  # fmt: skip
        st.button(
            "Take in", key="labels-take-in", disabled=file is None, on_click=_taken_in,
            args=(shown, file.getvalue() if file is not None else b""),
        )  # fmt: skip


def _look(shown: Shown, wanted: int) -> None:
    job = jobs.submit(
        "survey", {"features": shown.run.feature_id, "budget": wanted}, title="Look for what to label"
    )
    jobs.remember(f"labels-{shown.record.id}", [job.id])
    st.rerun()


def _typed(shown: Shown, item: int) -> None:
    _answer(shown, item, str(st.session_state.get("label-text") or ""))


def _answer(shown: Shown, item: int, text: str) -> None:
    labelling.give(shown, {item: text})
    labelling.run_again()


def _skip(shown: Shown, item: int) -> None:
    labelling.skipped(shown).append(item)


def _more(shown: Shown, wanted: int) -> None:
    st.session_state[labelling.budget_key(shown)] = wanted
    if labelling.next_picks(shown, wanted) is None:
        _look(shown, wanted)


def _taken_in(shown: Shown, content: bytes) -> None:
    labelling.take_in(shown, content)
    labelling.run_again()
