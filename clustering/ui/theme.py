"""The studio's look: one small style sheet over Streamlit's theme, and the wordmark."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path

import streamlit as st

from clustering.charts import palette


def dress(assets: Path) -> None:
    """Put the style sheet and the wordmark on the page."""
    colours = "".join(f"--studio-{part}:{value};" for part, value in vars(palette.THEMES[name()]).items())
    st.html(f"<style>:root{{{colours}}}{_sheet(assets / 'studio.css')}</style>")
    st.logo(str(assets / f"wordmark-{name()}.svg"), size="large")


@lru_cache(maxsize=1)
def _sheet(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name() -> palette.ThemeName:
    """Return the theme the reader sees."""
    return "dark" if is_dark() else "light"


def is_dark() -> bool:
    """Return whether the reader sees the dark theme."""
    return st.context.theme.type == "dark"


def facts(*sentences: str) -> None:
    """Write short facts in one quiet line, the first in ink; escaped here."""
    first, *others = (escape(sentence) for sentence in sentences if sentence)
    rest = "".join(f"<span>{sentence}</span>" for sentence in others)
    st.html(f'<div class="studio-facts"><b>{first}</b>{rest}</div>')


def title(text: str, sentence: str = "") -> None:
    """Write the page's one title and, below it, at most one sentence."""
    st.title(text, anchor=False)
    if sentence:
        st.caption(sentence)


def show_top() -> None:
    """Bring the top of the page into sight: a page keeps its place when other things come to stand on it."""
    top = """document.querySelector('[data-testid="stMain"]')?.scrollTo({top: 0})"""
    st.html(f"<script>{top}</script>", unsafe_allow_javascript=True)
