"""Arriving: the first screen gets a moment to itself once a visit, and no click ever waits for it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from clustering.ui import arrival, routes


def page():
    import streamlit as st

    from clustering.ui import arrival

    arrival.at(st.session_state.get("where", "Quality"))
    st.button("Again")
    arrival.first_screen_stands()
    st.write("below")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(arrival, "sleep", taken.append)
    monkeypatch.setattr(routes, "are_served", lambda: True)
    return taken


def test_a_page_that_has_just_been_opened_paints_its_first_screen_first(pauses):
    app = AppTest.from_function(page).run()
    assert len(pauses) == 1
    assert app.markdown[0].value == "below"


def test_a_click_on_the_page_does_not_wait(pauses):
    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert len(pauses) == 1


def test_coming_back_from_another_page_is_a_new_arrival(pauses):
    app = AppTest.from_function(page).run()
    for where in ("Train", "Quality"):
        app.session_state["where"] = where
        app.run()
    assert len(pauses) == 3


def test_without_a_browser_nobody_waits(pauses, monkeypatch):
    monkeypatch.setattr(routes, "are_served", lambda: False)
    AppTest.from_function(page).run()
    assert not pauses
