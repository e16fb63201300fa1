"""Forms from annotations: every kind of parameter has its control, and only what was chosen is told."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from clustering.errors import StudioError
from clustering.parameters import Parameter
from clustering.ui import forms


def parameter(name, kind, default, **more):
    values = {"optional": default is None, "meaning": "What it does.", "advanced": False, **more}
    return Parameter(name=name, kind=kind, default=default, **values)


PARAMETERS = (
    parameter("n_clusters", "int", 10, minimum=2),
    parameter("pretrain_epochs", "int", None, minimum=1),
    parameter("learning_rate", "float", 0.01, minimum=0.0, advanced=True),
    parameter("shuffle", "bool", True, advanced=True),
    parameter("profile", "choice", "paper", choices=("paper", "fast")),
    parameter("hidden_dims", "ints", (500, 2000), advanced=True),
    parameter("weights", "text", "", advanced=True),
    parameter("backbone", "text", "small", choices=("small", "resnet18"), advanced=True),
)


def page():
    import streamlit as st

    from clustering.ui import forms
    from tests.ui.test_forms import PARAMETERS

    st.session_state["told"] = forms.form(PARAMETERS, key="form")


def opened():
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception, app.exception
    return app


def test_untouched_controls_tell_nothing():
    assert opened().session_state["told"] == {}


def unfolded():
    app = opened()
    app.session_state["form-more"] = True  # as a click on the expander leaves it
    return app.run()


def test_settings_that_are_folded_away_are_not_drawn_and_keep_what_was_chosen():
    app = unfolded()
    app.number_input(key="form-learning_rate").set_value(0.25)
    app.toggle(key="form-shuffle").set_value(False)
    app.text_input(key="form-hidden_dims").set_value("64, 32")
    app.run()
    app.session_state["form-more"] = False
    app.run()
    assert [widget.key for widget in app.number_input] == ["form-n_clusters", "form-pretrain_epochs"]
    told = app.session_state["told"]
    assert told == {"learning_rate": 0.25, "shuffle": False, "hidden_dims": (64, 32)}


def test_every_kind_is_read_back_in_its_type():
    app = unfolded()
    app.number_input(key="form-n_clusters").set_value(7)
    app.number_input(key="form-pretrain_epochs").set_value(3)
    app.number_input(key="form-learning_rate").set_value(0.25)
    app.toggle(key="form-shuffle").set_value(False)
    app.selectbox(key="form-profile").set_value("fast")
    app.text_input(key="form-hidden_dims").set_value("64, 32")
    app.run()
    told = app.session_state["told"]
    assert told == {
        "n_clusters": 7,
        "pretrain_epochs": 3,
        "learning_rate": 0.25,
        "shuffle": False,
        "profile": "fast",
        "hidden_dims": (64, 32),
    }
    assert type(told["n_clusters"]) is int


def test_a_text_with_suggestions_is_chosen_or_written():
    app = unfolded()
    field = app.selectbox(key="form-backbone")
    assert field.options == ["small", "resnet18"]
    field.set_value("resnet18").run()
    assert app.session_state["told"] == {"backbone": "resnet18"}
    app = opened()
    app.session_state["form-backbone"] = "vit_tiny"  # as writing it leaves it
    for unfolded_now in (False, True, False):
        app.session_state["form-more"] = unfolded_now
        assert app.run().session_state["told"] == {"backbone": "vit_tiny"}
        assert not app.exception


@pytest.mark.parametrize("text", ["500, x", "0", "-3", ","])
def test_widths_that_are_no_numbers_are_refused_in_a_sentence(text):
    with pytest.raises(StudioError, match="should be whole numbers"):
        forms._ints(parameter("hidden_dims", "ints", (500,)), text)


def test_labels_are_words_a_person_knows():
    assert forms.title("n_clusters") == "Groups"
    assert forms.title("update_interval") == "Update interval"
