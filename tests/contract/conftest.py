"""Adds up what the contract of each entry of a registry costs, against the budget of 20 s on one core.

Processor seconds are counted, so a busy machine does not make a method look slow. The first method that needs
an engine also pays for importing and compiling it.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest

BUDGET_SECONDS = 20
PROPERTY = "processor seconds of a registry entry"
_begun: dict[str, float] = {}
_seconds: Counter[str] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    _begun[item.nodeid] = time.process_time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    entry = getattr(item, "callspec", None) and item.callspec.params
    owner = entry and (entry.get("method") or entry.get("estimator") or entry.get("projection"))
    if call.when == "teardown" and hasattr(owner, "info"):
        spent = time.process_time() - _begun.pop(item.nodeid)
        report.user_properties.append((PROPERTY, (owner.info.name, spent)))
    return report


def pytest_runtest_logreport(report):
    for key, value in report.user_properties:
        if key == PROPERTY and report.when == "teardown":
            name, spent = value
            _seconds[name] += spent


def pytest_terminal_summary(terminalreporter):
    if not _seconds:
        return
    terminalreporter.section("processor seconds a contract suite")
    for name, seconds in _seconds.most_common():
        over = f"  over the budget of {BUDGET_SECONDS} s" if seconds > BUDGET_SECONDS else ""
        terminalreporter.write_line(f"{seconds:6.1f}  {name}{over}")
