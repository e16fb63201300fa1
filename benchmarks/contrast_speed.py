"""How much of its network's bare speed does learning from views keep? CC's steps beside the network alone.

    python benchmarks/contrast_speed.py --batches 256 1024
    python benchmarks/contrast_speed.py --data cifar10_3k.npz --precisions bfloat16 --parts

In one process, alternating, on coloured pictures of 32 × 32 that lie on the graphics card (drawn at random,
or those of a file): ``CC`` is the whole step of a fit as the studio runs it (rows picked, two views made on
the card, the network on each by its own statistics, both heads, both losses, backward, Adam); ``bare`` is
forward and backward of the same network up to its features, on as many pictures in the same precision, memory
format and two halves, with nothing else; ``bare, one batch`` the same with both halves in one. All are
recorded in a graph and replayed, unless ``--eager``. Pictures a second count both views. Medians of several
windows, after a warm-up; the clock is read when the card is done.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from data_sets import read

from clustering.methods.cc import CC
from clustering.training.capture import Replayed
from clustering.training.data import Data
from clustering.training.step import Step, products_in

SIDE, CHANNELS = 32, 3
STEPS = 50  # in a window

Work = Callable[[], None]


class Contest:
    """CC's step and the bare network, made once for a batch size and a precision.

    Parameters
    ----------
    pictures : float32 array (n, d)
    batch, precision, eager, backbone
        As asked on the command line.
    """

    def __init__(
        self, pictures: np.ndarray, batch: int, precision: str, eager: bool, backbone: str = "small"
    ) -> None:
        self.device, self.batch, self.precision, self.eager = torch.device("cuda"), batch, precision, eager
        self.data = Data(pictures, self.device)
        method = CC(
            10, views="photographs", batch_size=batch, precision=precision, device="cuda", backbone=backbone
        )
        drawn = torch.Generator().manual_seed(0)
        self.generator = torch.Generator(self.device).manual_seed(0)
        self.network = method.setup(pictures.shape[1], drawn).to(self.device)
        (self.phase,) = method.phases(self.network, self.data)
        self.phase.begin()
        self.rows = torch.randint(len(pictures), (STEPS, batch), generator=drawn).to(self.device)
        self.method = method

    def cc(self) -> Work:
        """Return what takes a window of CC's steps."""
        optimiser = self.phase.optimiser.build(self.phase.parameters, self.device)
        step = Step(
            self.phase.taken, optimiser, {}, self.data, self.generator, self.precision, capture=not self.eager
        )
        return lambda: step.run(self.rows)

    def bare(self, parts: int) -> Work:
        """Return what runs the network forward and backward on two batches, in so many parts."""
        views = self.data.take(self.rows[0]).repeat(2, 1).chunk(parts)
        parameters = [*self.network.trunk.parameters(), *self.network.last.parameters()]

        def work() -> None:
            for parameter in parameters:
                parameter.grad = None
            with self.formats():
                features = [self.network.learn(view) for view in views]
            torch.autograd.backward(features, [torch.ones_like(each) for each in features])

        return self.repeated(work, parameters)

    def views(self) -> Work:
        """Return what only makes the two views of a batch."""
        from clustering.methods.viewing import Viewing
        from clustering.training.step import Batch

        viewing = Viewing(self.data, self.method.views, self.method.strength)
        batch = Batch(self.data.take(self.rows[0]), self.rows[0], {}, self.generator)

        def work() -> None:
            with self.formats(), torch.no_grad():
                viewing.pair(batch, self.network.neighbours)

        return self.repeated(work, list(self.network.parameters()))

    def formats(self) -> torch.autocast:
        """Return the number format of the precision, as a step has it."""
        return torch.autocast(
            "cuda", torch.bfloat16, enabled=self.precision == "bfloat16", cache_enabled=False
        )

    def repeated(self, work: Work, parameters: list[torch.nn.Parameter]) -> Work:
        """Return a window of the work, recorded unless eager."""
        replayed = Replayed(torch.optim.SGD(parameters), self.device, self.generator)

        def window() -> None:
            with products_in(self.precision):
                for _ in range(STEPS):
                    if self.eager:
                        work()
                    else:
                        replayed(work)

        return window


def seconds(work: Work) -> float:
    """Return how long a window takes until the card has done it."""
    torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


def measured(contest: Contest, windows: int, parts: bool) -> dict[str, tuple[float, float]]:
    """Return milliseconds a step and the most memory (GiB) in one, by name."""
    made = {"CC": contest.cc(), "bare": contest.bare(2), "bare, one batch": contest.bare(1)}
    if parts:
        made["views"] = contest.views()
    memory = {}
    for name, work in made.items():  # kernels are chosen and graphs recorded before the clock runs
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        work()
        torch.cuda.synchronize()
        memory[name] = (torch.cuda.max_memory_allocated() - before) / 2**30
    taken: dict[str, list[float]] = {name: [] for name in made}
    for number in range(windows):
        for name in list(made) if number % 2 == 0 else list(made)[::-1]:
            taken[name].append(seconds(made[name]) / STEPS)
    return {name: (1e3 * statistics.median(taken[name]), memory[name]) for name in made}


def kernels(work: Work) -> str:
    """Return which kernels a window spends its time in."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        work()
        torch.cuda.synchronize()
    return seen.key_averages().table(sort_by="cuda_time_total", row_limit=25, max_name_column_width=90)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a .npz of 32 × 32 pictures in x; else pictures drawn at random")
    parser.add_argument("--batches", nargs="+", type=int, default=[256, 1024])
    parser.add_argument("--precisions", nargs="+", default=["tf32", "bfloat16"])
    parser.add_argument("--backbones", nargs="+", default=["small"])
    parser.add_argument("--windows", type=int, default=9)
    parser.add_argument("--eager", action="store_true", help="without graphs")
    parser.add_argument("--parts", action="store_true", help="also making the two views alone")
    parser.add_argument("--kernels", action="store_true", help="say where the time of a step goes")
    asked = parser.parse_args()
    if asked.data:
        pictures = read(asked.data, [])[0]
    else:
        pictures = np.random.default_rng(0).random((10_000, CHANNELS * SIDE**2), np.float32)
    print(
        f"{asked.data or 'random'} {len(pictures):,} × {pictures.shape[1]}, "
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, "
        f"{'eager' if asked.eager else 'recorded and replayed'}, {asked.windows} windows of {STEPS} steps\n\n"
        "| network | precision | batch | what | ms a step | pictures a second | share of bare | GiB |\n"
        + "|---" * 8
        + "|"
    )
    for backbone, precision, batch in product(asked.backbones, asked.precisions, asked.batches):
        contest = Contest(pictures, batch, precision, asked.eager, backbone)
        found = measured(contest, asked.windows, asked.parts)
        for name, (taken, memory) in found.items():
            print(
                f"| {backbone} | {precision} | {batch:,} | {name} | {taken:.3f} "
                f"| {2e3 * batch / taken:,.0f} | {found['bare'][0] / taken:.2f} | {memory:.2f} |",
                flush=True,
            )
        if asked.kernels:
            print(kernels(contest.cc()))


if __name__ == "__main__":
    main()
