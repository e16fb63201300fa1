"""Start: something to see at once, what the studio is doing meanwhile, and three ways on."""

from __future__ import annotations

from clustering.jobs.queue import mark
from clustering.ui import samples, welcome
from tests.pages.conftest import words


def test_three_doors_with_one_sentence_each(empty_workspace, visit):
    app = visit("start")
    told = words(app)
    for name, sentence, _, _ in welcome.DOORS:
        assert name in told
        assert sentence in told


def test_samples_are_asked_for_once(empty_workspace, monkeypatch):
    monkeypatch.setattr("clustering.ui.samples.ensure_worker", lambda workspace: None)
    samples.ensure(empty_workspace)
    samples.ensure(empty_workspace)
    asked = [job.parameters["name"] for job in reversed(empty_workspace.jobs())]
    assert asked == ["generated_gallery", "digits"]


def test_while_the_sample_is_made_the_page_says_how_far_it_is(empty_workspace, visit):
    empty_workspace.submit("sample", {"name": samples.FIRST}, title="Sample: generated gallery")
    app = visit("start")
    assert not app.exception
    assert app.title[0].value == "A map of 600 pictures"
    assert app.get("progress")


def test_a_sample_that_failed_says_why(empty_workspace, visit):
    job = empty_workspace.submit("sample", {"name": samples.FIRST}, title="Sample", worker_id="gone")
    mark(empty_workspace, job.id, "gone", "failed", problem="The disk is full.", mend="Free some space.")
    told = words(visit("start")).replace("\\", "")
    assert "The disk is full." in told
    assert "Free some space." in told


def test_a_finished_collection_opens_on_its_map(workspace, visit):
    app = visit("start")
    assert app.title[0].value == "A map of Forty pictures"
    assert "DEC found" in words(app)


def test_a_door_opens(workspace, visit):
    app = visit("start")
    app.button(key="door-quality").click().run()
    assert app.title[0].value == "Quality of DEC"


def test_what_a_new_visitor_sees_is_read_before_the_visit(workspace):
    from clustering.ui import explore_state, house, state

    house._open_first(state.workspace())
    record, run = workspace.collections()[0], state.newest(workspace.runs())
    groups = explore_state.shown(record, run).groups
    assert {"medoids", "confidence"} <= set(vars(groups))  # worked out already


def test_before_the_first_collection_there_is_nothing_to_read(empty_workspace):
    from clustering.ui import house, state

    house._open_first(state.workspace())
