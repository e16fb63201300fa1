"""Train: cards and form from the catalogue, a chain of jobs, and every ending told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustering.cli import main
from clustering.errors import StudioError
from clustering.jobs import catalogue
from clustering.jobs.context import JobContext
from clustering.training.events import Epoch
from clustering.ui import training
from tests.pages.conftest import unfolded, words


def pressed(app, label):
    """Press the button with a label."""
    next(button for button in app.button if button.label == label).click()
    return app.run()


def control(app, kind, label):
    """Return the control with a label."""
    return next(widget for widget in app.get(kind) if widget.label == label)


def test_every_method_that_takes_pictures_has_a_card(workspace, visit):
    app = visit("train")
    for fold in ("more", "plain", "clustpy"):
        app.session_state[f"method-{fold}"] = True
    told = words(app.run()).replace("\\", "")
    for entry in catalogue.read(workspace.cache).methods.values():
        assert entry.title in told


def test_a_few_cards_stand_open_and_the_chosen_one_is_always_among_them(workspace, visit):
    app = visit("train")
    open_cards = {button.key for button in app.button if "-choose-" in (button.key or "")}
    assert open_cards == {f"method-choose-{name}" for name in ("dec", "idec", "delius")}
    app.session_state["method-plain"] = True
    app.run().button(key="method-choose-ward").click().run()
    app.session_state["method-plain"] = False
    app.run()
    assert app.button(key="method-choose-ward").label == "Chosen"


def test_three_questions_lead_to_a_short_list_and_a_click_on_it_selects_the_method(workspace, visit):
    app = unfolded(visit("train"), "method-guide")
    assert "The items are 40 works." in words(app)
    listed = [button.key for button in app.button if str(button.key).startswith("method-guide-")]
    assert 2 <= len(listed) <= 4
    assert "Plain k-means may do" in words(app)
    control(app, "button_group", "Do you know how many groups there are?").set_value("no").run()
    first = next(button for button in app.button if str(button.key).startswith("method-guide-"))
    assert (
        not catalogue.read(workspace.cache)
        .methods[first.key.removeprefix("method-guide-")]
        .info["needs_n_clusters"]
    )
    first.click().run()
    assert app.button(key=first.key).label == "Chosen"
    pressed(app, "Train")
    train = next(job for job in workspace.jobs() if job.kind == "train")
    assert train.parameters["method"] == first.key.removeprefix("method-guide-")


def test_methods_for_other_kinds_of_data_are_named_with_what_they_take(workspace):
    entries = catalogue.read(workspace.cache).methods

    def page(entries):
        from clustering.ui import methods

        methods.choose(entries, "table", 100, key="method")

    app = AppTest.from_function(page, args=(entries,)).run()
    told = words(app).replace("\\", "")
    assert "Not for this kind of collection: DELIUS (pictures, vectors)" in told


def test_methods_of_another_library_lie_in_a_fold_of_their_own_and_an_absent_one_is_a_line(workspace):
    entries = dict(catalogue.read(workspace.cache).methods)
    for name in [name for name, entry in entries.items() if entry.info["library"]]:
        del entries[name]
    info = entries["kmeans"].info | {"name": "clustpy_kmeans", "title": "Theirs", "library": "ClustPy"}
    entries["clustpy_kmeans"] = replace(entries["kmeans"], name="clustpy_kmeans", info=info)

    def page(entries):
        from clustering.ui import methods

        methods.choose(
            entries, "table", 100, key="method", absent=["Others are not installed: pip install x"]
        )

    app = AppTest.from_function(page, args=(entries,)).run()
    assert "1 method of ClustPy" in [fold.label for fold in app.expander]
    assert "Theirs" not in words(app)
    assert "Others are not installed: pip install x" in words(app).replace("\\", "")
    app.session_state["method-clustpy"] = True
    app.run().button(key="method-choose-clustpy_kmeans").click().run()
    assert app.button(key="method-choose-clustpy_kmeans").label == "Chosen"


def test_the_form_offers_what_the_method_takes(workspace, visit):
    app = unfolded(visit("train"), "train-dec-more")
    entry = catalogue.read(workspace.cache).methods["dec"]
    labels = {
        widget.label
        for kind in ("number_input", "selectbox", "text_input", "toggle")
        for widget in app.get(kind)
    }
    from clustering.ui.forms import title

    assert {title(parameter.name) for parameter in entry.parameters} <= labels


def test_training_queues_fit_map_and_quality_with_what_was_chosen(workspace, visit):
    app = visit("train")
    control(app, "number_input", "Groups").set_value(5)
    pressed(app, "Train")
    jobs = list(reversed(workspace.jobs()))
    assert [job.kind for job in jobs] == ["train", "project", "quality"]
    train = jobs[0]
    assert train.parameters["method"] == "dec"
    assert train.parameters["parameters"]["n_clusters"] == 5
    assert train.parameters["features"] == workspace.feature_sets()[0].id
    assert train.parameters["baselines"] == ["kmeans", "gaussian_mixture", "ward", "umap_gmm"]
    assert {job.after for job in jobs[1:]} == {train.id}


def test_seeds_are_asked_for_among_the_ordinary_settings(workspace, visit):
    app = visit("train")
    entry = catalogue.read(workspace.cache).methods["dec"]
    assert not next(parameter for parameter in entry.parameters if parameter.name == "n_init").advanced
    control(app, "number_input", "Seeds").set_value(5)
    pressed(app, "Train")
    train = next(job for job in workspace.jobs() if job.kind == "train")
    assert train.parameters["parameters"] == {"n_init": 5}
    assert "5 seeds train side by side" not in words(visit("train"))  # it waits for its worker


def test_views_are_offered_for_raw_pixels_of_squares_only(workspace, visit):
    app = unfolded(visit("train"), "train-dec-more")
    assert not control(app, "selectbox", "Views").disabled  # the features are pixels of squares
    control(app, "selectbox", "Views").set_value("affine").run()
    features = workspace.add_features(
        workspace.collections()[0].id,
        np.zeros((40, 30), np.float32),
        encoder="efficientnet-lite0",
        title="EfficientNet-Lite0",
        origin="Its weights travel with a package.",
        parameters={},
        key="others",
    )
    control(app.run(), "selectbox", "Features").set_value(features.id).run()
    assert control(app, "selectbox", "Views").disabled
    assert "Only for raw pixels of square pictures" in words(app)
    pressed(app, "Train")
    assert next(job for job in workspace.jobs() if job.kind == "train").parameters["parameters"] == {}


def test_a_chosen_card_decides_the_method(workspace, visit):
    app = visit("train")
    app.button(key="method-choose-idec").click().run()
    pressed(app, "Train")
    assert next(job for job in workspace.jobs() if job.kind == "train").parameters["method"] == "idec"


def test_a_training_is_found_again_by_a_new_visitor_and_can_be_paused_and_cancelled(workspace, visit):
    pressed(visit("train"), "Train")
    again = visit("train")
    assert "Train DEC" in words(again)
    pressed(again, "Cancel")
    train = next(job for job in workspace.jobs() if job.kind == "train")
    assert train.state == "cancelled"
    assert "Cancelled. Nothing was changed." in words(again)


def test_a_training_asked_for_on_the_command_line_is_watched_too(workspace, visit, capsys, monkeypatch):
    monkeypatch.setattr("clustering.jobs.supervisor.ensure_worker", lambda workspace: None)
    features = workspace.feature_sets()[0]
    where = ["--workspace", str(workspace.root), "--queue"]
    with pytest.raises(SystemExit):
        main(["train", features.id, "--method", "dec", "-k", "3", "--baselines", "ward", *where])
    train = workspace.job(capsys.readouterr().out.split()[-1])
    app = visit("train")
    assert f"**{train.title}** · " in words(app).replace("\\", "")
    pressed(app, "Cancel")
    assert workspace.job(train.id).state == "cancelled"


def test_a_failed_training_says_why_and_can_be_dismissed(workspace, visit):
    collection = workspace.collections()[0]
    job = workspace.submit(
        "train",
        {"collection": collection.id, "method": "dec", "baselines": []},
        title="Train DEC",
        worker_id="gone",
    )
    from clustering.jobs.queue import mark

    mark(workspace, job.id, "gone", "failed", problem="The disk is full.", mend="Free some space.")
    app = visit("train")
    told = words(app).replace("\\", "")
    assert "The disk is full." in told
    assert "Free some space." in told
    pressed(app, "Dismiss")
    assert "The disk is full." not in words(app)


def test_an_interrupted_training_offers_to_go_on(workspace, visit):
    collection = workspace.collections()[0]
    job = workspace.submit(
        "train",
        {"collection": collection.id, "method": "dec", "baselines": []},
        title="Train DEC",
        worker_id="dead-worker",
    )
    app = visit("train")
    assert workspace.job(job.id).state == "interrupted"
    pressed(app, "Resume")
    assert workspace.job(job.id).state == "queued"


@pytest.fixture
def failed(workspace):
    """A training and its map, failed for want of memory, with an offer."""
    from clustering.jobs.queue import mark

    run = workspace.runs()[0]
    wanted = {"collection": run.collection_id, "features": run.feature_id, "method": "dec", "baselines": []}
    wanted["parameters"] = {"batch_size": 256}
    job = workspace.submit("train", wanted, title="Train DEC", worker_id="gone")
    told = {"problem": "The memory is used up: batches of 256 items were too large.", "mend": "Take fewer."}
    mark(workspace, job.id, "gone", "failed", **told, offer={"batch_size": 128})
    return job


def test_a_training_too_large_for_the_memory_is_offered_again_with_half_the_batch(workspace, visit, failed):
    app = visit("train")
    assert "batches of 256 items were too large" in words(app).replace("\\", "")
    pressed(app, "Train again with batches of 128")
    assert not app.exception
    again = next(job for job in workspace.jobs() if job.kind == "train")
    assert again.id != failed.id
    assert (again.state, again.parameters["parameters"]) == ("queued", {"batch_size": 128})


def test_a_failed_job_can_be_tried_again_and_a_worker_is_seen_to(workspace, visit, failed, monkeypatch):
    seen = []
    app = visit("train")
    monkeypatch.setattr("clustering.ui.jobs.ensure_worker", lambda workspace: seen.append("a worker"))
    pressed(app, "Try again")
    assert workspace.job(failed.id).state == "queued"
    assert seen


@pytest.fixture
def running(workspace):
    """A training that this process holds as a worker, two epochs old."""
    from clustering.jobs.log import EventLog
    from clustering.jobs.queue import new_worker_id, register
    from clustering.training.events import Epoch

    wanted = {"collection": workspace.collections()[0].id, "method": "dec", "baselines": []}
    worker = register(workspace, new_worker_id())
    job = workspace.submit("train", wanted, title="Train DEC", worker_id=worker.id)
    log = EventLog(job.folder)
    back = "The training went back to its last good state with a lower rate."
    log.write(Epoch("pretrain", 1, 9, {"total": 1.0}, alarms=(back,)))
    log.write(Epoch("pretrain", 2, 9, {"total": 0.5}, alarms=("Group 2 holds no item.",)))
    log.close()
    return worker


def test_a_training_of_several_seeds_says_whose_picture_is_shown(workspace, visit, running):
    assert "side by side" not in words(visit("train"))
    wanted = {"collection": workspace.collections()[0].id, "method": "dec", "baselines": []}
    wanted["parameters"] = {"n_init": 5}
    job = workspace.submit("train", wanted, title="Train DEC", worker_id=running.id)
    context = JobContext(job.id, job.folder)
    for seed in (3, 4):
        context.emit(Epoch("pretrain", 1, 9, {"total": 1.0}, alarms=(f"Seed {seed} speaks.",), seed=seed))
    context.close()
    app = visit("train")
    assert "5 seeds train side by side. Picture and curves show seed 3, then another" in words(app)
    assert [warning.value for warning in app.warning] == ["Seed 3 speaks."]


def test_what_generators_make_stands_beside_the_moving_map(workspace, visit, running):
    from clustering.training.events import Generated, Snapshot
    from clustering.workspace.snapshots import keep_snapshot

    features = workspace.feature_sets()[0]
    wanted = {"collection": features.collection_id, "features": features.id, "baselines": []}
    job = workspace.submit("train", {**wanted, "method": "hcmgan"}, title="Train", worker_id=running.id)
    rows = np.arange(features.n_items)
    points = np.zeros((len(rows), 2), dtype=np.float32)
    near = np.array([[3, 3, 3, 1], [2, 5, 2, 5]])
    made = Generated(np.zeros((2, 4, 0), dtype=np.float32), near)
    seen = Snapshot("split 1", 1, rows, points, rows % 2, points[:, 0], points[:2], made)
    assert keep_snapshot(job.folder / "snapshots", seen).generated().nearest.tolist() == near.tolist()
    app = visit("train")
    assert not app.exception
    assert "What the generators make now" in words(app)
    assert "of 4 for each half the nearest real items are shown" in words(app)
    assert {"One half", "Other half"} <= {caption.value for caption in app.caption}


def test_what_a_training_had_to_say_stays_on_the_page(visit, running):
    app = visit("train")
    assert [warning.value for warning in app.warning] == ["Group 2 holds no item."]
    assert "Epoch 1: The training went back to its last good state" in words(app).replace("\\", "")


def test_a_worker_of_another_version_is_named(workspace, visit, running):
    from sqlalchemy import update

    from clustering.workspace.tables import WorkerRow

    assert "of version" not in words(visit("train"))
    with workspace.database.transaction() as session:
        session.execute(update(WorkerRow).values(version="0.0.9"))
    told = words(visit("train")).replace("\\", "")
    assert "A worker of version 0.0.9 is running" in told
    assert "Restart the studio" in told


def test_a_database_of_a_newer_version_is_refused_in_a_sentence(workspace, visit):
    import sqlite3

    workspace.close()
    with sqlite3.connect(workspace.root / "studio.db") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    app = visit("start")
    assert not app.exception
    assert "has format 99" in words(app).replace("\\", "")
    assert "Update Deep Clustering Studio" in words(app)


def test_a_database_held_by_another_program_is_a_sentence_and_nothing_is_lost(
    workspace, visit, running, monkeypatch
):
    import sqlite3

    monkeypatch.setattr("clustering.workspace.database.PATIENCE_MS", 200)
    app = visit("train")
    with sqlite3.connect(workspace.root / "studio.db", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        pressed(app, "Pause")
        assert not app.exception
        assert "database was busy" in words(app).replace("\\", "")
        lock.execute("ROLLBACK")
    pressed(app, "Pause")
    assert workspace.jobs()[0].request == "pause"


def test_more_groups_than_items_are_refused_before_anything_is_queued(workspace, visit):
    with pytest.raises(StudioError, match="41 groups were asked for, but the collection holds 40 items"):
        training.check_groups(41, 40)
    app = visit("train")
    control(app, "number_input", "Groups").set_value(41)
    pressed(app, "Train")
    assert not app.exception
    assert "41 groups" in words(app)
    assert not workspace.jobs()


def test_without_features_they_are_computed_first(workspace, visit):
    for run in workspace.runs():
        workspace.remove_run(run.id)
    for features in workspace.feature_sets():
        workspace.remove_features(features.id)
    app = visit("train")
    pressed(app, "Train")
    jobs = list(reversed(workspace.jobs()))
    assert [job.kind for job in jobs] == ["features", "train", "project", "quality"]
    assert jobs[1].after == jobs[0].id


def test_a_finished_training_leads_to_the_map(workspace, visit):
    from clustering.jobs.executors import Inline
    from tests.pages.conftest import SETTINGS

    run = workspace.runs()[0]
    wanted = {
        "collection": run.collection_id,
        "features": run.feature_id,
        "method": "dec",
        "parameters": SETTINGS,
        "baselines": [],
    }
    with Inline(workspace) as here:
        done = here.submit("train", wanted, title="Train DEC")
        here.submit("project", {"projection": "pca", "space": "latent"}, done.id)
    app = visit("train")
    assert any(button.label == "Explore the map" for button in app.button)
    assert "found" in words(app)


def test_a_finished_training_that_collapsed_says_so(workspace, visit):
    from clustering.jobs.executors import Inline
    from tests.pages.conftest import SETTINGS

    run = workspace.runs()[0]
    wanted = {"collection": run.collection_id, "features": run.feature_id, "method": "dec", "baselines": []}
    wild = SETTINGS | {"cluster_learning_rate": 1e4, "tolerance": 0}
    with Inline(workspace) as here:
        here.submit("train", wanted | {"parameters": wild}, title="Train DEC")
    said = " ".join(warning.value for warning in visit("train").warning)
    assert "no item" in said or "of all items" in said or "uniform" in said


def test_runs_are_listed_with_their_figures(workspace, visit):
    app = visit("train")
    table = next(frame.value for frame in app.dataframe if "Run" in frame.value)
    assert set(table["Run"]) == {"DEC", "k-means"}
    assert table["Silhouette, features"].notna().all()


def test_what_the_views_do_is_shown_on_eight_of_the_persons_own_works(workspace, visit):
    app = visit("train")
    app.session_state["_method"] = "cc"
    app.run()
    assert control(app, "slider", "Strength").value == 1.0
    assert not app.get("image")  # nothing is drawn before a person asks
    app = unfolded(app, "views-shown")
    assert len(app.get("image")) == 16  # each work beside one of its neighbours
    assert "one of its 10 nearest" in words(app)
    control(app, "selectbox", "Views").set_value("artworks").run()
    assert len(app.get("image")) == 16
    assert "draws another look every time" in words(app)
    app.button(key="views-look-again").click().run()
    assert app.session_state["views-again"] == 1
    control(app, "selectbox", "Views").set_value("noise").run()
    assert not app.get("image")
