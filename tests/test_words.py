"""Numbers and moments as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clustering import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3540, "59 min"),
        (3599, "1 h"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds, said):
    assert words.duration(seconds) == said


def test_distances_from_now():
    now = datetime.now(UTC)
    assert words.ago(now.isoformat()) == "just now"
    assert words.ago((now - timedelta(minutes=5)).isoformat()) == "5 min ago"
    assert words.ago("2026-05-03T10:00:00+00:00") == "3 May 2026"
    assert words.ago("not a moment") == "not a moment"


def test_figures_and_counts():
    assert words.figure(0.12345) == "0.123"
    assert words.figure(-0.0001) == "0.000"
    assert words.figure(None) == words.figure(float("nan")) == "–"
    assert words.figure(12345.6) == "12,346"
    assert words.several(1, "work") == "1 work"
    assert words.several(2557, "work") == "2,557 works"
