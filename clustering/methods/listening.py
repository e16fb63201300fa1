"""Progress bars of another library, heard: their epochs become ours, and they can be asked to stop."""

from __future__ import annotations

import contextlib
import io
import math
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

Heard = Callable[[int, int, int, dict[str, float]], bool]  # bar, step, steps, losses → stop?


class Bars:
    """Stands in for ``tqdm`` in the modules of a library while it works.

    Parameters
    ----------
    heard : callable
        Told of every step of every bar; returning True lets the loops over bars end early.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard, self._begun, self.stopped = heard, 0, False

    @contextlib.contextmanager
    def instead_of_tqdm(self, library: str) -> Iterator[None]:
        """Replace ``tqdm`` in the library's loaded modules, and keep what it prints to ourselves."""
        stand_in = SimpleNamespace(trange=lambda *a, **k: self._bar(range(*a), k), tqdm=self._any)
        homes = [
            module
            for name, module in list(sys.modules.items())
            if name.split(".")[0] == library and hasattr(module, "tqdm")
        ]
        before = [module.tqdm for module in homes]
        for module in homes:
            module.tqdm = stand_in  # type: ignore[attr-defined]
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        finally:
            for module, tqdm in zip(homes, before, strict=True):
                module.tqdm = tqdm  # type: ignore[attr-defined]

    def _any(self, iterable: Any = None, **settings: Any) -> _Bar:
        return self._bar(iterable, settings)

    def _bar(self, iterable: Any, settings: dict[str, Any]) -> _Bar:
        self._begun += 1
        total = settings.get("total") or (len(iterable) if hasattr(iterable, "__len__") else 0)
        return _Bar(self, self._begun - 1, iterable, int(total))

    def _step(self, bar: int, step: int, steps: int, losses: dict[str, float]) -> None:
        self.stopped = self._heard(bar, step, steps, losses) or self.stopped


class _Bar:
    """One bar: iterated, or moved on by hand."""

    def __init__(self, bars: Bars, number: int, iterable: Any, steps: int) -> None:
        self._bars, self._number, self._iterable, self._steps = bars, number, iterable, steps
        self._done = 0
        self._losses: dict[str, float] = {}

    def __iter__(self) -> Iterator[Any]:
        for value in self._iterable:
            if self._bars.stopped:
                return
            yield value
            self.update()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def set_postfix(self, told: Any = None, **more: Any) -> None:
        """Take the first loss a bar would show as the total."""
        for name, value in {**(told or {}), **more}.items():
            if "loss" in str(name).lower() and isinstance(value, int | float) and math.isfinite(value):
                self._losses = {"total": float(value)}
                return

    def update(self, steps: int = 1) -> None:
        """Move on."""
        self._done += steps
        self._bars._step(self._number, self._done, self._steps, self._losses)

    def reset(self, total: int | None = None) -> None:
        """Begin again."""
        self._done, self._steps = 0, total or self._steps

    def close(self) -> None:
        """End."""

    def set_description(self, *_: Any, **__: Any) -> None:
        """Say something no one reads."""
