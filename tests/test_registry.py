"""A new file in a package is found by itself, in order, under its own name."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass

import pytest

from clustering.errors import StudioError
from clustering.registry import discovered, looked_up


@dataclass(frozen=True)
class Info:
    name: str
    order: int = 100


class Tool:
    pass


MODULES = {
    "hammer": "info = Info('hammer', 20)",
    "saw": "info = Info('saw', 10)",
    "axe": "info = Info('axe', 20)",
    "unfinished": "pass",
}


@pytest.fixture
def shed(tmp_path, monkeypatch):
    """A package with one module a tool, and one that imports another's tool."""
    folder = tmp_path / "shed_of_tools"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for name, body in MODULES.items():
        head = "from test_registry import Info, Tool\n"
        (folder / f"{name}.py").write_text(f"{head}class {name.title()}(Tool):\n    {body}\n")
    (folder / "borrower.py").write_text(
        "from shed_of_tools.saw import Saw\nclass Handle(Saw):\n    'inherits info, has none of its own'\n"
        "class Stranger:\n    info = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "test_registry", sys.modules[__name__])
    yield importlib.import_module("shed_of_tools")
    for name in [name for name in sys.modules if name.startswith("shed_of_tools")]:
        del sys.modules[name]


def test_classes_with_their_own_entry_are_found_by_order_and_then_by_name(shed):
    found = discovered(shed, Tool)
    assert list(found) == ["saw", "axe", "hammer"]
    assert found["saw"].__name__ == "Saw"


def test_a_name_that_exists_is_looked_up(shed):
    assert looked_up(discovered(shed, Tool), "axe", "tool").__name__ == "Axe"


def test_a_name_that_does_not_exist_is_refused_with_the_list_of_those_that_do(shed):
    with pytest.raises(StudioError) as refusal:
        looked_up(discovered(shed, Tool), "sword", "tool")
    assert refusal.value.problem == "There is no tool called “sword”."
    assert refusal.value.mend == "Choose one of: saw, axe, hammer."
