"""Titles of people and of methods are shown as they are written."""

from __future__ import annotations

from clustering.ui import trouble


def test_no_letter_of_a_title_becomes_markup():
    wicked = "<b>*_`[x](javascript:1)`</b> :material/home: $x$ # | ~"
    plain = trouble.plain(wicked)
    assert plain.replace("\\", "") == wicked
    assert all(plain[at - 1] == "\\" for at, letter in enumerate(plain) if letter in "<*_`[:$")
