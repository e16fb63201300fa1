"""Works come from museums politely, go on after trouble, and what did not come is said."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from museum_server import MuseumServer, jpeg

from clustering.collections.museums import departments, fetch, museums
from clustering.collections.museums.web import Polite, RefusedError, UnreachableError
from clustering.errors import Stopped, StudioError


@pytest.fixture
def server():
    found = MuseumServer()
    yield found
    found.close()


def get(server, destination, museum="met", **changes):
    settings = {"query": "quail", "limit": 5, "interval": 0.0, "timeout": 0.5, "first_pause": 0.01} | changes
    return fetch(museum, destination, address=getattr(server, museum), **settings)


def finding(collection, subject):
    return next((found for found in collection.findings if found.subject == subject), None)


# what arrives


def test_the_met_s_works_become_a_collection_with_what_the_museum_says(server, tmp_path):
    server.changes[2] = {"culture": "", "artistDisplayName": ""}
    collection = get(server, tmp_path / "met")
    assert (collection.kind, collection.n_items) == ("images", 5)
    first = collection.items.iloc[0]
    assert first["title"] == "Quail and Millet 1"
    assert first["artist"] == "Kiyohara Yukinobu"
    assert first["medium"] == "Hanging scroll; ink and color on silk"
    assert first["year"] == 1682
    assert first["licence"].startswith("CC0")
    assert first["source_url"].endswith("/search/1")
    assert (
        collection.items["culture"].tolist()[1] == "Japanese"
    )  # the artist's nation where no culture is told
    assert collection.original(0).read_bytes() == jpeg(1)
    assert collection.source.startswith("The Metropolitan Museum of Art, open access: “quail”")
    assert collection.name == "Quail (The Metropolitan Museum of Art)"
    assert not [path for path in tmp_path.iterdir() if path.name != "met"]


def test_chicago_s_works_become_a_collection_with_what_the_museum_says(server, tmp_path):
    collection = get(server, tmp_path / "aic", "chicago", department="arts of asia")
    first = collection.items.iloc[0]
    assert collection.n_items == 5
    assert first["title"] == "Bedroom 1"
    assert first["culture"] == "France"
    assert first["source_url"] == "https://www.artic.edu/artworks/1001"
    assert collection.items["artist"].tolist()[1] == "Vincent van Gogh (Dutch, 1853–1890)"
    question = json.loads(server.asked[-6][2]["params"][0])
    assert question["q"] == "quail"
    assert {"term": {"is_public_domain": True}} in question["query"]["bool"]["filter"]
    assert {"term": {"department_title.keyword": "Arts of Asia"}} in question["query"]["bool"]["filter"]
    assert "/iiif/2/id-1/full/843,/0/default.jpg" in server.paths()


def test_the_museum_is_told_who_asks(server, tmp_path):
    get(server, tmp_path / "aic", "chicago", contact="curator@example.org", limit=1)
    for name in ("User-Agent", "AIC-User-Agent"):
        assert re.match(r"deep-clustering-studio/\S+ \(curator@example.org\)", server.asked[0][3][name])


def test_departments_are_listed_and_found_by_name(server, tmp_path):
    assert departments("met", address=server.met) == ["Asian Art", "European Paintings"]
    assert departments("chicago", address=server.chicago) == ["Arts of Asia", "Prints and Drawings"]
    get(server, tmp_path / "met", query="", department="asian art", limit=1)
    search = next(query for _, path, query, _ in server.asked if path.endswith("v1.1/search"))
    assert search["departmentId"] == ["6"] and search["q"] == ["*"] and search["hasImages"] == ["true"]
    with pytest.raises(StudioError, match=r"no department called “Armour”.*Asian Art, European Paintings"):
        get(server, tmp_path / "x", department="Armour")
    with pytest.raises(StudioError, match=r"no department called “Armour”.*Arts of Asia"):
        get(server, tmp_path / "y", "chicago", department="Armour")


def test_long_searches_are_read_page_by_page(tmp_path):
    server = MuseumServer(works=230)
    try:
        collection = get(server, tmp_path / "aic", "chicago", limit=205)
        assert collection.n_items == 205
        assert server.paths()["/api/v1/artworks/search"] == 3
    finally:
        server.close()


def test_the_met_s_former_search_is_used_where_the_new_one_is_not_there(server, tmp_path):
    server.old_met = True
    assert get(server, tmp_path / "met").n_items == 5
    assert server.paths()["/public/collection/v1/search"] == 1


# works that cannot be had


def test_works_not_in_the_public_domain_or_without_picture_are_left_out_and_said(server, tmp_path):
    server.changes[1] = {"isPublicDomain": False}
    server.changes[2] = {"primaryImage": "", "primaryImageSmall": ""}
    server.changes[3] = {"isPublicDomain": "yes"}
    collection = get(server, tmp_path / "met")
    assert collection.items["work_id"].astype(str).tolist() == ["4", "5", "6", "7", "8"]
    assert finding(collection, "not fetched").sentence == (
        "3 works found by the museum left out: 2 not in the public domain, 1 without a picture."
    )
    assert finding(collection, "not fetched").items == ("1", "2", "3")
    assert "/images/1/web-large.jpg" not in server.paths()


def test_chicago_s_works_without_picture_are_left_out(server, tmp_path):
    server.changes[1] = {"image_id": None}
    server.changes[2] = {"is_public_domain": None}
    assert get(server, tmp_path / "aic", "chicago").items["title"].tolist()[0] == "Bedroom 3"


def test_missing_fields_and_strange_values_become_empty(server, tmp_path):
    server.dropped[1] = {
        "title",
        "artistDisplayName",
        "medium",
        "objectEndDate",
        "primaryImageSmall",
        "culture",
    }
    server.changes[2] = {"title": None, "objectEndDate": "c. 1680", "medium": ["oil"], "creditLine": {"a": 1}}
    items = get(server, tmp_path / "met").items
    assert items["title"].tolist()[:2] == ["Untitled", "Untitled"]
    assert items["medium"].isna().tolist()[:3] == [True, True, False]
    assert items["year"].isna().tolist()[:3] == [True, True, False]
    assert "/images/1/original.jpg" in server.paths()


def test_a_work_that_is_gone_is_a_finding(server, tmp_path):
    server.moods["/public/collection/v1/objects/2"] = [404]
    server.moods["/images/3/web-large.jpg"] = [410]
    collection = get(server, tmp_path / "met")
    assert collection.n_items == 5
    assert "1 no longer there (404), 1 no longer there (410)" in finding(collection, "not fetched").sentence


def test_fewer_works_than_asked_for_are_said(server, tmp_path):
    collection = get(server, tmp_path / "met", limit=40)
    assert collection.n_items == 12
    assert finding(collection, "fewer works").sentence == (
        "12 of the 40 works asked for came: the museum has no more that fit."
    )


def test_a_search_that_finds_nothing_is_said(server, tmp_path):
    with pytest.raises(
        StudioError, match=r"gave no picture in the public domain for “nothing”.*Try other words"
    ):
        get(server, tmp_path / "met", query="nothing")
    server.changes |= {number: {"isPublicDomain": False} for number in range(1, 13)}
    with pytest.raises(StudioError, match="12 works were found and not taken: 12 not in the public domain"):
        get(server, tmp_path / "met")
    assert not (tmp_path / "met").exists()


# trouble


def test_an_internal_error_is_asked_again(server, tmp_path):
    server.moods["/public/collection/v1/objects/1"] = [500, 502]
    server.moods["/public/collection/v1.1/search"] = [503]
    collection = get(server, tmp_path / "met")
    assert collection.n_items == 5 and finding(collection, "not fetched") is None
    assert server.paths()["/public/collection/v1/objects/1"] == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(server, tmp_path, form):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.moods["/public/collection/v1/objects/1"] = [
        (429, {"Retry-After": "1" if form == "seconds" else soon})
    ]
    said: list[str] = []
    get(server, tmp_path / "met", limit=1, progress=lambda done, total, doing: said.append(doing))
    first, second = (moment for moment, path, _, _ in server.asked if path.endswith("objects/1"))
    assert second - first >= (1.0 if form == "seconds" else 0.9)
    assert any("asks for patience (it answered 429)" in doing for doing in said)


def test_a_museum_that_asks_for_a_long_pause_is_left_alone(server, tmp_path):
    server.moods["/public/collection/v1/objects/3"] = [(429, {"Retry-After": "3600"})]
    with pytest.raises(
        StudioError, match=r"it asks to come back in 60 minutes.*kept and not asked for twice"
    ):
        get(server, tmp_path / "met")
    assert server.paths()["/public/collection/v1/objects/3"] == 1
    assert "/public/collection/v1/objects/4" not in server.paths()
    assert get(server, tmp_path / "met").n_items == 5
    assert server.paths()["/public/collection/v1/objects/2"] == 1


def test_a_slow_answer_times_out_and_is_asked_again(server, tmp_path):
    server.moods["/images/1/web-large.jpg"] = ["slow"]
    began = time.monotonic()
    assert get(server, tmp_path / "met", limit=1).n_items == 1
    assert server.paths()["/images/1/web-large.jpg"] == 2
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("mood", ["truncated", "cut", b"<html>busy</html>"])
def test_a_broken_picture_is_asked_for_again(server, tmp_path, mood):
    server.moods["/images/1/web-large.jpg"] = [mood]
    collection = get(server, tmp_path / "met", limit=1)
    assert collection.original(0).read_bytes() == jpeg(1)


def test_a_picture_that_stays_broken_is_a_finding_and_tried_again_another_day(server, tmp_path):
    server.moods["/images/1/web-large.jpg"] = ["truncated", "truncated"]
    server.moods["/images/2/web-large.jpg"] = [b"no", b"no"]
    collection = get(server, tmp_path / "met")
    assert "1 picture cut off or damaged, 1 picture no picture" in finding(collection, "not fetched").sentence
    assert collection.n_items == 5


def test_an_answer_that_is_no_json_is_asked_again(server, tmp_path):
    server.moods["/public/collection/v1/objects/1"] = [b"<html>maintenance</html>"]
    assert get(server, tmp_path / "met", limit=1).items["title"].tolist() == ["Quail and Millet 1"]


def test_a_forbidden_picture_costs_one_more_try_only(server, tmp_path):
    server.moods["/images/1/web-large.jpg"] = [403] * 5
    assert get(server, tmp_path / "met", limit=2).n_items == 2
    assert server.paths()["/images/1/web-large.jpg"] == 2


def test_nothing_reachable_is_said_with_the_mend(tmp_path):
    with pytest.raises(
        StudioError, match=r"The Metropolitan Museum of Art cannot be reached.*Check the connection"
    ):
        fetch("met", tmp_path / "x", query="a", address="http://127.0.0.1:9", interval=0, first_pause=0.01)
    with pytest.raises(StudioError, match="Art Institute of Chicago cannot be reached"):
        fetch(
            "chicago", tmp_path / "y", query="a", address="http://127.0.0.1:9", interval=0, first_pause=0.01
        )
    assert not (tmp_path / "x").exists()


def test_a_museum_that_fails_on_every_work_is_given_up(server, tmp_path):
    for number in range(1, 13):
        server.moods[f"/images/{number}/web-large.jpg"] = [500] * 9
    with pytest.raises(StudioError, match=r"cannot be reached \(it answered 500\)"):
        get(server, tmp_path / "met")
    assert "/images/6/web-large.jpg" not in server.paths()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"museum": "louvre"}, "no museum called “louvre”.*met, chicago"),
        ({"query": " "}, "Neither words nor a department"),
        ({"limit": 0}, "0 works were asked for.*1 to 5,000"),
        ({"limit": 100_000}, "100,000 works were asked for"),
    ],
)
def test_requests_that_make_no_sense_are_refused(tmp_path, settings, said):
    with pytest.raises(StudioError, match=said):
        fetch(**{"museum": "met", "destination": tmp_path / "x", "query": "a", **settings})


def test_a_destination_that_is_taken_is_left_alone(server, tmp_path):
    (tmp_path / "met").mkdir()
    (tmp_path / "met" / "thesis.txt").write_text("mine")
    with pytest.raises(StudioError, match="already something"):
        get(server, tmp_path / "met")
    assert (tmp_path / "met" / "thesis.txt").read_text() == "mine" and server.asked == []


# pace, stop, resume


def test_the_pace_is_kept(server, tmp_path):
    get(server, tmp_path / "met", limit=3, interval=0.1)
    moments = [moment for moment, _, _, _ in server.asked]
    assert len(moments) == 7
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.07


def test_our_own_pace_stays_within_what_each_museum_documents():
    paces = {name: 1 / info.interval for name, info in museums().items()}
    assert paces["met"] <= 80
    assert paces["chicago"] <= 60 / 60


def test_stopped_work_goes_on_without_asking_twice(server, tmp_path):
    with pytest.raises(Stopped):
        get(server, tmp_path / "met", progress=lambda done, total, doing: done == 3)
    assert not (tmp_path / "met").exists()
    before = server.paths()
    assert before["/images/3/web-large.jpg"] == 1 and "/images/4/web-large.jpg" not in before
    collection = get(server, tmp_path / "met")
    after = server.paths()
    assert collection.n_items == 5
    assert all(after[f"/images/{number}/web-large.jpg"] == 1 for number in range(1, 6))
    assert get(server, tmp_path / "met").id == "met" and server.paths() == after


def test_a_stop_is_heard_while_waiting(server, tmp_path):
    server.moods["/public/collection/v1/objects/1"] = [(429, {"Retry-After": "60"})]
    began = time.monotonic()
    with pytest.raises(Stopped):
        get(server, tmp_path / "met", progress=lambda done, total, doing: "patience" in doing)
    assert time.monotonic() - began < 5


def test_another_request_does_not_take_what_a_stopped_one_left(server, tmp_path):
    with pytest.raises(Stopped):
        get(server, tmp_path / "met", progress=lambda done, total, doing: done == 3)
    assert get(server, tmp_path / "met", query="millet", limit=2).n_items == 2
    assert server.paths()["/images/1/web-large.jpg"] == 2


def test_a_killed_fetch_goes_on_where_it_was(server, tmp_path):
    code = textwrap.dedent(
        f"""
        import os, signal
        from clustering.collections.museums import fetch
        def progress(done, total, doing):
            if done == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        fetch("met", {str(tmp_path / "met")!r}, query="quail", limit=5, address={server.met!r}, interval=0,
              progress=progress)
        """
    )
    root = Path(__file__).resolve().parents[3]
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)})
    assert killed.returncode == -signal.SIGKILL
    with next(tmp_path.glob(".met.gathered/rows.jsonl")).open("a") as lines:
        lines.write('{"key": "9", "row": {"fi')  # as a kill in mid-line leaves it
    assert get(server, tmp_path / "met").n_items == 5
    assert all(server.paths()[f"/images/{number}/web-large.jpg"] == 1 for number in range(1, 6))


def test_too_large_answers_and_strange_addresses_are_refused(server, monkeypatch):
    from clustering.collections.museums import web

    monkeypatch.setattr(web, "LARGEST_ANSWER", 100)
    with Polite({}, 0, first_pause=0.01) as client:
        with pytest.raises(RefusedError, match="larger than"):
            client.content(f"{server.base}/images/1/a.jpg")
        with pytest.raises((RefusedError, UnreachableError)):
            client.content("file:///etc/passwd")
