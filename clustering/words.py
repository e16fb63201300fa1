"""Numbers and moments as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

KINDS = {"deep": "deep", "baseline": "plain", "labels": "from labels"}  # families of runs


def duration(seconds: float | None) -> str:
    """Return seconds in words: ``"40 s"``, ``"3 min"``, ``"2 h 5 min"``; empty when nobody can tell."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def ago(created: str) -> str:
    """Return an ISO moment as a distance from now: ``"just now"``, ``"12 min ago"``, ``"3 May 2026"``."""
    try:
        then = datetime.fromisoformat(created)
    except ValueError:
        return created
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = (datetime.now(UTC) - then).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 86_400:
        return f"{duration(seconds)} ago"
    return f"{then.day} {then:%B %Y}"


def figure(value: float | None, digits: int = 3) -> str:
    """Return a measured value with a fixed number of digits, or a dash where there is none."""
    if value is None or value != value:
        return "–"
    value = round(value, digits) + 0.0  # never “-0.000”
    return f"{value:.{digits}f}" if abs(value) < 1000 else f"{value:,.0f}"


def several(count: int, one: str, many: str = "") -> str:
    """Return a count with its word: ``"1 work"``, ``"2,557 works"``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
