"""The soak script, for a minute's patience: random kills, and the same labels in the end."""

from __future__ import annotations

import os
import subprocess
import sys

from house import ROOT


def test_a_training_killed_at_random_moments_ends_bit_by_bit_as_an_unbroken_one(tmp_path):
    options = ["--kills", "2", "--seed", "3", "--folder", str(tmp_path / "workspace")]
    command = [sys.executable, "benchmarks/soak.py", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| 2 | " in done.stdout
    assert "1 of 1 jobs" in done.stdout
