"""A process is known by its machine, its number and its start; the wall clock has no say."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil

from clustering import processes


def test_this_process_runs_and_one_that_ended_does_not():
    assert processes.is_running(os.getpid(), processes.started(os.getpid()))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        began = processes.started(child.pid)
        assert processes.is_running(child.pid, began)
        assert not processes.is_running(child.pid, began + 5), "another process of that number"
        child.kill()
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert processes.started(child.pid) is None, "what is left of a process is no process"
        child.communicate()
    assert not processes.is_running(child.pid, began)


def test_a_clock_that_jumps_changes_no_start(monkeypatch):
    before = processes.started(os.getpid())
    real = psutil.boot_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: real + 6 * 3600)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert processes.started(os.getpid()) == before


def test_a_machine_that_was_switched_off_runs_nothing_of_before_and_another_may():
    machine, boot, rest = processes.host_id().split("/", 2)
    assert not processes.is_over(processes.host_id())
    assert processes.is_over(f"{machine}/before/{rest}")
    assert not processes.is_over(f"another/before/{rest}")
    assert not processes.is_over(f"{machine}/{boot}/another container"), "it may live, its heart will tell"
