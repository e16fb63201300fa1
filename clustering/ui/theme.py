"""The studio's look: one small style sheet over Streamlit's theme, and the wordmark."""

from __future__ import annotations

from pathlib import Path

import streamlit as st


def dress(assets: Path) -> None:
    """Put the style sheet and the wordmark on the page."""
    st.html(assets / "studio.css")
    theme = "dark" if is_dark() else "light"
    st.logo(str(assets / f"wordmark-{theme}.svg"), size="large")


def is_dark() -> bool:
    """Return whether the reader sees the dark theme."""
    return st.context.theme.type == "dark"


def facts(entries: dict[str, str]) -> None:
    """Write short facts in one line: a number in strong type and what it counts.

    Parameters
    ----------
    entries : dict of str to str
        What it counts → the value, both as text; escaped here.
    """
    from html import escape

    spans = "".join(
        f'<div class="studio-fact"><b>{escape(value)}</b> <span>{escape(name)}</span></div>'
        for name, value in entries.items()
    )
    st.html(f'<div class="studio-facts">{spans}</div>')


def title(text: str, sentence: str = "") -> None:
    """Write the page's one title and, below it, at most one sentence."""
    st.title(text, anchor=False)
    if sentence:
        st.caption(sentence)
