"""Blocks that stand folded: what lies in one is drawn once a person opens it, and no page waits for it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def folded(label: str, key: str, *, expanded: bool = False, icon: str | None = None) -> DeltaGenerator | None:
    """Draw an expander; return it while it stands open, None while it is folded.

    Parameters
    ----------
    label : str
    key : str
        Names it among the page's widgets; on another page and back it is folded again.
    expanded : bool
        Whether it begins open.
    """
    block = st.expander(label, expanded=expanded, key=key, icon=icon, on_change="rerun")
    return block if block.open else None
