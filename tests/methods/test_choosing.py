"""The guided choice: statements over the registry, whatever methods there are."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import get_args

import pytest

from clustering.kinds import KIND_INFO, DataKind
from clustering.methods import methods
from clustering.methods.choosing import HINTS, MEASURE, MOST, Answers, advice, takes_links

KINDS = get_args(DataKind)
SOME_HINTS = [frozenset(some) for size in range(3) for some in combinations(HINTS, size)]
ALL = [
    Answers(kind, n, known, hints)
    for kind, n, known, hints in product(KINDS, (80, 20_000), (None, True, False), SOME_HINTS)
]


@pytest.fixture(scope="module")
def infos():
    return [one.info for one in methods().values()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_suggested_method_takes_the_kind_and_says_why_and_every_other_says_why_not(infos, kind):
    known = {info.name: info for info in infos}
    for answers in (one for one in ALL if one.kind == kind):
        found = advice(infos, answers)
        assert len(found.suggestions) <= MOST
        assert all(kind in known[one.name].kinds and one.reasons for one in found.suggestions)
        assert {one.name for one in found.suggestions} | set(found.others) == set(known)
        assert not {one.name for one in found.suggestions} & set(found.others)
        assert all(found.others.values())


def test_every_method_is_met_by_some_answers_or_something_of_its_sort_is(infos):
    met = {one.name for answers in ALL for one in advice(infos, answers).suggestions}
    sorts = {(info.representation, info.clustering) for info in infos if info.name in met}
    for info in (info for info in infos if info.first_for and info.name not in met):
        assert (info.representation, info.clustering) in sorts, info.name
    for info in (info for info in infos if info.name not in met):
        told = advice(infos, Answers(info.kinds[0], 20_000, True)).others[info.name]
        assert told.startswith(("Nothing you said asks for it", "Of the same sort", "Comes after")), told


def test_plain_k_means_is_always_among_them_with_its_reason_where_it_takes_the_kind(infos):
    kmeans = next(info for info in infos if info.name == MEASURE)
    for answers in ALL:
        found = advice(infos, answers)
        mine = [one for one in found.suggestions if one.name == MEASURE]
        if answers.kind in kmeans.kinds:
            assert any(reason.startswith("Plain k-means may do") for reason in mine[0].reasons)
        else:
            assert any(note.startswith("k-means does not take") for note in found.notes)


def test_an_unknown_number_of_groups_leads_to_methods_that_find_it_and_else_to_the_elbow(infos):
    finding = {info.name for info in infos if not info.needs_n_clusters}
    for kind in KINDS:
        first = advice(infos, Answers(kind, 20_000, False))
        if any(kind in info.kinds for info in infos if info.name in finding):
            assert first.suggestions[0].name in finding
            assert "Or try several numbers" in first.notes[0]
    without = advice([info for info in infos if info.name not in finding], Answers("table", 20_000, False))
    assert without.notes[0].startswith("No method here finds the number")
    assert "elbow" in without.notes[0]
    assert "silhouette" in without.notes[0]


def test_pairs_and_links_lead_to_methods_that_heed_them(infos):
    for kind in KINDS:
        fitting = [info for info in infos if kind in info.kinds]
        for hint, takes in (("pairs", lambda info: "pairs" in info.inputs), ("links", takes_links)):
            found = advice(infos, Answers(kind, 20_000, True, frozenset([hint])))
            if any(map(takes, fitting)):
                first = found.suggestions[0].name
                assert takes(next(info for info in infos if info.name == first))
            else:
                assert any(HINTS[hint] in note for note in found.notes)


def test_labels_choose_nothing_and_that_is_said(infos):
    plain, told = (advice(infos, Answers("table", 500, True, frozenset(h))) for h in ((), ("labels",)))
    assert plain.suggestions == told.suggestions
    assert any("None of these methods learns from labels" in note for note in told.notes)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("images", "delius"), ("table", "gceals"), ("series", "disc"), ("tokens", "syntdec"),
     ("graph", "dagc"), ("views", "dmsc"), ("text", "dec"), ("vectors", "dec")],
)  # fmt: skip
def test_the_survey_s_table_of_first_choices_holds(infos, kind, expected):
    found = advice(infos, Answers(kind, 20_000, True))
    assert expected in [one.name for one in found.suggestions[:2]]


def test_few_items_put_the_plain_methods_first(infos):
    for kind in ("table", "series", "text"):
        assert advice(infos, Answers(kind, 80, True)).suggestions[0].name == MEASURE
        told = advice(infos, Answers(kind, 80, True)).suggestions
        assert any("few for a network" in line for one in told for line in one.cautions)


def test_of_methods_of_one_sort_only_the_first_is_named(infos):
    dec = next(info for info in infos if info.name == "dec")
    twin = replace(dec, name="twin", title="Twin", order=dec.order + 1)
    found = advice([*infos, twin], Answers("vectors", 20_000, True))
    assert found.others["twin"] == "Of the same sort as DEC, which comes first here."


def test_one_plain_method_that_learns_first_is_enough(infos):
    found = advice(infos, Answers("images", 600, True))
    named = {one.name for one in found.suggestions}
    assert len(named & {"ae_kmeans", "n2d", "contrast_kmeans"}) == 1
    assert (
        found.others["contrast_kmeans"]
        == "Of the same sort as Autoencoder + k-means, which comes first here."
    )


def test_the_rules_know_no_method_by_name_but_the_measure(infos):
    renamed = [
        info if info.name == MEASURE else replace(info, name=f"m{at}", title=f"M{at}")
        for at, info in enumerate(infos)
    ]
    names = {new.name: old.name for new, old in zip(renamed, infos, strict=True)}
    for answers in ALL[::7]:
        found = [names[one.name] for one in advice(renamed, answers).suggestions]
        assert found == [one.name for one in advice(infos, answers).suggestions]


def test_every_kind_is_spoken_of():
    assert set(KINDS) == set(KIND_INFO)
