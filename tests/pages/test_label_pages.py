"""Labels given by hand, without a browser: asked for, typed, skipped, undone, taken in, sorted by, judged."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustering.jobs import catalogue
from clustering.jobs.executors import Inline
from clustering.labelling import surest_items
from clustering.workspace import RunArrays
from tests.small_workspace import Small, make

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    found = make(tmp_path)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(found.workspace.root))
    monkeypatch.setattr("clustering.ui.jobs.ensure_worker", lambda workspace: None)
    return found


def opened(page: str, small: Small, budget: int = 3) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.session_state["labels-room"] = True
    app.session_state[f"label-budget-{small.collection}"] = budget
    return app.switch_page(f"pages/{page}.py").run()


def words(app: AppTest) -> str:
    found = [*app.markdown, *app.caption, *app.header, *app.subheader]
    return "\n".join(str(one.value).replace("\\", "") for one in found)


def surveyed(small: Small, budget: int = 3) -> None:
    with Inline(small.workspace) as here:
        assert here.submit("survey", {"features": small.features, "budget": budget}).state == "finished"


def counted_right(small: Small, run: str) -> int:
    """Count by hand which labels that were held back a run gets right."""
    held = small.workspace.run_details(run)["given"]["held_back"]
    labels, names = small.workspace.run_arrays(run).labels, small.workspace.cluster_names(run)
    return sum(names[int(labels[int(item)])] == text for item, text in held.items())


def type_label(app: AppTest, text: str) -> AppTest:
    app.text_input(key="label-text").set_value(text)
    return app.button(key="label-it").click().run()


def test_the_look_over_the_collection_is_a_job_and_its_answer_an_item_with_a_reason(small):
    app = opened("explore", small)
    assert not app.exception
    app.button(key="labels-look").click().run()
    (job,) = small.workspace.jobs()
    assert (job.kind, job.parameters) == ("survey", {"features": small.features, "budget": 3})
    with Inline(small.workspace) as here:
        here.submit(job.kind, job.parameters)
    small.workspace.request(job.id, "cancel")
    app = opened("explore", small)
    assert not app.exception
    assert re.search(r"Stands for \d works that have no label yet, ", words(app))


def test_a_run_of_usl_t_asks_about_what_it_is_surest_of_without_another_look(small):
    house, arrays = small.workspace, small.workspace.run_arrays(small.run)
    latents, centers = np.asarray(arrays.latents), np.asarray(arrays.centers)
    made = RunArrays(np.asarray(arrays.labels), np.asarray(arrays.soft_assignments), latents, centers)
    told = {"title": "USL-T", "family": "deep", "parameters": {"n_clusters": 3}, "seed": 0}
    run = house.add_run(small.features, made, method="usl_t", **told)
    house.remove_run(small.run)
    catalogue.write(house.cache)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.session_state["labels-room"] = True
    app.switch_page("pages/explore.py").run()
    assert not app.exception
    assert app.number_input(key=f"label-budget-{small.collection}").value == 3, "as many as it has groups"
    for _ in range(3):
        assert "Stands for 4 works that have no label yet, as the one this run is surest of" in words(app)
        type_label(app, "sea")
        assert not app.exception
    surest = [pick.item for pick in surest_items(house.run_arrays(run.id).soft_assignments)]
    assert list(house.labels(small.collection)) == surest
    app.button(key="labels-more").click().run()
    assert [job.kind for job in house.jobs()] == ["survey"], "further ones come from its features"


def test_enter_gives_the_label_and_goes_to_the_next_until_every_part_has_one(small):
    surveyed(small)
    app = opened("explore", small)
    asked = []
    for text in ("sea", "boat", "sea"):
        asked.append(app.subheader[0].value)
        type_label(app, text)
        assert not app.exception
    assert len(set(asked)) == 3
    labels = small.workspace.labels(small.collection)
    assert list(labels.values()) == ["sea", "boat", "sea"]
    assert "Every part of the collection that 3 labels reach has one" in words(app)
    assert "sea 2, boat 1" in words(app)
    assert app.button(key="labels-more").label == "Go on to 12"


def test_an_empty_label_is_refused_a_used_one_has_a_button_and_steps_are_undone(small):
    surveyed(small)
    app = type_label(opened("explore", small), "  ")
    assert "The label is empty" in words(app)
    assert small.workspace.labels(small.collection) == {}
    type_label(app, "sea")
    app.button(key="label-again-1").click().run()
    assert list(small.workspace.labels(small.collection).values()) == ["sea", "sea"]
    app.button(key="label-undo").click().run()
    app.button(key="label-undo").click().run()
    assert small.workspace.labels(small.collection) == {}
    assert app.button(key="label-undo").disabled


def test_what_is_skipped_is_not_asked_again(small):
    surveyed(small)
    app = opened("explore", small)
    before = app.subheader[0].value
    app.button(key="label-skip").click().run()
    assert app.subheader[0].value != before
    assert small.workspace.labels(small.collection) == {}


def test_labels_colour_the_map_and_selected_items_are_labelled_at_once(small):
    import numpy as np

    small.workspace.set_labels(small.collection, {0: "sea"})
    app = opened("explore", small)
    assert "Label by hand" in app.selectbox(key="explore-colour").options
    app.session_state["_basket"] = {small.collection: np.array([3, 4])}
    app.selectbox(key="explore-colour").set_value("label by hand").run()
    app.text_input(key="works-label").set_value("boat").run()
    app.button(key="works-label-it").click().run()
    assert not app.exception
    assert small.workspace.labels(small.collection) == {0: "sea", 3: "boat", 4: "boat"}


def test_the_card_of_an_item_shows_its_label_and_takes_another_or_none(small):
    small.workspace.set_labels(small.collection, {2: "sea"})
    app = opened("explore", small)
    app.session_state["explore-open"] = 2
    app.run()
    key = f"drawer-label-{small.collection}-2"
    assert app.text_input(key=key).value == "sea"
    app.text_input(key=key).set_value("boat").run()
    assert not app.exception
    assert small.workspace.labels(small.collection) == {2: "boat"}


def test_sorting_by_labels_makes_a_run_that_says_how_many_held_back_came_out_right(small):
    small.workspace.set_labels(small.collection, {item: "abc"[item % 3] for item in range(12)})
    app = opened("explore", small)
    assert "3 labels of 12 will be held back" in words(app)
    app.button(key="refine-go").click().run()
    jobs = small.workspace.jobs()
    *_, refine = jobs
    assert [(job.kind, job.after) for job in jobs] == [
        ("quality", refine.id), ("project", refine.id), ("refine", None),
    ]  # fmt: skip
    for job in jobs:
        small.workspace.request(job.id, "cancel")
    with Inline(small.workspace) as here:
        made = here.submit("refine", refine.parameters).result["run"]
    run = small.workspace.run(made)
    assert small.workspace.cluster_names(made) == {0: "a", 1: "b", 2: "c"}
    assert run.family == "labels"
    app = opened("explore", small)
    app.session_state["_run"] = made
    app.run()
    assert not app.exception
    right = counted_right(small, made)
    assert f"Learned from 9 labels. Of 3 held back, {right} came out right: {right / 3:.0%}" in words(app)
    app.switch_page("pages/quality.py").run()
    assert not app.exception


def test_quality_judges_a_run_by_ten_labels_and_says_so_before(small):
    small.workspace.set_quality(small.run, [], {})
    small.workspace.set_labels(small.collection, {item: "abc"[item % 3] for item in range(9)})
    with Inline(small.workspace) as here:
        here.submit("quality", {"run": small.run})
    assert "9 labels: from 10 on, of two kinds" in words(opened("quality", small))
    small.workspace.set_labels(small.collection, {9: "a"})
    app = opened("quality", small)
    assert not app.exception
    assert "Of the 10 items with a label only" in words(app)
    assert "1.000" in [metric.value for metric in app.metric]
