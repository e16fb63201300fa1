"""What a person sees first is painted first: on arriving at a page, what lies further down waits a moment."""

from __future__ import annotations

from time import sleep

import streamlit as st

from clustering.ui import routes

PAUSE = 0.2  # seconds; the browser takes about as long to lay out a first screen


def at(page: str) -> None:
    """Take note of which page is drawn; called once a run, before the page."""
    st.session_state["_arriving"] = st.session_state.get("_page") != page
    st.session_state["_page"] = page


def first_screen_stands() -> None:
    """Say that what follows lies below the first screen.

    When the page has just been opened, the browser gets a moment to paint what was sent so far: it would
    otherwise lay out the whole page before it shows any of it. Runs that follow a click do not wait. Worth it
    only where the whole page stands no later for it: it was measured to pay on Collection, not on Explore and
    Quality, whose first screens draw a map or a chart for longer than any pause.
    """
    if st.session_state.pop("_arriving", False) and routes.are_served():
        sleep(PAUSE)
