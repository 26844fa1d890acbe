"""Words in two columns, in lists of a table, and in a program's memory: the same rows from each, and what is refused."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, load_dataset, split_table, split_words
from lit_probe.data.conll import read_conll
from lit_probe.errors import DatasetError

TAGS = ("O", "B-PER", "I-PER")


def sentences(n=60):
    return [[f"the{i}", "Ann\u00e9", f"Lee{i}", "sat"] for i in range(n)], [["O", "B-PER", "I-PER", "O"] for _ in range(n)]


def columns(words, tags, separator=" "):
    return "".join(
        "".join(separator.join((word, "x", tag)) + "\n" for word, tag in zip(one, own, strict=True)) + "\n"
        for one, own in zip(words, tags, strict=True)
    )


def features():
    import datasets

    return datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "ner_tags": datasets.Sequence(datasets.ClassLabel(names=list(TAGS))),
        }
    )


@pytest.fixture
def file_of(tmp_path):
    def write(text, name="a.conll"):
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path / name

    return write


def test_all_ways_to_the_same_words_give_the_same_rows(file_of, tmp_path):
    import datasets

    words, tags = sentences()
    numbers = [[TAGS.index(tag) for tag in own] for own in tags]
    records = [{"tokens": one, "tags": own} for one, own in zip(words, tags, strict=True)]
    held = datasets.Dataset.from_dict({"tokens": words, "ner_tags": numbers}, features=features())
    (tmp_path / "hub").mkdir()
    held.to_parquet(str(tmp_path / "hub" / "train.parquet"))
    held.save_to_disk(str(tmp_path / "saved"))
    found = {
        "spaces": load_dataset("conll", str(file_of(columns(words, tags)))),
        "tabs": load_dataset("conll", str(file_of(columns(words, tags, "\t"), "b.conll"))),
        "jsonl": load_dataset("jsonl", str(file_of("".join(json.dumps(one) + "\n" for one in records), "c.jsonl"))),
        "parquet": load_dataset("jsonl", str(tmp_path / "hub")),
        "hub": load_dataset("hub", str(tmp_path / "hub")),
        "saved": load_dataset("hub", str(tmp_path / "saved")),
        "Dataset": load_dataset(held),
        "arrays": split_table({"words": [np.array(one) for one in words], "tags": [np.array(own) for own in tags]}),
        "memory": split_words(words, tags),
        "numbers": split_words(words, numbers, label_names=TAGS),
    }
    expected = found["memory"]
    assert expected.unit == "word" and len(expected.train) + len(expected.dev) + len(expected.test) == 240
    for way, splits in found.items():
        own_order = way in ("parquet", "hub", "saved", "Dataset", "numbers")
        assert splits.label_names == (TAGS if own_order else ("B-PER", "I-PER", "O")), way
        for (_, rows), (_, again) in zip(splits.items(), expected.items(), strict=True):
            assert rows.texts == again.texts and np.array_equal(rows.spans, again.spans), way
            assert [splits.label_names[one] for one in rows.labels] == [expected.label_names[one] for one in again.labels], way
            assert rows.words == tuple(rows.columns["word"]) and "Ann\u00e9" in rows.words, way


def test_documents_comments_and_signs_that_begin_like_one(file_of):
    text = "-DOCSTART- -X- O\n\n# id = 7\n# SYM O\nword NN B-X\n\n\n-DOCSTART- -X- O\r\n\r\nlast NN O\r\n"
    one, other = read_conll(file_of(text))
    assert one.text == "# word" and one.tags == ("O", "B-X") and other.tags == ("O",)
    assert one.document != other.document and one.document.startswith("document 1")


def test_a_tab_parts_words_that_hold_spaces(file_of):
    [one] = read_conll(file_of("New York\tB-LOC\n# no tab\nis\tO\n"))
    assert one.forms == ("New York", "is") and [one.text[a:b] for a, b in one.spans] == ["New York", "is"]


@pytest.mark.parametrize(("column", "tags"), [("label", ("O", "B")), ("3", ("O", "B")), ("2", ("DT", "NN"))])
def test_a_column_is_named_by_its_number_and_the_last_is_usual(file_of, column, tags):
    [one] = read_conll(file_of("a DT O\nb NN B\n"), "last" if column == "label" else column)
    assert one.tags == tags


@pytest.mark.parametrize(
    "names",
    [
        ("train.conll", "dev.conll", "test.conll"),
        ("eng.train", "eng.testa", "eng.testb.gz"),
        ("wnut-train.txt", "wnut-validation.txt", "wnut_test.iob2"),
    ],
)
def test_files_of_a_folder_are_its_splits(tmp_path, names):
    words, tags = sentences()
    for place, name in enumerate(names):
        own = slice(20 * place, 20 * place + 20)
        data = columns(words[own], tags[own]).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    splits = load_dataset("conll", str(tmp_path))
    assert splits.provenance["division"] == "Official train, dev and test" and len(splits.dev) == 80
    assert set(splits.provenance["origin"]["files"]) == {"train", "dev", "test"}


def test_groups_that_are_named_are_never_parted_however_few():
    words, tags = sentences()
    groups = [i % 4 for i in range(60)]
    table = {"tokens": words, "tags": tags, "author": groups}
    for splits in (split_words(words, tags, groups), split_table(table, DatasetOptions(group_column="author"))):
        assert sum(len(set(rows.groups)) for _, rows in splits.items()) == 4
        assert not set(splits.train.groups) & set(splits.dev.groups)


def test_none_and_the_usual_numbers_for_it_are_no_tag_and_empty_words_are_told():
    words, tags = sentences()
    whole = split_words(words, tags)
    marked = [[*own, tag] for own, tag in zip(tags, [None, -1, -100, "-100", "", "-1"] * 10, strict=True)]
    splits = split_words([[*one, "end"] for one in words], marked)
    assert len(splits.train) == len(whole.train) and splits.label_names == whole.label_names
    assert all(text.endswith(" end") for text in splits.train.texts)
    empty = split_words([[*one, " "] for one in words], [[*own, "O"] for own in tags])
    assert empty.train.texts == whole.train.texts and "60 words of words are empty" in empty.provenance["notes"][0]


def test_a_test_without_tags_and_one_of_hidden_tags_are_cut_from_dev():
    words, tags = sentences(90)
    parts = {
        "train": {"tokens": words[:40], "tags": tags[:40]},
        "validation": {"tokens": words[40:70], "tags": tags[40:70]},
    }
    for hidden in ({"tokens": words[70:]}, {"tokens": words[70:], "tags": [[-1] * 4] * 20}):
        splits = split_table({**parts, "test": hidden})
        assert "test has no labels" in splits.provenance["division"] and len(splits.test) > 40


def test_the_tags_of_several_columns_are_asked_for_by_name_and_texts_stay_texts():
    words, tags = sentences()
    table = {"tokens": words, "ner_tags": tags, "pos_tags": [["D", "N", "N", "V"]] * 60}
    with pytest.raises(DatasetError, match=r"ner_tags, pos_tags hold tags of words. Choose one with the option label_column"):
        split_table(table)
    assert split_table(table, DatasetOptions(label_column="pos_tags")).label_names == ("D", "N", "V")
    whole = {"text": [" ".join(one) for one in words], "label": [i % 2 for i in range(60)], "tokens": words}
    assert split_table(whole).unit == "text"


@pytest.mark.parametrize(
    ("words", "tags", "said"),
    [
        ([["a", "b"]], [["X"]], "sentence 1 has 2 words and 1 tags"),
        ([["a"], ["b"]], [["X"]], "There are 2 sentences, but 1 lists of tags"),
        ([["a", 7]], [["X", "Y"]], "the word 7, which is no string"),
        (["ab"], [["X", "Y"]], "'ab' in place of a list of words"),
        ([["a"]], ["X"], "'X' in place of a list of tags"),
        ([["a"]], [[["X"]]], "should hold one label per row"),
        ([], [], "no word has a tag"),
        ([["a"]] * 9, [[None]] * 9, "no word has a tag"),
        ([[f"w{i}", "x"] for i in range(60)], [["X", "X"]] * 60, "two or more tags, but all of its 120 words with a tag are 'X'"),
        ([[f"w{i}", "x"] for i in range(60)], [["X", f"T{i}"] for i in range(60)], "only 'X' is"),
        ([[f"w{i}", "x"] for i in range(3000)], [[f"T{i % 150}", f"U{i % 2}"] for i in range(3000)], "152 tags"),
    ],
)
def test_what_is_refused_in_memory_is_told_in_one_sentence(words, tags, said):
    with pytest.raises(DatasetError, match=said):
        split_words(words, tags)


@pytest.mark.parametrize(
    ("words", "tags", "groups", "advice"),
    [
        # A tag for each word, few sentences, one sentence again and again: nobody named a group.
        ([[f"w{i}", "x"] for i in range(60)], [[f"T{i}", f"U{i}"] for i in range(60)], None, "There are 120 tags for 120 words"),
        ([["a", "b"], ["c", "d"]], [["N", "V"]] * 2, None, "the 4 words count as 2 when they are divided. Give more sentences."),
        ([["a", "b"]] * 60, [["N", "V"]] * 60, None, "the 120 words count as 1 when they are divided. Give more sentences."),
        ([[f"w{i}", "x"] for i in range(60)], [["N", "V"]] * 60, ["d"] * 60, "Check the group column. Give more sentences."),
    ],
)
def test_where_no_word_is_left_the_advice_is_about_words(words, tags, groups, advice):
    with pytest.raises(DatasetError) as refused:
        split_words(words, tags, groups)
    said = str(refused.value)
    assert advice in said and "rows" not in said and ("group column" in said) == (groups is not None)


def test_a_tag_that_is_none_of_the_names_is_refused():
    with pytest.raises(DatasetError, match="sentence 1 has the tag 5, which is none of A, B"):
        split_words([["a"]], [[5]], label_names=["A", "B"])


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", "label", "no sentence"),
        ("-DOCSTART- -X- O\n\n", "label", "no sentence"),
        ("word\n", "label", "one column"),
        ("a DT O\nb O\n", "label", "line 2 has 2 columns"),
        ("a\tO\n\tO\n", "label", "line 2 has no word"),
        ("a DT O\n", "4", "3 columns, and no column 4"),
        ("a DT O\n", "1", "no column '1' of tags"),
        ("a DT O\n", "pos", "no column 'pos' of tags"),
        ("a DT O\n", "-1", "no column '-1' of tags"),
        ("a O\n\n" * 40, "label", "two or more tags"),
    ],
)
def test_what_is_refused_of_a_file_is_told_in_one_sentence(file_of, text, column, said):
    with pytest.raises(DatasetError, match=said):
        load_dataset("conll", str(file_of(text)), DatasetOptions(label_column=column))


def test_max_words_is_refused_for_texts_and_holds_for_words():
    texts = {"text": [f"text {i}" for i in range(40)], "label": [0, 1] * 20}
    with pytest.raises(DatasetError, match=r"are texts, not words. Leave the option max_words out"):
        split_table(texts, DatasetOptions(max_words=10))
    words, tags = sentences(200)
    assert 92 <= len(split_words(words, tags, max_words=100).train) <= 100
