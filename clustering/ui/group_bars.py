"""Groups as thin bars in their colours: how sure a model is of each, or how many neighbours are in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from clustering.ui.explore_state import Shown


def group_bars(shown: Shown, rows: Sequence[tuple[int, float, str]], current: int, head: str) -> str:
    """Return bars as HTML.

    Parameters
    ----------
    rows : sequence of (int, float, str)
        Group, length of its bar between 0 and 1, and what is written beside it.
    current : int
        The group whose name is bold.
    head : str
        Said above them.
    """
    colours = [*shown.colours(), "var(--st-text-color)"]  # the last is that of the unassigned, -1
    drawn = "".join(
        f'<div role="row" style="display:grid;grid-template-columns:minmax(0,9rem) 1fr 3rem;gap:.6rem;'
        f'align-items:center;line-height:1.7"><span style="overflow:hidden;text-overflow:ellipsis;'
        f'white-space:nowrap;{"font-weight:600" if group == current else ""}">'
        f'{escape(shown.groups.name(group))}</span><span style="height:.55rem;border-radius:2px;'
        f'background:color-mix(in srgb,currentColor 8%,transparent)"><span style="display:block;height:100%;'
        f'border-radius:2px;width:{share:.1%};background:{colours[group]}"></span></span>'
        f'<span style="text-align:right;font-variant-numeric:tabular-nums">{escape(words)}</span></div>'
        for group, share, words in rows
    )
    return (
        f'<div style="font-size:.86rem;opacity:.75;margin-top:.3rem">{escape(head)}</div>'
        f'<div style="font-size:.92rem">{drawn}</div>'
    )
