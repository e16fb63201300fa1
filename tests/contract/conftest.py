"""Adds up how long the contract of each entry of a registry takes, against the budget of 20 s on one core."""

from __future__ import annotations

from collections import Counter

import pytest

BUDGET_SECONDS = 20
_seconds: Counter[str] = Counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    entry = getattr(item, "callspec", None) and item.callspec.params
    owner = entry and (entry.get("method") or entry.get("estimator") or entry.get("projection"))
    if hasattr(owner, "info"):
        report.user_properties.append(("registry entry", owner.info.name))
    return report


def pytest_runtest_logreport(report):
    for key, name in report.user_properties:
        if key == "registry entry":
            _seconds[name] += report.duration


def pytest_terminal_summary(terminalreporter):
    if not _seconds:
        return
    terminalreporter.section("seconds a contract suite")
    for name, seconds in _seconds.most_common():
        over = f"  over the budget of {BUDGET_SECONDS} s" if seconds > BUDGET_SECONDS else ""
        terminalreporter.write_line(f"{seconds:6.1f}  {name}{over}")
