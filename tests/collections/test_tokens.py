"""Words and phrases in sentences: treebanks, tables of spans, and files that break."""

from __future__ import annotations

import gzip

import pytest

from clustering.collections import load
from clustering.collections.tokens import neighbouring_words
from clustering.collections.words import common_words, in_context
from clustering.errors import StudioError


def line(number, word, tag, head, relation="dep"):
    return f"{number}\t{word}\t{word}\t{tag}\t{tag[:2]}\t_\t{head}\t{relation}\t_\t_\n"


TREE = (
    "# newdoc id = d1\n# sent_id = s1\n"
    + line(1, "The", "DET", 2) + line(2, "ship", "NOUN", 3) + "3-4\tsailed.\t_\t_\t_\t_\t_\t_\t_\t_\n"
    + line(3, "sailed", "VERB", 0, "root") + line(4, ".", "PUNCT", 3) + "4.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    + "# sent_id = s2\n" + line(1, "Rain", "NOUN", 2) + line(2, "fell", "VERB", 0, "root")
)  # fmt: skip


def written(folder, text, name):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_word_of_a_treebank_is_an_item_in_its_sentence(tmp_path):
    path = tmp_path / "tree.conllu.gz"
    path.write_bytes(gzip.compress(TREE.encode()))
    words = load(path, tmp_path / "c", label_column="tag")
    assert words.kind == "tokens"
    assert words.items["title"].tolist() == ["The", "ship", "sailed", ".", "Rain", "fell"]
    assert words.items["opening"].iloc[1] == "The [ship] sailed ."
    assert words.items["tag"].tolist()[:2] == ["DET", "NOUN"]
    assert words.data()["words"].iloc[5] == ["Rain", "fell"]


def test_where_a_word_stands_is_no_reference_unless_asked_for(tmp_path):
    path = written(tmp_path, TREE + "\n\n" + TREE, "t.conllu")
    columns = load(path, tmp_path / "c").label_columns
    assert "tag" in columns
    assert not {"document", "sentence"} & {*columns}
    assert load(path, tmp_path / "d", label_column="sentence").label_columns[0] == "sentence"


def test_phrases_are_what_hangs_on_a_word_side_by_side(tmp_path):
    two = TREE + "\n" + line(1, "An", "DET", 2) + line(2, "ox", "NOUN", 3) + line(3, "ran", "VERB", 0)
    found = load(written(tmp_path, two, "t.conllu"), tmp_path / "c", options={"spans": "phrases"})
    assert found.items["title"].tolist() == ["The ship", "An ox"]


def test_punctuation_can_be_left_out_as_items(tmp_path):
    path = written(tmp_path, TREE, "t.conllu")
    found = load(path, tmp_path / "c", options={"punctuation": "leave out"})
    assert "." not in found.items["title"].tolist()
    assert found.items["opening"].iloc[1].endswith(".")


def test_neighbours_end_with_their_sentence(tmp_path):
    data = load(written(tmp_path, TREE, "t.conllu"), tmp_path / "c").data()
    assert neighbouring_words(data).tolist() == [[0, 1], [1, 2], [2, 3], [4, 5], [0, 2], [1, 3]]


def test_common_words_of_a_group_come_with_their_places(tmp_path):
    data = load(written(tmp_path, TREE + "\n" + TREE, "t.conllu"), tmp_path / "c").data()
    labels = (data["start"].to_numpy() != 0).astype(int)
    assert common_words(data, labels, 0, 5) == {"the": [0, 6], "rain": [4, 10]}
    assert in_context(data, 2, 1) == ("… ship", "sailed", ".")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\tThe\tDET\n", r"Line 1 of t\.conllu has 3 columns; CoNLL-U has 10"),
        (line(1, "The", "DET", 0) + line(3, "ship", "NOUN", 1), "numbered “3”; word 2 should follow"),
        (line(1, "The", "DET", 9) + "\n", "has 1 word, but one hangs on word 9"),
        (line(1, "The", "DET", "x"), "hangs on “x”, which is no number"),
        ("# nothing\n", "holds no sentence"),
    ],
)
def test_a_treebank_that_breaks_is_refused_at_its_line(tmp_path, text, said):
    with pytest.raises(StudioError, match=said) as refusal:
        load(written(tmp_path, text, "t.conllu"), tmp_path / "c")
    assert "CoNLL-U" in refusal.value.mend


def test_a_treebank_in_another_encoding_or_a_broken_archive_is_refused(tmp_path):
    path = tmp_path / "t.conllu"
    path.write_bytes(line(1, "Käse", "NOUN", 0).encode("cp1252"))
    with pytest.raises(StudioError, match=r"not UTF-8 .first at line 1"):
        load(path, tmp_path / "c")
    broken = tmp_path / "t.conllu.gz"
    broken.write_bytes(gzip.compress(TREE.encode())[:40])
    with pytest.raises(StudioError, match="cannot be read"):
        load(broken, tmp_path / "d")


def test_spans_of_a_table_count_words_or_characters(tmp_path):
    rows = "sentence,start,end,kind\nThe old ship sailed,0,3,NP\nThe old ship sailed,3,4,VP\n"
    found = load(written(tmp_path, rows, "spans.csv"), tmp_path / "c", kind="tokens")
    assert found.items["title"].tolist() == ["The old ship", "sailed"]
    rows = 'sentence,start,end\n"Ships, old.",0,5\n"Ships, old.",7,10\n'
    letters = {"positions": "characters"}
    found = load(written(tmp_path, rows, "letters.csv"), tmp_path / "d", kind="tokens", options=letters)
    assert found.items["title"].tolist() == ["Ships", "old"]


def test_a_span_outside_of_its_sentence_is_refused_at_its_row(tmp_path):
    rows = "sentence,start,end\nThe ship,0,1\nThe ship,1,5\n"
    with pytest.raises(StudioError, match=r"Row 2 of spans\.csv names words 1 to 5"):
        load(written(tmp_path, rows, "spans.csv"), tmp_path / "c", kind="tokens")
    with pytest.raises(StudioError, match="no column “start”"):
        load(written(tmp_path, "sentence,end\na b,1\n", "s.csv"), tmp_path / "d", kind="tokens")
    with pytest.raises(StudioError, match="does not hold whole numbers only"):
        load(written(tmp_path, "sentence,start,end\na b,one,2\n", "w.csv"), tmp_path / "e", kind="tokens")
