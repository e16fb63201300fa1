"""Find every class a package offers: one file, one class, one frozen `info`; nobody registers by hand."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from clustering.errors import StudioError


def discovered(package: ModuleType, base: type) -> dict[str, type[Any]]:
    """Return the classes of a package's modules that derive from ``base`` and carry their own ``info``.

    Returns
    -------
    dict of str to type
        By ``info.name``, sorted by ``info.order`` and then by name.
    """
    found: dict[str, type[Any]] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, base) and "info" in vars(value):
                found[value.info.name] = value  # type: ignore[attr-defined]
    return dict(sorted(found.items(), key=lambda entry: (entry[1].info.order, entry[0])))


def looked_up(entries: dict[str, type[Any]], name: str, what: str) -> type[Any]:
    """Return the entry called ``name``.

    Raises
    ------
    StudioError
        When there is none; the message lists what there is.
    """
    if name not in entries:
        raise StudioError(f"There is no {what} called “{name}”.", f"Choose one of: {', '.join(entries)}.")
    return entries[name]
