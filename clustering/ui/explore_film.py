"""The training as a film under the map: a scrubber over the kept epochs, played or moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.charts.palette import cluster_colors, group_name
from clustering.training.events import phase_in_words
from clustering.ui import explore_state, jobs, state
from clustering.ui.explore_state import Shown
from clustering.ui.latent_map.legend import Legend
from clustering.ui.trouble import plain
from clustering.words import several
from clustering.workspace.records import ProjectionRecord

PACE = 1.0  # seconds a frame; the points move for half of it
ABOUT = "Each epoch is laid out from the one after it and turned to lie on the finished map."


@dataclass(frozen=True)
class Film:
    """The frames of a map, oldest first; what comes after the last one is the finished map.

    Parameters
    ----------
    rows : int array (s,)
        The items shown.
    positions : float32 array (f, s, 2)
    labels, confidences : arrays (f, s)
    epochs : list of dict
        ``phase, epoch, changed, moved, kept`` of each frame.
    sentence : str
        How the frames hang together.
    n : int
        Items of the collection.
    stamp : str
        Changes when the frames are computed anew.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.float32]
    labels: NDArray[np.int64]
    confidences: NDArray[np.float32]
    epochs: list[dict[str, Any]]
    sentence: str
    n: int
    stamp: str

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def whole(self) -> bool:
        """Whether every item is in it; of large collections a sample is."""
        return len(self.rows) == self.n

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """A box around all frames, so that the view stays calm: left, bottom, right, top."""
        places = np.asarray(self.positions).reshape(-1, 2)
        return (*map(float, places.min(axis=0)), *map(float, places.max(axis=0)))  # type: ignore[return-value]

    def name(self, at: int) -> str:
        """Return what a frame is called on the scrubber."""
        if at >= len(self):
            return "Finished map"
        told = self.epochs[at]
        return f"{phase_in_words(told['phase']).capitalize()} {told['epoch']}"


def of(record: ProjectionRecord, shown: Shown) -> Film | None:
    """Return the film of a map, or None while there is none."""
    told = record.folder / "frames" / "told.json"
    if record.run_id != shown.run.id or not told.exists():
        return None
    return _film(record.id, str(told.stat().st_mtime_ns), shown.n)


@st.cache_resource(show_spinner=False, max_entries=4)
def _film(projection_id: str, stamp: str, n: int) -> Film | None:
    kept = state.workspace().companion(projection_id, "frames")
    if kept is None:
        return None
    arrays, told = kept.arrays, kept.told
    return Film(
        arrays["rows"],
        arrays["positions"],
        arrays["labels"],
        arrays["confidences"],
        list(told["epochs"]),
        str(told["sentence"]),
        n,
        stamp,
    )


# where the film stands


def frame(record: ProjectionRecord, film: Film | None) -> int | None:
    """Return the frame to be drawn; None for the finished map."""
    at = None if film is None else st.session_state.get(_slider(record))
    return None if film is None or at is None or at >= len(film) else int(at)


def playing(record: ProjectionRecord) -> bool:
    """Say whether the film of a map is running."""
    return bool(st.session_state.get(_flag(record)))


def advance(record: ProjectionRecord, film: Film | None, ticking: bool) -> None:
    """Go on by one frame while the film runs and the clock ticks; it stops at the finished map."""
    if film is None or not ticking or not playing(record):
        return
    if st.session_state[_flag(record)] == "begun":  # the frame it begins with is shown as long as any other
        st.session_state[_flag(record)] = "running"
        return
    at = min(st.session_state[_slider(record)] + 1, len(film))
    st.session_state[_slider(record)] = at
    if at == len(film):
        _pause(record)


def _begin(record: ProjectionRecord) -> None:
    st.session_state[_slider(record)] = 0
    st.session_state[_flag(record)] = "begun"


def _toggle(record: ProjectionRecord, film: Film) -> None:
    if playing(record):
        _pause(record)
    elif st.session_state.get(_slider(record), len(film)) >= len(film):
        _begin(record)
    else:
        st.session_state[_flag(record)] = "begun"


def _pause(record: ProjectionRecord) -> None:
    st.session_state[_flag(record)] = ""


def _slider(record: ProjectionRecord) -> str:
    return f"film-{record.id}"


def _flag(record: ProjectionRecord) -> str:
    return f"film-playing-{record.id}"


# what is drawn


def scrubber(shown: Shown, record: ProjectionRecord, film: Film) -> None:
    """Draw the slider, the button beside it, and what is said of the frame; inside the map's fragment."""
    running = playing(record)
    st.session_state.setdefault(_slider(record), len(film))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="film"):
        st.button(
            "Pause" if running else "Play the training",
            icon=":material/pause:" if running else ":material/play_arrow:",
            key="film-play",
            on_click=_toggle,
            args=(record, film),
        )
        st.select_slider(
            "Epoch",
            range(len(film) + 1),
            format_func=film.name,
            key=_slider(record),
            persist_state="session",
            on_change=_pause,
            args=(record,),
            help=f"{film.sentence} Positions of single epochs are no better than this map's.",
        )
    at = frame(record, film)
    labels = shown.groups.labels if at is None else film.labels[at]
    st.html(f'<div style="margin-top:.55rem">{_strip(shown, np.asarray(labels))}</div>')
    st.caption(_words(film, at))


def _words(film: Film, at: int | None) -> str:
    whole = "" if film.whole else f" A random sample of {several(len(film.rows), 'item')} is shown."
    if at is None:
        return f"The finished map. {ABOUT}{whole}"
    told = film.epochs[at]
    parts = [f"Epoch {told['epoch']} of {plain(phase_in_words(told['phase']))}"]
    if not (np.asarray(film.labels[at]) >= 0).any():
        parts.append("no groups yet")
    if told.get("changed") is not None:
        parts.append(f"{told['changed']:.1%} changed their group since the frame before")
    if told.get("kept") is not None:
        parts.append(f"{told['kept']:.0%} of the nearest neighbours of this epoch are kept here")
    return f"{' · '.join(parts)}.{whole}"


def _strip(shown: Shown, labels: NDArray[np.int64]) -> str:
    """Return the sizes of the groups as one bar in their colours, as HTML that can be heard too."""
    known = labels[labels >= 0]
    if not len(known):
        return _bar('<div style="flex:1;background:var(--studio-line)"></div>', "There are no groups yet.")
    sizes = np.bincount(known, minlength=shown.groups.count)
    colours = [
        *shown.colours(),
        *cluster_colors(len(sizes), explore_state.theme_name())[shown.groups.count :],
    ]
    parts, told = [], []
    for label, size in enumerate(sizes.tolist()):
        if size:
            name = shown.groups.name(label) if label < shown.groups.count else group_name(label)
            words = escape(f"{name}: {size:,} ({size / len(labels):.0%})", quote=True)
            parts.append(
                f'<div title="{words}" style="flex:{size};min-width:2px;background:{colours[label]}"></div>'
            )
            told.append(words)
    return _bar("".join(parts), f"Group sizes. {'; '.join(told)}")


def _bar(parts: str, words: str) -> str:
    return (
        f'<div role="img" aria-label="{words}" style="display:flex;gap:1px;height:12px;border-radius:2px;'
        f'overflow:hidden">{parts}</div>'
    )


def dressed(legend: Legend, codes: NDArray[np.int64]) -> Legend:
    """Return the legend with room for groups of early epochs that the finished run no longer has."""
    count = int(codes.max(initial=-1)) + 1
    have = len(legend.names)
    if count <= have:
        return replace(legend, missing="Not grouped yet")
    colours = [*legend.colours, *cluster_colors(count, explore_state.theme_name())[have:]]
    names = [*legend.names, *(group_name(label) for label in range(have, count))]
    return replace(legend, colours=colours, names=names, missing="Not grouped yet")


def offer(shown: Shown, record: ProjectionRecord) -> None:
    """Offer to lay out the epochs, or show how far that is; nothing where there is nothing to be played."""
    if shown.run.family != "deep" or record.run_id != shown.run.id or record.space != "latent":
        return
    place = f"film-{record.id}"
    if of(record, shown) is not None and not jobs.remembered(place):
        return
    waiting = jobs.of_map("frames", record.id, shown.record.id)
    jobs.watch(waiting, place)
    if of(record, shown) is not None:
        if st.session_state.pop(f"film-wanted-{record.id}", False):
            _begin(record)
            st.rerun()
        return
    if waiting:
        return
    kept = state.workspace().snapshots(shown.run.id)
    if not kept:
        st.caption("No snapshots of this training were kept, so it cannot be played.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        wanted = st.button("Play the training", icon=":material/play_arrow:", key="film-make")
        st.caption(f"{several(len(kept), 'epoch')} were kept; they are laid out once, in the background.")
    if wanted:
        parameters = {"collection": shown.record.id, "projection": record.id}
        job = jobs.submit("frames", parameters, title="Lay out the training for this map")
        st.session_state[f"film-wanted-{record.id}"] = True
        jobs.remember(place, [job.id])
        st.rerun()
