"""Pairs made by hand, without a browser: made in Explore, undone, counted in Train, judged in Quality."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.small_workspace import Small, make

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    found = make(tmp_path)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(found.workspace.root))
    return found


def opened(page: str, small: Small, chosen: list[int] = ()) -> AppTest:  # type: ignore[assignment]
    import numpy as np

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    if len(chosen):
        app.session_state["_basket"] = {small.collection: np.array(chosen)}
    return app.switch_page(f"pages/{page}.py").run()


def words(app: AppTest) -> str:
    found = [*app.markdown, *app.caption, *app.header]
    return "\n".join(str(one.value).replace("\\", "") for one in found)


def test_selected_items_are_said_to_belong_together_or_apart_and_the_last_step_is_undone(small):
    app = opened("explore", small, [0, 1, 2])
    app.button(key="hint-together").click().run()
    assert not app.exception
    (hint,) = small.workspace.hints(small.collection)
    assert (hint.together, hint.items) == (True, (0, 1, 2))
    assert "1 hint by hand, 0 kept by this run" in words(app)
    app.button(key="hint-apart").click().run()
    assert "cannot both belong together and be kept apart" in words(app)
    assert small.workspace.hints(small.collection) == [hint]
    app.session_state["hints-room"] = True
    app.run()
    assert "was trained without any" in words(app)
    app.button(key=f"hint-remove-{hint.id}").click().run()
    assert small.workspace.hints(small.collection) == []
    app.button(key="hint-undo").click().run()
    (again,) = small.workspace.hints(small.collection)
    assert again.items == hint.items
    app.button(key="hint-undo").click().run()
    assert small.workspace.hints(small.collection) == []


def test_one_item_makes_no_pair(small):
    app = opened("explore", small, [3])
    assert not [button for button in app.button if button.key == "hint-together"]


def test_explore_counts_the_pairs_a_run_keeps(small):
    workspace = small.workspace
    labels = workspace.run_arrays(small.run).labels
    same = [int(row) for row in (labels == labels[0]).nonzero()[0][:2]]
    workspace.add_hint(small.collection, same, together=True)
    workspace.add_hint(small.collection, [same[1], int((labels != labels[0]).nonzero()[0][0])], together=True)
    app = opened("explore", small)
    assert "2 hints by hand, 1 kept by this run" in words(app)


def test_quality_and_training_tell_of_the_pairs_and_which_method_heeds_them(workspace, visit):
    collection = workspace.collections()[0]
    run = next(run for run in workspace.runs(collection.id) if run.family == "deep")
    labels = workspace.run_arrays(run.id).labels.tolist()
    other = next(at for at, label in enumerate(labels) if label != labels[0])
    workspace.add_hint(collection.id, [0, other], together=True)
    app = visit("quality")
    assert not app.exception
    assert "Pairs made by hand" in words(app)
    (shown,) = [table.value for table in app.dataframe if "Said" in table.value]
    assert shown.iloc[0, :2].tolist() == ["broken", "belong together"]
    told = words(visit("train"))
    assert "1 hint (1 that belong together). DEC does not heed them; DMSC" in told
