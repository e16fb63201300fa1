"""The studio's look: one small style sheet over Streamlit's theme, and the wordmark."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STYLE = """
<style>
.stMainBlockContainer {max-width: 1560px; padding: 4.6rem 2.4rem 4rem;}
h1 {font-size: 2.1rem !important; font-weight: 500 !important; letter-spacing: -.01em; padding: .2rem 0 .1rem !important;}
h2 {font-size: 1.4rem !important; font-weight: 500 !important; padding: .9rem 0 .1rem !important;}
h3 {font-size: 1.1rem !important; font-weight: 600 !important; padding: .4rem 0 0 !important;}
.stMetric, .stDataFrame, .stNumberInput, .stProgress, .studio-fact {font-variant-numeric: tabular-nums;}
[data-testid="stMetricValue"] {font-size: 1.5rem; font-weight: 500;}
[data-testid="stHeadingWithActionElements"] a {display: none;}
[data-testid="stSidebar"] h3 {padding-top: 0 !important;}
.studio-facts {display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; margin: .1rem 0 .4rem;}
.studio-fact {line-height: 1.3;}
.studio-fact b {font-weight: 600;}
.studio-fact span {opacity: .72; font-size: .86rem;}
.studio-sheet {display: flex; flex-wrap: wrap; gap: 6px; overflow: hidden;}
.studio-sheet figure {margin: 0; height: var(--row, 104px); flex: 1 1 auto; position: relative; overflow: hidden;
  border-radius: 2px; background: color-mix(in srgb, currentColor 6%, transparent);}
.studio-sheet figure:last-child {flex-grow: 0;}
.studio-sheet img {height: 100%; width: 100%; object-fit: cover; display: block;}
.studio-sheet figcaption {position: absolute; inset: auto 0 0 0; padding: 2px 6px; font-size: .74rem; line-height: 1.35;
  color: #fff; background: rgba(20,18,16,.72); white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
  opacity: 0; transition: opacity .15s;}
.studio-sheet figure:hover figcaption, .studio-sheet figure:focus-within figcaption, .studio-sheet figure:focus figcaption {opacity: 1;}
[class*="st-key-trouble-"] {border-left: 3px solid #B3261E !important;}
[class*="st-key-card-"] {height: 100%;}
@media (max-width: 640px) {
  .stMainBlockContainer {padding: 4.2rem 1rem 3rem;}
  h1 {font-size: 1.7rem !important;}
  .studio-sheet {--row: 92px;}
}
@media (prefers-reduced-motion: reduce) {* {transition: none !important; animation-duration: .01ms !important;}}
</style>
"""


def dress(assets: Path) -> None:
    """Put the style sheet and the wordmark on the page."""
    st.html(STYLE)
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
