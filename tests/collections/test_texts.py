"""Texts from tables and folders: which column, what is cut or refused, the words that name groups."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.collections import load
from clustering.collections.words import class_weights, telling_words, words_of
from clustering.errors import StudioError

SEA = "The ship left the harbour and the sea was calm"
LAND = "The farmer ploughed the field before the rain"


def written(folder, text, name="texts.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def sentences(collection):
    return " ".join(finding.sentence for finding in collection.findings)


def test_a_column_of_texts_becomes_items_with_title_and_opening(tmp_path):
    path = written(tmp_path, f"year,text,genre\n1850,{SEA},sea\n1860,{LAND},land\n1870,{SEA} again,sea\n")
    texts = load(path, tmp_path / "c", kind="text", label_column="genre")
    assert (texts.kind, texts.n_items, texts.label_columns[0]) == ("text", 3, "genre")
    assert texts.data()["text"].tolist()[1] == LAND
    assert texts.items["opening"].iloc[0] == SEA
    assert texts.items["words"].tolist() == [10, 8, 11]
    assert not texts.pictured


def test_without_a_usual_name_the_wordiest_column_is_taken(tmp_path):
    path = written(tmp_path, f"who,said\nAnn,{SEA}\nBob,{LAND}\n")
    assert load(path, tmp_path / "c", kind="text").data()["text"].iloc[0] == SEA


def test_empty_texts_are_left_out_and_said(tmp_path):
    path = written(tmp_path, f"id,text\na,{SEA}\nb,\nc,{LAND}\nd,   \n")
    texts = load(path, tmp_path / "c", kind="text")
    assert texts.items["id"].tolist() == ["a", "c"]
    assert "2 texts empty and left out (b, d)" in sentences(texts)


def test_only_empty_texts_are_refused(tmp_path):
    with pytest.raises(StudioError, match=r"Every text of texts\.csv is empty"):
        load(written(tmp_path, "id,text\na,\nb,\n"), tmp_path / "c", kind="text")


def test_a_text_of_a_hundred_thousand_words_is_cut_and_said(tmp_path):
    path = written(tmp_path, f"text\n{'word ' * 100_000}\n{LAND}\n")
    texts = load(path, tmp_path / "c", kind="text")
    assert len(texts.data()["text"].iloc[0].split()) == 20_000
    assert "1 text of up to 100,000 words cut to the first 20,000 (1)" in sentences(texts)
    assert texts.items["words"].iloc[0] == 100_000


def test_ids_that_do_not_name_one_text_each_are_replaced_and_said(tmp_path):
    texts = load(written(tmp_path, f"id,text\nx,{SEA}\nx,{LAND}\n"), tmp_path / "c", kind="text")
    assert texts.items["id"].tolist() == ["1", "2"]
    assert "does not name every text by itself (1 value missing or given twice, first: x)" in sentences(texts)


def test_repeated_texts_are_marked(tmp_path):
    texts = load(written(tmp_path, f"text\n{SEA}\n{LAND}\n{SEA}\n"), tmp_path / "c", kind="text")
    assert texts.items["duplicate_of"].tolist()[2] == "1"
    assert "1 text repeats an earlier one" in sentences(texts)


def test_a_column_of_numbers_is_refused_with_the_columns_that_hold_texts(tmp_path):
    path = written(tmp_path, f"year,story\n1850,{SEA}\n1860,{LAND}\n")
    with pytest.raises(StudioError, match=r"Column “year” of texts\.csv holds numbers") as refusal:
        load(path, tmp_path / "c", kind="text", options={"text_column": "year"})
    assert "story" in refusal.value.mend
    with pytest.raises(StudioError, match="no column “novel”"):
        load(path, tmp_path / "c", kind="text", options={"text_column": "novel"})
    with pytest.raises(StudioError, match="no column of texts"):
        load(written(tmp_path, "a,b\n1,2\n3,4\n", "numbers.csv"), tmp_path / "d", kind="text")


def test_a_folder_of_text_files_is_seen_as_texts_with_its_metadata(tmp_path):
    folder = tmp_path / "letters"
    (folder / "north").mkdir(parents=True)
    written(folder, SEA, "one.txt")
    written(folder / "north", LAND, "two.txt")
    written(folder, "file,year\none.txt,1850\nthree.txt,1900\n", "metadata.csv")
    texts = load(folder, tmp_path / "c")
    assert texts.kind == "text"
    assert texts.items["file"].tolist() == ["north/two.txt", "one.txt"]
    assert texts.items["year"].tolist()[1] == 1850
    assert "say nothing of 1 text" in sentences(texts)
    assert "1 row of the metadata names no text" in sentences(texts)


def test_another_encoding_is_read_and_said_and_bytes_that_are_no_text_are_refused(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    written(folder, "Müller aß Käse", "one.txt", "cp1252")
    written(folder, SEA, "two.txt")
    texts = load(folder, tmp_path / "c")
    assert texts.data()["text"].iloc[0] == "Müller aß Käse"
    assert "1 file not UTF-8 (one.txt); read as cp1252" in sentences(texts)
    (folder / "three.txt").write_bytes(b"\0\1\2")
    with pytest.raises(StudioError, match=r"three\.txt is not a text table and no text"):
        load(folder, tmp_path / "d")


def test_json_lines_are_read_and_a_broken_line_is_named(tmp_path):
    path = written(tmp_path, f'{{"text": "{SEA}"}}\n{{"text": "{LAND}"}}\n', "texts.jsonl")
    assert load(path, tmp_path / "c").kind == "text"
    broken = written(tmp_path, f'{{"text": "{SEA}"}}\n{{"text": \n', "broken.jsonl")
    with pytest.raises(StudioError, match=r"Line 2 of broken\.jsonl is no JSON"):
        load(broken, tmp_path / "d")


def test_words_are_those_of_the_script():
    assert words_of("Don't stop, co-op!") == ["don't", "stop", "co-op"]
    assert words_of("静かな海") == ["静か", "かな", "な海"]


def test_class_weights_agree_with_a_plain_loop():
    table = np.array([[3.0, 0, 1], [1, 4, 1]])
    mean = (4 + 6) / 2
    for k, size in enumerate((4, 6)):
        for w, total in enumerate((4, 4, 2)):
            expected = table[k, w] / size * np.log(1 + mean / total)
            assert class_weights(table)[k, w] == pytest.approx(expected)


def test_groups_are_named_by_the_words_only_they_use():
    texts = [f"the sea and the {word}" for word in ("ship", "ship wave", "wave")]
    texts += [f"the field and the {word}" for word in ("plough", "plough cow", "cow")]
    found = telling_words(texts, [0, 0, 0, 1, 1, 1], most=3)
    assert found[0][0] == "sea"
    assert set(found[0]) == {"sea", "ship", "wave"}
    assert set(found[1]) == {"field", "plough", "cow"}
    assert telling_words(["..", "!!", "?"], [0, 1, -1]) == {0: [], 1: []}
