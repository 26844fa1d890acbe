"""What must not stand on two sides of a split, in whatever writing it comes."""

from __future__ import annotations

import pytest

from lit_probe.data import DatasetOptions, load_dataset, split_table, split_texts
from lit_probe.data.labelled_texts import normalise_text
from lit_probe.errors import DatasetError

N = 120
TEXTS = [f"text number {i} says something of its own" for i in range(N)]
LABELS = [("bad", "good")[i % 2] for i in range(N)]

INVISIBLE = {
    "zero-width space": "\u200b",
    "soft hyphen": "\u00ad",
    "byte order mark": "\ufeff",
    "word joiner": "\u2060",
    "direction mark": "\u200e",
    "control character": "\x08",
    "variation selector": "\ufe0f",
    "grapheme joiner": "\u034f",
    "Hangul filler": "\u3164",
}


@pytest.mark.parametrize("kind", INVISIBLE)
def test_texts_that_differ_in_invisible_characters_are_one_text(kind):
    sign = INVISIBLE[kind]
    assert normalise_text(f"some{sign}thing") == "something" == normalise_text(f"{sign}Something{sign} ")
    copies = [f"text{sign}{text[4:]}{sign}" for text in TEXTS]
    splits = split_texts(TEXTS + copies, LABELS + LABELS)
    seen = [{text.replace(sign, "") for text in rows.texts} for _, rows in splits.items()]
    assert sum(map(len, seen)) == N == len(set.union(*seen))


def test_texts_of_invisible_characters_only_are_no_texts():
    splits = split_texts([*TEXTS, "\u200b", "\ufeff\u00a0", "\u2060\u200e"], [*LABELS, "bad", "good", "good"])
    assert splits.provenance["dropped"] == {"without text": 3}


def test_folding_makes_no_new_differences():
    for text in ("\u1e9e\u0130x", "\ufb01ne \u03d2\u0301", "I\u0307", "\u1fb3"):
        assert normalise_text(normalise_text(text)) == normalise_text(text)


def one_side(splits, values):
    """The splits in which each value stands, rows told by their texts."""
    where = {}
    for name, rows in splits.items():
        for text in rows.texts:
            where.setdefault(values[text], set()).add(name)
    return where


GROUPS = {
    "case": ("Anna {}", "anna {}"),
    "leading zeros": ("00{}", "{}"),
    "whole floats": ("{}.0", "{}"),
    "white space": ("Anna  {}", "Anna {} "),
    "accents": ("Ren\u00e9 {}", "Rene\u0301 {}"),
    "width": ("\uff21nna {}", "Anna {}"),
    "digits of another width": ("\uff11{}", "1{}"),
    "an invisible sign before an accent": ("Rene\u200d\u0301 {}", "Ren\u00e9 {}"),
}


@pytest.mark.parametrize("kind", GROUPS)
def test_one_group_in_several_writings_stays_in_one_split(kind):
    one, other = GROUPS[kind]
    groups = [(one if i % 4 < 2 else other).format(i // 4) for i in range(N)]
    by_text = {text: i // 4 for i, text in enumerate(TEXTS)}
    for splits in (
        split_texts(TEXTS, LABELS, groups),
        split_table({"text": TEXTS, "label": LABELS, "author": groups}, DatasetOptions(group_column="author")),
    ):
        assert all(len(parts) == 1 for parts in one_side(splits, by_text).values())
        assert sum(len(rows) for _, rows in splits.items()) == N


def test_long_identifiers_stay_apart():
    groups = [1234567890123456700 + i // 4 for i in range(N)]  # beyond what a float can tell apart
    splits = split_texts(TEXTS, LABELS, groups)
    assert len({group for _, rows in splits.items() for group in rows.groups}) == N // 4


@pytest.mark.parametrize("nothing", ["NaN", "nan", "NA", "N/A", "<NA>", "NULL", "null", ""])
def test_words_for_nothing_are_no_group(tmp_path, nothing):
    path = tmp_path / "reviews.csv"
    authors = [nothing if i % 2 else f"author {i // 8}" for i in range(N)]
    lines = [",".join(row) for row in zip(TEXTS, LABELS[1:] + LABELS[:1], authors, strict=True)]
    path.write_text("\n".join(["text,label,author", *lines]))
    splits = load_dataset("csv", str(path), DatasetOptions(group_column="author"))
    # As one group of 60 rows they would all be train.
    assert all(sum("author" not in group for group in rows.groups) > 5 for _, rows in splits.items())


@pytest.mark.parametrize("value", [["anna", "ben"], {"name": "anna"}])
def test_a_list_or_an_object_is_no_group(value):
    groups = ["x", value] * (N // 2)
    with pytest.raises(DatasetError, match="should hold one group per row, but row 2 has"):
        split_table({"text": TEXTS, "label": LABELS, "author": groups}, DatasetOptions(group_column="author"))
    with pytest.raises(DatasetError, match="should hold one group per row, but row 2 has"):
        split_texts(TEXTS, LABELS, groups)


MARKS = ["train" if i % 6 < 4 else ("validation", "test")[i % 6 - 4] for i in range(N)]


@pytest.mark.parametrize("name", ["Partition", "set", "data_split", "fold"])
def test_a_column_of_words_for_splits_is_one_by_whatever_name(name):
    splits = split_table({"text": TEXTS, "label": [LABELS[i // 6] for i in range(N)], name: MARKS}, DatasetOptions())
    for (_, rows), word in zip(splits.items(), ("train", "validation", "test"), strict=True):
        assert sorted(rows.texts) == sorted(text for text, mark in zip(TEXTS, MARKS, strict=True) if mark == word)
    assert splits.provenance["notes"] == [
        f"The column {name!r} says train or validation or test in every row, so these are the splits. Rename its words if it "
        "means something else."
    ]


def test_a_column_with_other_words_too_is_a_column():
    words = ["train", "test", "plane"]
    splits = split_table({"text": TEXTS, "label": LABELS, "about": [words[i % 3] for i in range(N)]}, DatasetOptions())
    assert set(splits.train.columns) == {"about"} and splits.provenance["division"].startswith("One table, divided")


def test_two_columns_that_contradict_each_other_are_refused():
    other = [*MARKS[1:], MARKS[0]]
    table = {"text": TEXTS, "label": LABELS, "set": MARKS, "fold": other}
    with pytest.raises(DatasetError, match="the columns 'set' and 'fold' divide the rows differently"):
        split_table(table, DatasetOptions())
    with pytest.raises(DatasetError, match="the columns 'split' and 'set' divide the rows differently"):
        split_table({"text": TEXTS, "label": LABELS, "set": MARKS, "split": other}, DatasetOptions())


def write(path, rows, separator=","):
    path.write_text("\n".join(separator.join(row) for row in [("text", "label"), *rows]) + "\n")


ROWS = list(zip(TEXTS, LABELS, strict=True))


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "parquet", "csv.gz"])
def test_official_rows_in_another_form_are_read(tmp_path, ending):
    pandas = pytest.importorskip("pandas")
    write(tmp_path / "train.csv", ROWS[:90])
    frame = pandas.DataFrame(ROWS[90:], columns=["text", "label"])
    match ending:
        case "tsv":
            write(tmp_path / "test.tsv", ROWS[90:], "\t")
        case "jsonl":
            frame.to_json(tmp_path / "test.jsonl", orient="records", lines=True)
        case "parquet":
            frame.to_parquet(tmp_path / "test.parquet")
        case _:
            frame.to_csv(tmp_path / "test.csv.gz", index=False)
    splits = load_dataset("csv", str(tmp_path))
    assert sorted(splits.test.texts) == sorted(TEXTS[90:]) and splits.provenance["notes"] == []


def test_the_asked_form_comes_first_and_the_other_file_is_mentioned(tmp_path):
    write(tmp_path / "train.csv", ROWS[:90])
    write(tmp_path / "test.csv", ROWS[90:])
    write(tmp_path / "test.tsv", ROWS[:30], "\t")
    write(tmp_path / "train_old.tsv", ROWS[:30], "\t")
    splits = load_dataset("csv", str(tmp_path))
    assert sorted(splits.test.texts) == sorted(TEXTS[90:])
    assert splits.provenance["notes"] == [f"Not read in {str(tmp_path)!r}: test.tsv, train_old.tsv."]


@pytest.mark.parametrize("form", ["dictionary", "DatasetDict", "save_to_disk", "folder"])
def test_a_split_column_is_followed_where_everything_stands_in_a_part_called_train(tmp_path, form):
    """As the library ``datasets`` reads a single file."""
    datasets = pytest.importorskip("datasets")
    columns = {"text": TEXTS, "label": [LABELS[i // 6] for i in range(N)], "split": MARKS}
    whole = {"train": datasets.Dataset.from_dict(columns)}
    match form:
        case "dictionary":
            splits = split_table({"train": columns}, DatasetOptions())
        case "DatasetDict":
            splits = split_table(datasets.DatasetDict(whole), DatasetOptions())
        case "save_to_disk":
            datasets.DatasetDict(whole).save_to_disk(tmp_path / "saved")
            splits = load_dataset("csv", str(tmp_path / "saved"))
        case _:
            whole["train"].to_parquet(tmp_path / "train.parquet")
            splits = load_dataset("csv", str(tmp_path))
    for (_, rows), word in zip(splits.items(), ("train", "validation", "test"), strict=True):
        assert sorted(rows.texts) == sorted(text for text, mark in zip(TEXTS, MARKS, strict=True) if mark == word)


@pytest.mark.parametrize(("odd", "told"), [("", "nothing"), ("unsup", "'unsup'")])
def test_a_column_that_names_splits_in_most_rows_is_mentioned(odd, told):
    table = {"text": TEXTS, "label": [LABELS[i // 6] for i in range(N)], "subset": [odd, *MARKS[1:]]}
    (note,) = split_table(table, DatasetOptions()).provenance["notes"]
    assert note.startswith(f"The column 'subset' names a split in most rows, but says {told} in others, so the table was divided")


def test_words_for_nothing_are_read_by_the_form_of_each_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS[:90], columns=["text", "label"]).assign(author=[f"a{i // 3}" for i in range(90)])
    frame.replace("bad", "NA").to_json(tmp_path / "train.jsonl", orient="records", lines=True)
    held = pandas.DataFrame(ROWS[90:], columns=["text", "label"]).assign(author=["NaN", "b"] * 15)
    held.replace("bad", "NA").to_csv(tmp_path / "test.csv", index=False)
    splits = load_dataset("jsonl", str(tmp_path), DatasetOptions(group_column="author"))
    # A class NA in JSON is a class; in CSV nothing tells it from a missing value.
    assert splits.label_names == ("NA", "good") and splits.provenance["dropped"] == {"unlabelled (NA)": 15}
    assert not any("NaN" in group for group in splits.test.groups)
