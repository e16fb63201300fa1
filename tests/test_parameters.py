"""Parameters are written once; forms, command line and refusals are all read off them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt, Interval, Lt
from hypothesis import given
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.parameters import Meaning, Parameter, checked_parameters, parameters_of


class Kettle:
    def __init__(
        self,
        cups: Annotated[int, Interval(ge=1, le=8), Meaning("How many cups to boil.")] = 2,
        degrees: Annotated[float, Gt(0), Lt(101), Meaning("How hot.")] = 100.0,
        minutes: Annotated[int | None, Ge(1), Meaning("When to stop; empty waits.", advanced=True)] = None,
        whistle: Annotated[bool, Meaning("Make a sound.")] = True,
        colour: Annotated[Literal["red", "blue"], Meaning("What it looks like.")] = "red",
        label: Annotated[str, Meaning("What is written on it.")] = "",
        pours: Annotated[tuple[Annotated[int, Ge(1)], ...], Meaning("Sips a cup.")] = (3, 4),
    ) -> None:
        pass


@dataclass(frozen=True)
class TeapotInfo:
    title: str = "Aunt Ida's teapot"


class Teapot:
    info = TeapotInfo()

    def __init__(self, cups: Annotated[int, Meaning("How many.")] = 2) -> None:
        pass


def test_every_argument_becomes_a_parameter_in_written_order():
    assert parameters_of(Kettle) == (
        Parameter("cups", "int", 2, False, "How many cups to boil.", False, (), 1, 8),
        Parameter("degrees", "float", 100.0, False, "How hot.", False, (), 0, 101),
        Parameter("minutes", "int", None, True, "When to stop; empty waits.", True, (), 1, None),
        Parameter("whistle", "bool", True, False, "Make a sound.", False),
        Parameter("colour", "choice", "red", False, "What it looks like.", False, ("red", "blue")),
        Parameter("label", "text", "", False, "What is written on it.", False),
        Parameter("pours", "ints", (3, 4), False, "Sips a cup.", False),
    )


def test_good_values_are_converted_to_their_types():
    given_values = {"cups": "3", "degrees": np.float32(50), "minutes": None, "whistle": "true", "pours": [5]}
    found = checked_parameters(Kettle, given_values)
    assert found == {"cups": 3, "degrees": 50.0, "minutes": None, "whistle": True, "pours": (5,)}
    assert [type(value) for value in found.values()] == [int, float, type(None), bool, tuple]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("cups", 0, "a whole number from 1 to 8"),
        ("cups", 9, "a whole number from 1 to 8"),
        ("cups", 2.5, "a whole number from 1 to 8"),
        ("cups", "many", "a whole number from 1 to 8"),
        ("cups", None, "a whole number from 1 to 8"),
        ("degrees", 0, "a number above 0 and below 101"),
        ("degrees", float("nan"), "a number above 0 and below 101"),
        ("minutes", 0, "a whole number not below 1, or empty (None)"),
        ("whistle", "loud", "True or False"),
        ("colour", "green", "one of 'red', 'blue'"),
        ("label", 7, "text"),
        ("pours", [3, 0], "a list in which each is a whole number not below 1"),
        ("pours", 3, "a list in which each is a whole number not below 1"),
    ],
)
def test_bad_values_are_refused_in_a_sentence_that_names_parameter_value_and_range(name, value, allowed):
    with pytest.raises(StudioError) as refusal:
        checked_parameters(Kettle, {name: value})
    assert refusal.value.problem == f"Kettle: “{name}” is {value!r}, but it should be {allowed}."
    assert refusal.value.mend.startswith(f"Choose another value for “{name}”; ")
    assert refusal.value.mend.endswith(" is the usual one.")


def test_numbers_of_numpy_are_shown_as_plain_numbers():
    with pytest.raises(StudioError, match="“cups” is 9, but"):
        checked_parameters(Kettle, {"cups": np.int64(9)})


def test_a_class_with_an_entry_is_called_by_its_title():
    with pytest.raises(StudioError, match="Aunt Ida's teapot: “cups” is 'x'"):
        checked_parameters(Teapot, {"cups": "x"})


def test_an_unknown_parameter_is_refused_with_the_list_of_known_ones():
    with pytest.raises(StudioError) as refusal:
        checked_parameters(Kettle, {"cups": 1, "sugar": 2})
    assert refusal.value.problem == "Kettle has no parameter called “sugar”."
    assert refusal.value.mend == "It takes: cups, degrees, minutes, whistle, colour, label, pours."


@given(st.integers())
def test_a_whole_number_passes_exactly_when_it_is_in_range(cups):
    if 1 <= cups <= 8:
        assert checked_parameters(Kettle, {"cups": cups}) == {"cups": cups}
    else:
        with pytest.raises(StudioError, match=f"“cups” is {cups},"):
            checked_parameters(Kettle, {"cups": cups})


def test_an_argument_without_a_meaning_is_the_developers_mistake():
    class Silent:
        def __init__(self, cups: Annotated[int, Ge(1)] = 1) -> None:
            pass

    with pytest.raises(TypeError, match=r"Silent\.cups needs a Meaning"):
        parameters_of(Silent)


def test_a_type_no_form_can_show_is_the_developers_mistake():
    class Odd:
        def __init__(self, spoons: Annotated[dict, Meaning("Which.")] = ()) -> None:
            pass

    with pytest.raises(TypeError, match=r"Odd\.spoons has type .*dict.*no form can show"):
        parameters_of(Odd)
