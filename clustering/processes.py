"""Tell processes apart, whatever the wall clock does: by machine, number, and start counted from boot."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


@cache
def host_id() -> str:
    """Return a name for the place where a process number means something.

    That is the machine since it was last switched on, or a container on it.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{_machine()}/{boot}/{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115  # no path but a name
    except OSError:
        return _machine()


def is_over(host: str) -> bool:
    """Return whether a place is this very machine before it was last switched on: nothing runs there."""
    (machine, _, boot), (here, _, now) = (name.partition("/") for name in (host, host_id()))
    return bool(boot and now) and machine == here and boot.split("/")[0] != now.split("/")[0]


def _machine() -> str:
    """Return the machine's name with what tells it from others of that name."""
    try:
        number = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()
    return f"{platform.node()}-{number[:12]}"


def started(pid: int) -> float | None:
    """Return when a process began; None when there is none of that number, or only what is left of one.

    On Linux in seconds since boot: a wall clock that jumps changes nothing. Elsewhere as the system tells.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return _started_elsewhere(pid) if not Path("/proc/self/stat").exists() else None
    except (ProcessLookupError, PermissionError):
        return None
    state, *fields = told[told.rindex(")") + 2 :].split()  # the name before may hold anything
    return None if state in "ZX" else int(fields[18]) / os.sysconf("SC_CLK_TCK")


def is_running(pid: int, began: float) -> bool:
    """Return whether the very process that began then still runs; numbers are used again."""
    moment = started(pid)
    return moment is not None and abs(moment - began) < 0.05


def _started_elsewhere(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
