"""What watching costs a training: the same fits with the worker's whole live view and without a listener.

    python benchmarks/live_view.py
    python benchmarks/live_view.py --data mnist.npz --pretrain 60 --cluster 20

Fits alternate in one process. The live view is the worker's own: events as JSON lines, status file, snapshots
of up to 20,000 items. Its seconds are counted where they are spent; those of the whole fits stand beside.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from data_sets import read

from clustering.jobs.context import JobContext
from clustering.methods import method
from clustering.training.events import Event
from clustering.training.snapshots import LiveView


class Watch:
    """Counts the seconds spent inside what it wraps, once where one calls the other."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def __call__(self, work):
        """Return ``work`` with a clock around it."""

        def timed(*arguments):
            self._depth += 1
            begun = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += time.perf_counter() - begun

        return timed


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", default="digits")
    asked.add_argument("--method", default="dec")
    asked.add_argument("--pretrain", type=int, default=60)
    asked.add_argument("--cluster", type=int, default=40)
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    x, _ = read(options.data, [])
    settings = {"pretrain_epochs": options.pretrain, "epochs": options.cluster, "tolerance": 0.0}
    seconds: dict[bool, list[float]] = {False: [], True: []}
    shares, snapshots = [], 0
    show = LiveView.show

    def fit(watched: bool) -> float:
        nonlocal snapshots
        model = method(options.method)(10, **settings)
        with tempfile.TemporaryDirectory() as folder:
            context = JobContext("benchmark", Path(folder))
            watch = Watch()
            LiveView.show = watch(show)
            heard = watch(context.also(lambda _: None))

            def emit(event: Event) -> bool | None:
                nonlocal snapshots
                snapshots += event.kind == "snapshot"
                return heard(event)

            begun = time.perf_counter()
            model.fit(x, emit=emit if watched else None)
            taken = time.perf_counter() - begun
            LiveView.show = show
            if watched:
                shares.append(watch.seconds / taken)
            return taken

    fit(False)  # libraries are loaded before the clock runs
    for number in range(options.rounds):
        for watched in (False, True) if number % 2 == 0 else (True, False):
            seconds[watched].append(fit(watched))
    blind, live = (statistics.median(seconds[watched]) for watched in (False, True))
    print(
        f"{options.method} on {options.data} {np.shape(x)}, {options.pretrain} + {options.cluster} epochs: "
        f"{snapshots // options.rounds} snapshots a fit\n"
        f"seconds a fit, median of {options.rounds}: {blind:.2f} unwatched, {live:.2f} watched\n"
        f"spent on the live view: {100 * max(shares):.2f} % of the fit at most (budget 2 %)"
    )


if __name__ == "__main__":
    main()
