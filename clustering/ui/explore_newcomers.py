"""Place your own: works that are not in the collection, dropped on the page, judged and marked on the map."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import TimeoutError as StillWaiting
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from clustering.errors import StudioError
from clustering.jobs.lessons import FAMILY
from clustering.jobs.placing import Answer, NewItem
from clustering.jobs.placing_desk import PlacingDesk
from clustering.newcomers import MOST_AT_ONCE, usual
from clustering.newcomers.reading import MOST_MEGABYTES
from clustering.ui import explore_item, explore_state, state
from clustering.ui.explore_state import MAP, Shown
from clustering.ui.folding import folded
from clustering.ui.gallery import gallery
from clustering.ui.latent_map import Mark
from clustering.ui.newcomer_kinds import ASKED
from clustering.ui.sidebar import items_word
from clustering.ui.trouble import guarded, notice, plain
from clustering.workspace.records import ProjectionRecord

NEWCOMERS = "explore-newcomers"  # the fragment's key
SOON = 1.5  # seconds a drop waits for its answer before a skeleton is shown
EVERY = 0.5
STRIP = 60
SHOWN = 6  # nearest works of a card
WRITTEN = "written.txt"  # the file that what was written is handed in as
NUMBER = (
    "display:inline-block;min-width:1.2rem;padding:0 .3rem;border-radius:.6rem;text-align:center;"
    "background:var(--studio-accent);color:var(--studio-paper);font-size:.8rem;line-height:1.2rem"
)
SPACES = {"features": "Nearest in features", "latent": "Nearest in latent space"}


@st.cache_resource(show_spinner=False, max_entries=2, on_release=PlacingDesk.close)
def _desk(root: str) -> PlacingDesk:  # noqa: ARG001  (another folder is another desk)
    return PlacingDesk(state.workspace())


def desk() -> PlacingDesk:
    """Return the desk of this server; its process starts with the first question."""
    return _desk(str(state.workspace().root))


def marks(shown: Shown, record: ProjectionRecord) -> list[Mark]:
    """Return the placed items as marks on a map, in the colours of their groups."""
    kept = _kept(shown)
    there = [(at, item) for at, item in enumerate(kept["items"], 1) if record.id in item.positions]
    if not there:
        return []
    positions = np.array([item.positions[record.id] for _, item in there], dtype=np.float32)
    places = state.workspace().drawn_on(record.id, positions)
    colours = shown.colours()
    return [
        Mark(at, item.name, float(x), float(y), colours[item.label], item.thumbnail)
        for (at, item), (x, y) in zip(there, places, strict=True)
    ]


@st.fragment(key=NEWCOMERS)
@guarded
def show(shown: Shown, chosen: ProjectionRecord | None) -> None:
    """Offer to drop what is not in the collection, and show what was placed, one card each."""
    if shown.record.kind not in ASKED or shown.run.family == FAMILY:
        return
    kept = _kept(shown)
    room = folded(ASKED[shown.record.kind].title, "newcomers-room", icon=":material/add_location_alt:")
    if room is None:
        return
    with room:
        if not (shown.run.folder / "model" / "model.json").exists():
            notice(
                f"The model of “{shown.run.name}” is not here: only its result came with the sample.",
                "Train a method on this collection (Train, above); beside its run new "
                f"{items_word(shown.record.kind)} can be placed.",
                safe="",
            )
            return
        _make_ready(shown, chosen, kept)
        _drop(shown, chosen, kept)
        for problem, mend in kept["troubles"]:
            notice(problem, mend, safe="Nothing was added to the collection.")
        for note in kept["notes"]:
            st.caption(plain(note))
        if kept["waiting"]:
            _wait(shown)
        elif kept["items"]:
            _cards(shown, kept["items"])


def _make_ready(shown: Shown, chosen: ProjectionRecord | None, kept: dict[str, Any]) -> None:
    """Load what placing needs while a person looks for files; place known items on a map chosen since."""
    if kept["warm"] is None:
        kept["warm"] = desk().warm(shown.run.id, chosen.id if chosen else None)
    warm = kept["warm"]
    if warm.done() and isinstance(warm.exception(), StudioError) and not kept["troubles"]:
        notice(warm.exception().problem, warm.exception().mend, safe="")
    missing = chosen is not None and any(chosen.id not in item.positions for item in kept["items"])
    if chosen is not None and missing and not kept["waiting"] and chosen.id not in kept["asked"]:
        kept["asked"].add(chosen.id)
        kept["waiting"].append((desk().locate(kept["items"], chosen.id), True))


def _drop(shown: Shown, chosen: ProjectionRecord | None, kept: dict[str, Any]) -> None:
    key = f"newcomers-{shown.run.id}-{kept['turn']}"
    asked = ASKED[shown.record.kind]
    st.file_uploader(
        f"{asked.files}, at most {MOST_AT_ONCE}; nothing is added to the collection",
        type=list(asked.endings),
        accept_multiple_files=True,
        key=key,
        max_upload_size=MOST_MEGABYTES,
        on_change=_dropped,
        args=(shown, chosen.id if chosen else None, key),
    )
    if asked.written:
        box = f"{key}-written"
        st.text_area(
            asked.written,
            key=box,
            height=68,
            on_change=_written,
            args=(shown, chosen.id if chosen else None, box),
        )


def _dropped(shown: Shown, map_id: str | None, key: str) -> None:
    """Hand in what was dropped."""
    files = st.session_state.get(key)
    if files:
        _hand_in(shown, map_id, [(file.name, file.getvalue()) for file in files])


def _written(shown: Shown, map_id: str | None, key: str) -> None:
    """Hand in what was written."""
    text = str(st.session_state.get(key) or "").strip()
    if text:
        _hand_in(shown, map_id, [(WRITTEN, text.encode())])


def _hand_in(shown: Shown, map_id: str | None, files: Sequence[tuple[str, bytes]]) -> None:
    """Ask where items belong; where the answer comes at once, the map is drawn again with it."""
    kept = _kept(shown)
    kept["turn"] += 1  # the drop area and the box are empty again
    kept["troubles"], kept["notes"] = [], []
    try:
        future = desk().place(shown.run.id, files, map_id)
    except StudioError as error:
        kept["troubles"].append((error.problem, error.mend))
        return
    kept["waiting"].append((future, False))
    if _taken(kept, SOON):
        explore_state.run_again([MAP, NEWCOMERS])


def _taken(kept: dict[str, Any], seconds: float = 0.0) -> bool:
    """Take the answers that have come; return whether none is awaited any more."""
    for entry in list(kept["waiting"]):
        future, instead = entry
        try:
            answer: Answer = future.result(timeout=seconds)
        except StillWaiting:
            continue
        except StudioError as error:
            kept["troubles"].append((error.problem, error.mend))
        else:
            kept["items"] = list(answer.items) if instead else [*kept["items"], *answer.items]
            kept["notes"] += answer.notes
        kept["waiting"].remove(entry)
    return not kept["waiting"]


def _wait(shown: Shown) -> None:
    """Show the shape of what comes until it is there; then the page runs once more."""

    @st.fragment(run_every=EVERY)
    @guarded
    def block() -> None:
        if _taken(_kept(shown)):
            st.rerun()
        st.caption("Getting the encoder, the model and the map ready. The first time takes some seconds.")
        st.skeleton(180)

    block()


def _cards(shown: Shown, items: Sequence[NewItem]) -> None:
    st.button(
        "Remove all",
        key="newcomers-clear",
        icon=":material/close:",
        type="tertiary",
        on_click=_removed,
        args=(shown, None),
    )
    for number, item in enumerate(items, 1):
        with st.container(border=True, key=f"newcomer-{number}"):
            _card(shown, item, number)


def _card(shown: Shown, item: NewItem, number: int) -> None:
    left, right = st.columns([2, 5]) if item.picture else (None, st.container())
    if left is not None:
        left.html(
            f'<img src="{escape(item.picture, quote=True)}" alt="{escape(item.name, quote=True)}" '
            'style="display:block;max-width:100%;max-height:280px;object-fit:contain">'
        )
    with right:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(
                f'<div><b style="{NUMBER}">{number}</b> {escape(item.name)} '
                f'<span style="opacity:.75">· {escape(shown.groups.name(item.label))}</span></div>'
            )
            st.button(
                "Remove",
                key=f"newcomer-remove-{number}",
                icon=":material/close:",
                type="tertiary",
                on_click=_removed,
                args=(shown, number - 1),
            )
        st.html(explore_item.odds(shown, np.array(item.odds), item.label))
        things = items_word(shown.record.kind)
        told = {space: usual(share, things) for space, share in item.nearer_than.items()}
        st.caption(f"In the features it lies {told['features']}; in latent space, {told['latent']}.")
        spaces = SPACES.items()
        places = [st.container()] * 2 if item.picture else st.columns(2)  # rows of a table are narrow
        for place, (space, title) in zip(places, spaces, strict=True):
            with place:
                _nearest(shown, item, number, space, title)


def _nearest(shown: Shown, item: NewItem, number: int, space: str, title: str) -> None:
    near = item.near[space][:SHOWN]
    st.html(f'<div style="margin-top:.2rem;font-size:.9rem"><b>{title}</b></div>')
    opened = gallery(
        shown.collection,
        np.array([index for index, _ in near]),
        key=f"newcomer-{number}-{space}",
        title=f"{title} to {item.name}",
        height=STRIP,
        colours=shown.item_colours(),
        notes=None if shown.collection.pictured else {index: f"{apart:.3g}" for index, apart in near},
        strip=True,
    )
    if opened is not None:
        explore_item.drawer(shown, opened)


def _removed(shown: Shown, at: int | None) -> None:
    kept = _kept(shown)
    kept["items"] = [] if at is None else [item for place, item in enumerate(kept["items"]) if place != at]
    if not kept["items"]:
        kept["notes"], kept["troubles"] = [], []
    explore_state.run_again([MAP, NEWCOMERS])


def _kept(shown: Shown) -> dict[str, Any]:
    """Return what this session has placed beside a run."""
    runs: dict[str, dict[str, Any]] = st.session_state.setdefault("_newcomers", {})
    nothing: dict[str, Any] = {
        "items": [], "notes": [], "troubles": [], "waiting": [], "warm": None, "turn": 0, "asked": set(),
    }  # fmt: skip
    return runs.setdefault(shown.run.id, nothing)
