"""Titles as such pictures carry them, filled in with what is true of each."""

from __future__ import annotations

from clustering.collections.samples.gallery.colours import striking_colours
from clustering.collections.samples.gallery.manner import Series

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh"),
    *("eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth"),
)
_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def titled(
    series: Series, number: int, place: int, share: float, colours: list[tuple[str, str, float]], shapes: int
) -> str:
    """Return a picture's title.

    Parameters
    ----------
    series : Series
    number : int
        Running number within the manner.
    place : int
        Place in the series, from 1.
    share : float
        How far through the series, 0 to 1.
    colours : list of (name, hex, share)
        Computed from the picture.
    shapes : int
        Counted while painting.
    """
    names = striking_colours(colours)
    text = series.title.format(
        number=number,
        place=place,
        ordinal=_ORDINALS[place - 1],
        roman=roman(place),
        hour=clock(float(series.settings_at(share).get("hour", 0.5))),
        colours=" and ".join(names),
        first_colour=names[0],
        shapes=f"{shapes:,}",
    )
    return text[0].upper() + text[1:]


def roman(number: int) -> str:
    """Return a number up to 39 in Roman numerals."""
    text = ""
    for value, letters in _ROMAN:
        while number >= value:
            text += letters
            number -= value
    return text


def clock(hour: float) -> str:
    """Return the time of day for 0 (five in the morning) to 1 (eleven at night)."""
    time = round(5 + 18 * hour)
    if time == 12:
        return "noon"
    part = "in the morning" if time < 12 else "in the afternoon" if time < 18 else "in the evening"
    return f"{time if time < 12 else time - 12} {part}" if time < 22 else f"{time - 12} at night"
