"""The Explore page without a browser: its four states, and what a gesture on the map changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustering.jobs import catalogue
from clustering.ui import place
from clustering.workspace import Workspace
from tests.small_workspace import WICKED, Small, make

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    found = make(tmp_path)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(found.workspace.root))
    assert place.workspace_root() == found.workspace.root
    return found


def opened(**session: Any) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.run()
    app.switch_page("pages/explore.py").run()
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def words(app: AppTest) -> str:
    found = [*app.markdown, *app.caption, *app.title, *app.header, *app.subheader, *app.text]
    return "\n".join(str(one.value) for one in found)


def gesture(small: Small, mode: str, items: list[int], token: str = "t") -> dict[str, Any]:
    """Return what the browser sends for small boxes around some items, one after the other."""
    positions = small.workspace.map(small.projection)
    corners = []
    for x, y in positions[items].astype(float):
        corners += [x - 0.01, y - 0.01, x + 0.01, y - 0.01, x + 0.01, y + 0.01, x - 0.01, y + 0.01]
    return {"gesture": {"token": token, "mode": mode, "polygon": corners, "hidden": []}}


def test_without_a_collection_the_page_says_what_it_will_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path))
    app = opened()
    assert not app.exception
    assert "There is no collection yet." in words(app)
    assert any(button.label == "Bring a collection" for button in app.button)


def test_without_a_run_the_page_leads_to_training(small: Small) -> None:
    small.workspace.remove_run(small.run)
    app = opened()
    assert not app.exception
    assert "has not been grouped yet" in words(app)


def test_a_run_is_shown_with_its_honesty_and_its_groups(small: Small) -> None:
    app = opened()
    assert not app.exception
    html = "\n".join(str(one.value) for one in app.get("html"))
    assert "0.93" in html
    assert "Trustworthiness" in html
    assert "scikit-learn on CPU" in words(app)
    assert "Groups" in words(app)
    assert "12 items" in words(app)


def test_a_lasso_selects_and_is_applied_once(small: Small) -> None:
    app = opened(explore=gesture(small, "replace", [4]))
    assert not app.exception
    assert "1 work selected" in words(app)
    app.run()
    assert "1 work selected" in words(app)
    app.session_state["explore"] = gesture(small, "add", [7], token="u")
    app.run()
    assert app.session_state["_basket"][small.collection].tolist() == [4, 7]
    app.session_state["explore"] = gesture(small, "clear", [], token="v")
    app.run()
    assert len(app.session_state["_basket"][small.collection]) == 0


def test_filtered_items_are_not_selected(small: Small) -> None:
    everything = {
        "token": "t",
        "mode": "replace",
        "polygon": [-99, -99, 99, -99, 99, 99, -99, 99],
        "hidden": [1],
    }
    app = opened(**{f"filter-{small.collection}-artist": ["Anna"], "explore": {"gesture": everything}})
    assert not app.exception
    chosen = app.session_state["_basket"][small.collection]
    labels = small.workspace.run_arrays(small.run).labels
    assert chosen.tolist() == [i for i in range(12) if i % 2 == 0 and labels[i] != 1]
    assert "**6** of 12 items" in words(app)


def test_filters_tell_how_many_items_they_leave(small: Small) -> None:
    app = opened()
    artist = next(one for one in app.multiselect if one.label == "Artist")
    assert artist.options == ["Anna (6)", "Bo (6)"]
    group = next(one for one in app.multiselect if one.label == "Group")
    group.set_value([0]).run()
    artist = next(one for one in app.multiselect if one.label == "Artist")
    assert artist.options == ["Anna (2)", "Bo (2)"]
    next(one for one in app.button if one.label == "Clear filters").click().run()
    assert not app.exception
    assert "**" not in next(str(one.value) for one in app.markdown if "12 items" in str(one.value))


def test_a_click_opens_the_drawer_with_words_as_words(small: Small) -> None:
    app = opened(explore={"clicked": {"token": "c", "index": 0}})
    assert not app.exception
    html = "\n".join(str(one.value) for one in app.get("html"))
    for title in ("Nearest in features", "Nearest in latent space", "Nearest on the map"):
        assert title in html
    assert "Of its ten nearest in the features" in words(app)
    assert WICKED not in html
    assert "soft assignment q" in html


def test_a_click_on_an_item_that_is_none_does_nothing(small: Small) -> None:
    for index in (99, -1, "0", 2.5):
        app = opened(explore={"clicked": {"token": f"c{index}", "index": index}})
        assert not app.exception
        assert "Nearest in latent space" not in "\n".join(str(one.value) for one in app.get("html"))


@pytest.mark.parametrize("sent", ["nonsense", {"gesture": 7}, {"gesture": {"mode": "add", "polygon": ["x"]}}])
def test_nonsense_from_the_browser_changes_nothing(small: Small, sent: object) -> None:
    app = opened(explore=sent if isinstance(sent, dict) else {"gesture": sent})
    assert not app.exception
    assert "selected" not in "\n".join(str(one.value) for one in app.subheader)


@pytest.mark.parametrize("colour", ["Confidence", "artist", "year"])
def test_the_map_is_coloured_by_anything(small: Small, colour: str) -> None:
    app = opened()
    app.selectbox(key="explore-colour").set_value(colour).run()
    assert not app.exception
    assert "trouble" not in words(app).lower()


TRUST = np.array([0, 0.25, 0.5, 0.75, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, np.nan], dtype=np.float32)


def measured(small: Small) -> str:
    """Add a map whose points were measured, and return its id."""
    return small.workspace.add_projection(
        small.features,
        (np.random.default_rng(3).normal(size=(12, 2)) * [1, 6]).astype(np.float32),
        run_id=small.run,
        space="latent",
        projection="umap",
        title="UMAP",
        parameters={},
        seed=0,
        engine="by hand",
        point_quality=TRUST,
    ).id


def test_trust_in_a_place_is_a_colouring_with_a_sentence(small: Small) -> None:
    measured(small)
    app = opened()
    choice = app.selectbox(key="explore-colour")
    assert "Trust in this place" in choice.options
    assert "near it on this map" not in words(app)
    choice.set_value("Trust in this place").run()
    assert not app.exception
    assert "of an item's nearest neighbours in truth, the share that is near it on this map" in words(app)


def test_trust_in_a_place_is_not_offered_where_no_map_was_measured(small: Small) -> None:
    app = opened()
    assert "Trust in this place" not in app.selectbox(key="explore-colour").options
    assert not [one for one in app.slider if one.label == "Trust in this place"]


def test_a_map_that_was_not_measured_says_so_when_coloured_by_trust(small: Small) -> None:
    measured(small)
    app = opened()
    app.selectbox(key="explore-colour").set_value("Trust in this place").run()
    next(one for one in app.button_group if one.label == "Map").set_value("pca").run()
    assert not app.exception
    assert "was not measured when this map was drawn" in words(app)


def test_trust_in_a_place_is_a_filter(small: Small) -> None:
    from clustering.projections.turning import as_drawn

    drawn = as_drawn(small.workspace.map(measured(small)), "umap")
    everything = {
        "token": "t",
        "mode": "replace",
        "polygon": [-99, -99, 99, -99, 99, 99, -99, 99],
        "hidden": [],
    }
    assert np.abs(drawn).max() < 99
    app = opened(**{f"filter-{small.run}-trust": (50, 100), "explore": {"gesture": everything}})
    assert not app.exception
    assert "**7** of 12 items" in words(app)
    chosen = app.session_state["_basket"][small.collection]
    assert chosen.tolist() == np.flatnonzero(TRUST >= 0.5).tolist()
    next(one for one in app.button if one.label == "Clear filters").click().run()
    assert "**7** of 12" not in words(app)


def test_a_lasso_meets_the_map_as_it_is_drawn(small: Small) -> None:
    from clustering.projections.turning import as_drawn

    x, y = as_drawn(small.workspace.map(measured(small)), "umap")[5].astype(float)
    box = [x - 0.01, y - 0.01, x + 0.01, y - 0.01, x + 0.01, y + 0.01, x - 0.01, y + 0.01]
    app = opened(explore={"gesture": {"token": "t", "mode": "replace", "polygon": box, "hidden": []}})
    assert app.session_state["_basket"][small.collection].tolist() == [5]


def test_every_registered_projection_can_be_chosen(small: Small) -> None:
    from clustering.projections import projections

    catalogue.write(small.workspace.cache)
    app = opened()
    offered = next(one for one in app.button_group if one.label == "Map").options
    assert offered == [kind.info.title for kind in projections().values()]


def test_a_map_that_is_not_there_is_offered_and_queued(small: Small) -> None:
    app = opened()
    catalogue.write(small.workspace.cache)
    app.run()
    next(one for one in app.button_group if one.label == "Map").set_value("tsne").run()
    assert not app.exception
    assert "There is no t-SNE map of the latent space" in words(app)


def test_a_group_is_opened_renamed_and_selected(small: Small) -> None:
    app = opened(**{f"group-{small.run}": 2})
    assert "Group 3 · 4 items" in words(app)
    app.text_input(key=f"group-name-{small.run}-2").set_value("Sea <b>pieces</b>").run()
    next(one for one in app.button if one.label == "Keep the name").click().run()
    assert not app.exception
    assert small.workspace.cluster_names(small.run) == {2: "Sea <b>pieces</b>"}
    assert "Sea" in words(app)
    next(one for one in app.button if one.label == "Select").click().run()
    chosen = app.session_state["_basket"][small.collection]
    np.testing.assert_array_equal(chosen, [2, 5, 8, 11])


def test_a_selection_is_kept_under_a_name_and_recalled(small: Small) -> None:
    small.workspace.save_selection(small.collection, "Odd ones", [1, 3])
    app = opened()
    next(one for one in app.button if one.label == "Odd ones (2)").click().run()
    assert not app.exception
    assert "2 works selected" in words(app)
    app.text_input(key="works-name").set_value("Again").run()
    next(one for one in app.button if one.label == "Keep it").click().run()
    assert {one.name for one in Workspace.open(small.workspace.root).selections(small.collection)} == {
        "Odd ones",
        "Again",
    }


def test_a_table_is_explored_without_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = make(tmp_path, kind="table")
    monkeypatch.setenv("STUDIO_WORKSPACE", str(small.workspace.root))
    app = opened(explore={"clicked": {"token": "c", "index": 3}})
    assert not app.exception
    assert "Nearest in features" in "\n".join(str(one.value) for one in app.get("html"))


# the film of a training, and another seed beside the map


@pytest.fixture
def film(small: Small, monkeypatch: pytest.MonkeyPatch) -> Small:
    """The small workspace with a deep run that has snapshots, its map and the frames; no worker starts."""
    from tests.small_workspace import filmed

    monkeypatch.setattr("clustering.ui.jobs.ensure_worker", lambda workspace: None)
    run, drawn = filmed(small, n_iter=30, perplexity=3.0)
    return replace(small, run=run, projection=drawn)


def computed(small: Small, kind: str) -> None:
    from clustering.jobs.executors import Inline

    with Inline(small.workspace) as here:
        assert here.submit(kind, {"projection": small.projection}).state == "finished"


def scrubber(app: AppTest) -> Any:
    return next(one for one in app.select_slider if one.label == "Epoch")


def test_a_training_is_offered_to_be_played_and_laid_out_once(film: Small) -> None:
    app = opened()
    assert "5 epochs were kept" in words(app)
    assert not app.select_slider
    next(one for one in app.button if one.label == "Play the training").click().run()
    assert not app.exception
    [job] = [job for job in film.workspace.jobs() if job.kind == "frames"]
    assert job.parameters["projection"] == film.projection
    assert not [one for one in app.button if one.label == "Play the training"]


def test_the_scrubber_shows_epochs_with_their_groups_and_what_changed(film: Small) -> None:
    computed(film, "frames")
    app = opened()
    assert not app.exception
    assert scrubber(app).options == [
        "Pretraining 0",
        "Pretraining 3",
        "Clustering 1",
        "Clustering 2",
        "Clustering 3",
        "Finished map",
    ]
    assert "The finished map." in words(app)
    scrubber(app).set_value(0).run()
    assert "Epoch 0 of pretraining · no groups yet" in words(app)
    scrubber(app).set_value(3).run()
    assert not app.exception
    assert "Epoch 2 of clustering · 16.7% changed their group since the frame before" in words(app)
    bars = [str(one.value) for one in app.get("html") if "Group sizes" in str(one.value)]
    assert "Group 1: 4 (33 %)" in bars[0].replace("33%", "33 %")


def test_a_film_plays_to_the_finished_map_and_stops(film: Small) -> None:
    computed(film, "frames")
    app = opened()
    next(one for one in app.button if one.label == "Play the training").click().run()
    seen = [scrubber(app).value]
    assert [one for one in app.button if one.label == "Pause"]
    for _ in range(5):
        app.run()
        seen.append(scrubber(app).value)
    assert not app.exception
    assert seen[0] == 0 and seen[-1] == 5 and seen == sorted(seen)
    app.run()
    assert [one for one in app.button if one.label == "Play the training"]
    next(one for one in app.button if one.label == "Play the training").click().run()
    at = scrubber(app).value
    next(one for one in app.button if one.label == "Pause").click().run()
    app.run()
    assert scrubber(app).value == at < 5


def test_a_lasso_meets_an_epoch_as_it_is_drawn(film: Small) -> None:
    computed(film, "frames")
    kept = film.workspace.companion(film.projection, "frames")
    assert kept is not None
    x, y = kept.arrays["positions"][0][5].astype(float)
    box = [x - 0.01, y - 0.01, x + 0.01, y - 0.01, x + 0.01, y + 0.01, x - 0.01, y + 0.01]
    app = opened()
    scrubber(app).set_value(0).run()
    app.session_state["explore"] = {
        "gesture": {"token": "t", "mode": "replace", "polygon": box, "hidden": []}
    }
    app.run()
    assert app.session_state["_basket"][film.collection].tolist() == [5]


def test_of_a_large_collection_a_sample_is_played_that_cannot_be_selected_on(film: Small) -> None:
    computed(film, "frames")
    whole = film.workspace.companion(film.projection, "frames")
    assert whole is not None
    rows = np.array([1, 4, 6, 9])
    some = {name: array[:, rows] for name, array in whole.arrays.items() if name != "rows"}
    film.workspace.add_companion(film.projection, "frames", {**some, "rows": rows}, whole.told)
    app = opened()
    scrubber(app).set_value(3).run()
    assert not app.exception
    assert "A random sample of 4 items is shown." in words(app)
    everything = [-99, -99, 99, -99, 99, 99, -99, 99]
    sent = {"token": "t", "mode": "replace", "polygon": everything, "hidden": []}
    app.session_state["explore-film"] = {"gesture": sent, "clicked": {"token": "c", "index": 2}}
    app.run()
    assert not app.exception
    assert "Work 6" in "\n".join(str(one.value) for one in [*app.get("html"), *app.markdown, *app.subheader])
    assert not len(
        app.session_state["_basket"].get(film.collection, []) if "_basket" in app.session_state else []
    )


def test_a_training_without_snapshots_says_so(small: Small) -> None:
    arrays = small.workspace.run_arrays(small.run)
    run = small.workspace.add_run(
        small.features, arrays, method="dec", title="DEC", family="deep", parameters={}, seed=0
    )
    small.workspace.add_projection(
        small.features,
        np.asarray(small.workspace.map(small.projection)),
        run_id=run.id,
        space="latent",
        projection="pca",
        title="PCA",
        parameters={},
        seed=0,
        engine="by hand",
    )
    app = opened()
    assert "No snapshots of this training were kept" in words(app)


def test_another_seed_stands_beside_the_map_with_a_sentence(film: Small) -> None:
    app = opened()
    next(one for one in app.button if one.label == "Another seed beside it").click().run()
    assert not app.exception
    [job] = [job for job in film.workspace.jobs() if job.kind == "another-seed"]
    assert job.parameters["projection"] == film.projection
    film.workspace.request(job.id, "cancel")
    computed(film, "another-seed")
    app.run()
    assert not app.exception
    assert "Seed 0 and seed 1, laid on one another." in words(app)
    assert "of the mean distance between two items" in words(app)
    assert "Both begin at the same two strongest directions (PCA)" in words(app)
    assert "Read only what both show." in words(app)
    next(one for one in app.button if one.label == "Only this map").click().run()
    assert "laid on one another" not in words(app)
    assert [one for one in app.button if one.label == "Another seed beside it"]


def test_a_selection_on_one_map_is_one_on_both(film: Small) -> None:
    computed(film, "another-seed")
    kept = film.workspace.companion(film.projection, "another-seed")
    assert kept is not None
    app = opened()
    next(one for one in app.button if one.label == "Another seed beside it").click().run()
    x, y = kept.arrays["positions"][7].astype(float)
    box = [x - 0.01, y - 0.01, x + 0.01, y - 0.01, x + 0.01, y + 0.01, x - 0.01, y + 0.01]
    sent = {"token": "t", "mode": "replace", "polygon": box, "hidden": []}
    app.session_state["explore-beside"] = {"gesture": sent}
    app.run()
    assert not app.exception
    assert app.session_state["_basket"][film.collection].tolist() == [7]
    app.run()
    told = app.session_state["_explore-told"]
    assert told["explore", film.collection]["sent"].tolist() == [7]
    assert told["explore-beside", film.collection]["sent"].tolist() == []


def test_a_map_without_chance_needs_no_second_seed(small: Small) -> None:
    app = opened()
    assert "Nothing in this map is chance" in words(app)
    assert not [one for one in app.button if one.label == "Another seed beside it"]
