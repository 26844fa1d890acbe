"""Words of CoNLL-U: their places, tags and splits, and what is refused."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.data.conllu import read_conllu
from lit_probe.errors import DatasetError


def row(number, form, upos="NOUN", feats="_", misc="_"):
    return "\t".join([str(number), form, "_", upos, "_", feats, "_", "_", "_", misc])


def sentence(*rows, text=None, document=None):
    comments = [*([f"# newdoc id = {document}"] if document else []), *([f"# text = {text}"] if text else [])]
    return "\n".join([*comments, *rows, "", ""])


def plain(i, tag="VERB"):
    return sentence(row(1, f"the{i}", "DET"), row(2, f"cat{i}"), row(3, "sat", tag))


@pytest.fixture
def file_of(tmp_path):
    def write(text, name="a.conllu"):
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path / name

    return write


def read(file, column="upos"):
    notes: list[str] = []
    return read_conllu(file, column, notes), notes


def test_multiword_tokens_share_a_span_and_empty_nodes_are_skipped(file_of):
    rows = [row(1, "Il"), row("2-3", "du", "_"), row(2, "de", "ADP"), row(3, "le", "DET"), row("3.1", "x"), row(4, "pain")]
    [one], notes = read(file_of(sentence(*rows, text="Il  du pain")))
    assert one.text == "Il  du pain" and one.forms == ("Il", "de", "le", "pain")
    assert [one.text[a:b] for a, b in one.spans] == ["Il", "du", "du", "pain"]
    assert one.tags == ("NOUN", "ADP", "DET", "NOUN") and not notes


def test_without_a_text_words_stand_as_space_after_says(file_of):
    [one], _ = read(file_of(sentence(row(1, "Yes", misc="SpaceAfter=No"), row(2, ","), row(3, "caf\u00e9"))))
    assert one.text == "Yes, caf\u00e9" and [one.text[a:b] for a, b in one.spans] == ["Yes", ",", "caf\u00e9"]


def test_a_text_that_does_not_hold_its_words_is_told(file_of):
    [one], notes = read(file_of(sentence(row(1, "a"), row(2, "b"), text="a c")))
    assert one.text == "a b" and "1 of 1 sentences" in notes[0] and "line 1" in notes[0]


def test_a_word_without_the_feature_has_no_tag(file_of):
    [one], _ = read(
        file_of(sentence(row(1, "a", feats="Case=Nom|Number=Sing"), row(2, "b"), row(3, "c", feats="Number=Plur"))),
        "feats:Number",
    )
    assert one.tags == ("Sing", None, "Plur")


def test_no_sentence_stands_in_two_splits_and_order_changes_nothing(file_of):
    parts = [plain(i % 50) for i in range(60)]
    one = load_dataset("conllu", str(file_of("".join(parts))))
    other = load_dataset("conllu", str(file_of("".join(reversed(parts)), "b.conllu")))
    assert one.unit == "word" and one.label_names == ("DET", "NOUN", "VERB")
    texts = [set(rows.texts) for _, rows in one.items()]
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])
    for (_, rows), (_, again) in zip(one.items(), other.items(), strict=True):
        assert rows.texts == again.texts and np.array_equal(rows.spans, again.spans) and np.array_equal(rows.labels, again.labels)
        assert rows.words == tuple(rows.columns["word"]) and len(set(rows.groups)) == len(set(rows.texts))
    assert one.provenance["sha256"] == other.provenance["sha256"]


def test_enough_documents_are_divided_whole_and_few_are_not(file_of):
    def documents(n):
        return "".join(sentence(row(1, f"a{i}", "DET"), row(2, f"b{i}"), document=f"d{i % n}") for i in range(160))

    many = load_dataset("conllu", str(file_of(documents(80))))
    assert len(set(many.train.groups)) < len(set(many.train.texts)) and not set(many.train.groups) & set(many.dev.groups)
    few = load_dataset("conllu", str(file_of(documents(5), "b.conllu")))
    assert "5 documents are too few" in few.provenance["notes"][0]


def test_train_is_capped_by_whole_sentences_and_keeps_the_shares(file_of):
    splits = load_dataset("conllu", str(file_of("".join(map(plain, range(200))))), DatasetOptions(max_words=100))
    assert 95 <= len(splits.train) <= 100 and set(np.bincount(splits.train.labels)) == {len(splits.train) // 3}
    assert splits.provenance["rows"]["train"]["available"] == 420


def test_a_rare_tag_is_left_out_and_told(file_of):
    splits = load_dataset("conllu", str(file_of("".join(map(plain, range(60))) + plain(99, "SYM"))))
    assert "SYM" not in splits.label_names and any("SYM (1)" in note for note in splits.provenance["notes"])


def test_files_of_a_folder_are_its_splits(tmp_path):
    for name, start in (("train", 0), ("dev", 50), ("test", 80)):
        with gzip.open(tmp_path / f"xx-ud-{name}.conllu.gz", "wt", encoding="utf-8") as file:
            file.write("".join(map(plain, range(start, start + 20))))
    splits = load_dataset("conllu", str(tmp_path))
    assert splits.provenance["division"] == "Official train, dev and test" and len(splits.dev) == 60


@pytest.mark.parametrize(
    "text, column, said",
    [
        ("", "upos", "no sentence"),
        ("\n\n", "upos", "no sentence"),
        (plain(0) + "1\tword\n", "upos", "line 5 has 2 columns"),
        (plain(0) + row("x", "word") + "\n", "upos", "line 5 begins with 'x'"),
        (plain(0) + row(3, "word") + "\n", "upos", "line 5 has the number 3"),
        (plain(0) + row("1-3", "word") + "\n" + row(1, "w") + "\n", "upos", "ends before word 3"),
        (plain(0), "colour", "no column of tags 'colour'"),
        (plain(0), "feats:", "no column of tags 'feats:'"),
        (plain(0), "xpos", "no word has a tag"),
        (plain(0) * 30, "upos", "no"),
        ("".join(sentence(row(1, f"w{i}", f"T{i % 150}"), row(2, "x", f"U{i % 2}")) for i in range(3000)), "upos", "152 tags"),
    ],
)
def test_what_is_refused_is_told_in_one_sentence(file_of, text, column, said):
    with pytest.raises(DatasetError, match=said):
        load_dataset("conllu", str(file_of(text)), DatasetOptions(label_column=column))


def test_bytes_that_are_not_utf_8_are_told_by_their_line(tmp_path):
    (tmp_path / "a.conllu").write_bytes((plain(0) + row(1, "caf")).encode() + b"\xe9\n")
    with pytest.raises(DatasetError, match="not UTF-8"):
        load_dataset("conllu", str(tmp_path / "a.conllu"))
