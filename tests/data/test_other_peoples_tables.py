"""Tables as other people write them: one value in several writings, names that look alike, files of other programs."""

from __future__ import annotations

import json
from itertools import chain

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, load_dataset, parse_dataset_flag, split_table, split_texts
from lit_probe.data.labelled_texts import normalise_text
from lit_probe.errors import DatasetError

N = 120
TEXTS = [f"text number {i} says something of its own" for i in range(N)]


def csv_file(folder, header, rows, name="reviews.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes("\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode(encoding))
    return str(path)


def labels_of(splits):
    """The label of every text, whatever split it stands in."""
    return {
        text: splits.label_names[label] for _, rows in splits.items() for text, label in zip(rows.texts, rows.labels, strict=True)
    }


def test_whole_floats_are_whole_numbers_in_their_own_order(tmp_path):
    path = csv_file(tmp_path, "text,label", [(text, f"{i % 12}.0") for i, text in enumerate(TEXTS)])
    splits = load_dataset("csv", path)
    assert splits.label_names == tuple(map(str, range(12)))
    assert labels_of(splits) == {text: str(i % 12) for i, text in enumerate(TEXTS)}


def test_decimal_numbers_are_in_numeric_order(tmp_path):
    path = csv_file(tmp_path, "text,label", [(text, ["10.5", "-1.5", "2.0", "9.5"][i % 4]) for i, text in enumerate(TEXTS)])
    assert load_dataset("csv", path).label_names == ("-1.5", "2", "9.5", "10.5")


def test_names_with_numbers_sort_by_the_number():
    splits = split_texts(TEXTS, [f"topic {i % 12}" for i in range(N)])
    assert splits.label_names == tuple(f"topic {i}" for i in range(12))


# Writings of the classes a and b that are two classes, whatever the file says.
ONE_CLASS = {
    "1 and 1.0": (["1", "1.0"], ["0", "0.0"], "1", "0"),
    "TRUE and True": (["TRUE", "True", "true"], ["FALSE", "False", "false"], "true", "false"),
    "composed and decomposed accents": (["caf\u00e9", "cafe\u0301"], ["th\u00e9", "the\u0301"], "caf\u00e9", "th\u00e9"),
    "invisible characters at the ends": (["good", "\ufeffgood", "good\u200b", "\u00a0good"], ["bad", "bad\u00ad"], "good", "bad"),
}


@pytest.mark.parametrize("writing", ONE_CLASS)
def test_one_class_in_several_writings_is_one_class(tmp_path, writing):
    first, second, one, two = ONE_CLASS[writing]
    words = [(first if i % 2 else second)[i % len(first if i % 2 else second)] for i in range(N)]
    splits = load_dataset("csv", csv_file(tmp_path, "text,label", zip(TEXTS, words, strict=True)))
    assert set(splits.label_names) == {one, two} and splits.provenance["notes"] == []
    assert labels_of(splits) == {text: one if i % 2 else two for i, text in enumerate(TEXTS)}
    # The same by a Python program.
    assert labels_of(split_texts(TEXTS, words)) == labels_of(split_table({"text": TEXTS, "label": words}, DatasetOptions()))


def test_true_and_1_are_one_class_in_json_where_a_column_has_both(tmp_path):
    values = [[1, "1", True, 1.0], [0, "0", False, 0.0]]
    records = [{"text": text, "label": values[i % 2][i // 2 % 4]} for i, text in enumerate(TEXTS)]
    path = tmp_path / "reviews.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    splits = load_dataset("jsonl", str(path))
    assert splits.label_names == ("0", "1")
    assert labels_of(splits) == {text: str(1 - i % 2) for i, text in enumerate(TEXTS)}


def test_true_stays_true_where_there_are_no_numbers():
    assert split_texts(TEXTS, [i % 2 == 0 for i in range(N)]).label_names == ("false", "true")


@pytest.mark.parametrize("names", [("Good", "good"), ("01", "1"), ("very  good", "very good"), ("1.50", "1.5")])
def test_names_that_differ_in_writing_only_get_a_note(names):
    splits = split_texts(TEXTS, [(*names, "other")[i % 3] for i in range(N)])
    assert len(splits.label_names) == 3
    (note,) = splits.provenance["notes"]
    assert all(repr(name) in note for name in names) and "count as two classes" in note


def test_a_group_of_a_number_is_one_group_in_every_file(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    rows = [(text, ["bad", "good"][i % 2], i % 10) for i, text in enumerate(TEXTS)]
    csv_file(folder, "text,label,author", [*rows[:60], ("a text of nobody", "bad", "")], "train.csv")
    # pandas writes the column of the other file as floats, because one value is missing there.
    csv_file(folder, "text,label,author", [(text, label, f"{author}.0") for text, label, author in rows[60:64]], "test.csv")
    splits = load_dataset("csv", str(folder), DatasetOptions(group_column="author"))
    held_out = {author for _, _, author in rows[60:64]}
    assert set(splits.test.groups) == {str(author) for author in held_out}
    assert not held_out & {int(group) for group in chain(splits.train.groups, splits.dev.groups) if group.isdecimal()}
    assert sum(splits.provenance["dropped"].values()) == 24  # those of the authors 0 to 3 in train
    authors = [float(author) if i % 2 else author for i, (_, _, author) in enumerate(rows)]
    frame = {"text": TEXTS, "label": [label for _, label, _ in rows], "author": authors}
    parts = split_table(frame, DatasetOptions(group_column="author")).items()
    assert len(set(np.concatenate([part.groups for _, part in parts]))) == 10


WORDS = [
    ("train", "dev", "test"),
    ("training", "validation", "testing"),
    ("Training", "Development", "TEST"),
    ("trn", "eval", "tst"),
]


@pytest.mark.parametrize("words", WORDS)
def test_known_words_for_splits_keep_official_rows_apart(tmp_path, words):
    marks = [words[0 if i % 6 < 4 else i % 6 - 3] for i in range(N)]
    labels = [["bad", "good"][i // 6 % 2] for i in range(N)]
    path = csv_file(tmp_path, "text,label,Split", zip(TEXTS, labels, marks, strict=True))
    splits = load_dataset("csv", path)
    for (_, rows), word in zip(splits.items(), words, strict=True):
        assert sorted(rows.texts) == sorted(text for text, mark in zip(TEXTS, marks, strict=True) if mark == word)


def test_a_column_split_without_words_for_splits_is_mentioned(tmp_path):
    rows = [(text, ["bad", "good"][i % 2], f"fold {i % 5}") for i, text in enumerate(TEXTS)]
    path = csv_file(tmp_path, "text,label,split", rows)
    splits = load_dataset("csv", path)
    assert splits.provenance["division"].startswith("One table, divided")
    assert splits.provenance["notes"] == [
        "The column 'split' says 'fold 0', 'fold 1', 'fold 2', 'fold 3', which names no split, so the table was divided anew. "
        "Official splits are called train, dev (or validation) and test."
    ]


def test_an_unknown_word_beside_known_ones_is_refused(tmp_path):
    path = csv_file(tmp_path, "text,label,split", [(text, i % 2, "train" if i % 3 else "extra") for i, text in enumerate(TEXTS)])
    with pytest.raises(DatasetError, match="column 'split' says 'extra' in row 1"):
        load_dataset("csv", path)


@pytest.mark.parametrize("value", [["good", "short"], {"stars": 3}, []])
def test_a_list_or_an_object_is_no_label(tmp_path, value):
    path = tmp_path / "reviews.jsonl"
    path.write_text("\n".join(json.dumps({"text": text, "label": value if i == 7 else "good"}) for i, text in enumerate(TEXTS)))
    with pytest.raises(DatasetError, match="'label' should hold one label per row, but row 8 has"):
        load_dataset("jsonl", str(path))


def test_eval_csv_is_dev_and_other_files_are_mentioned(tmp_path):
    rows = [(text, ["bad", "good"][i % 2]) for i, text in enumerate(TEXTS)]
    csv_file(tmp_path, "text,label", rows[:80], "train.csv")
    csv_file(tmp_path, "text,label", rows[80:100], "eval.csv")
    csv_file(tmp_path, "text,label", rows[100:], "test.csv")
    csv_file(tmp_path, "text,label", rows[:3], "train_old.csv")
    splits = load_dataset("csv", str(tmp_path))
    assert sorted(splits.dev.texts) == sorted(text for text, _ in rows[80:100])
    assert splits.provenance["notes"] == [f"Not read in {str(tmp_path)!r}: train_old.csv."]


@pytest.fixture(scope="module")
def classes():
    """A ``datasets.Dataset`` whose classes have names that are not in alphabetical order."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["pos", "neg"])})
    return datasets.Dataset.from_dict({"text": TEXTS, "label": [i % 2 for i in range(N)]}, features=features)


def test_class_names_that_datasets_wrote_into_parquet_are_kept_in_their_order(tmp_path, classes):
    path = tmp_path / "reviews.parquet"
    classes.to_parquet(path)
    splits = load_dataset("csv", str(path))
    assert splits.label_names == ("pos", "neg") and splits.provenance["numbered"]
    assert labels_of(splits) == {text: ("pos", "neg")[i % 2] for i, text in enumerate(TEXTS)}


def test_a_dataset_of_the_library_is_a_table_with_class_names(classes):
    splits = split_table(classes, DatasetOptions())
    assert splits.label_names == ("pos", "neg")
    assert labels_of(splits) == {text: ("pos", "neg")[i % 2] for i, text in enumerate(TEXTS)}


def test_a_dataset_dict_keeps_its_splits(classes):
    datasets = pytest.importorskip("datasets")
    ends = {"train": (0, 80), "validation": (80, 100), "test": (100, N)}
    parts = {word: classes.select(range(*rows)) for word, rows in ends.items()}
    splits = split_table(datasets.DatasetDict(parts), DatasetOptions())
    assert sorted(splits.dev.texts) == sorted(TEXTS[80:100]) and sorted(splits.test.texts) == sorted(TEXTS[100:])
    with pytest.raises(DatasetError, match="has no split train, but unsupervised"):
        split_table(datasets.DatasetDict({"unsupervised": classes}), DatasetOptions())


@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_of_save_to_disk_is_read(tmp_path, classes, whole):
    datasets = pytest.importorskip("datasets")
    saved = classes if whole else datasets.DatasetDict({"train": classes})
    saved.save_to_disk(tmp_path / "saved")
    splits = load_dataset("csv", str(tmp_path / "saved"))
    assert splits.name == "saved" and splits.label_names == ("pos", "neg")
    assert labels_of(splits) == {text: ("pos", "neg")[i % 2] for i, text in enumerate(TEXTS)}


def test_a_folder_of_parquet_files_is_read(tmp_path, classes):
    (tmp_path / "data").mkdir()
    classes.select(range(80)).to_parquet(tmp_path / "data" / "train-00000-of-00002.parquet")
    classes.select(range(80, 90)).to_parquet(tmp_path / "data" / "train-00001-of-00002.parquet")
    classes.select(range(90, N)).to_parquet(tmp_path / "data" / "test-00000-of-00001.parquet")
    splits = load_dataset("csv", str(tmp_path))
    assert splits.label_names == ("pos", "neg") and sorted(splits.test.texts) == sorted(TEXTS[90:])


ROWS = [(text, ["bad", "good"][i % 2]) for i, text in enumerate(TEXTS)]
FILES = {
    "a line for Excel": ("sep=,\ntext,label", ROWS, "utf-8"),
    "that line in quotation marks": ('"sep=,"\ntext,label', ROWS, "utf-8"),
    "that line as a row": ("SEP=,,\r\ntext,label", ROWS, "utf-8"),
    "columns without name or value": ("text,label,,", [(*row, "", "") for row in ROWS], "utf-8"),
    "UTF-16 with a mark": ("text,label", ROWS, "utf-16"),
    "UTF-32 with a mark": ("text,label", ROWS, "utf-32"),
    "UTF-8 with a zero before a comma": ("text,label", [(f"{ROWS[0][0]}\0", ROWS[0][1]), *ROWS[1:]], "utf-8"),
    "UTF-16, little end first, without a mark": ("text,label", ROWS, "utf-16-le"),
    "UTF-16, big end first, without a mark": ("text,label", ROWS, "utf-16-be"),
    "an invisible character in the header": ("\ufeff\ufefftext\u200b,\u00a0label", ROWS, "utf-8"),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_spreadsheets_write_is_read(tmp_path, kind):
    header, rows, encoding = FILES[kind]
    splits = load_dataset("csv", csv_file(tmp_path, header, rows, encoding=encoding))
    assert {text.strip("\0"): label for text, label in labels_of(splits).items()} == dict(ROWS)
    assert set(splits.train.columns) == set()


def test_a_column_without_a_name_but_with_values_is_kept_apart(tmp_path):
    path = csv_file(tmp_path, "text,label,", [(*row, i) for i, row in enumerate(ROWS)])
    assert list(load_dataset("csv", path).train.columns) == ["column 3"]


def test_columns_without_a_name_are_called_by_their_place_and_emptied_ones_left_out(tmp_path):
    rows = [(i, text, "", label, "x" if i == 7 else "", "") for i, (text, label) in enumerate(ROWS)]
    path = csv_file(tmp_path, ",text,,label,,", [(*row, "", "") if row[0] == 3 else row for row in rows])
    splits = load_dataset("csv", path)
    assert labels_of(splits) == dict(ROWS) and sorted(splits.train.columns) == ["column 1", "column 5"]


def test_texts_that_differ_in_the_writing_of_accents_only_count_once():
    assert normalise_text("cafe\u0301") == normalise_text("caf\u00e9")


def test_a_data_frame_with_a_column_features_is_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "label": [i % 2 for i in range(N)], "features": range(N)})
    assert labels_of(split_table(frame, DatasetOptions())) == {text: str(i % 2) for i, text in enumerate(TEXTS)}


def test_label_names_may_be_in_any_writing():
    splits = split_texts(TEXTS, ["True", "False"] * (N // 2), label_names=["False", "True"])
    assert labels_of(splits) == {text: ("True", "False")[i % 2] for i, text in enumerate(TEXTS)}


def test_a_parquet_file_without_class_names_does_not_contradict_one_with_them(tmp_path, classes):
    classes.select(range(90)).to_parquet(tmp_path / "train.parquet")
    classes.select(range(90, N)).to_pandas().to_parquet(tmp_path / "test.parquet")
    assert load_dataset("csv", str(tmp_path)).label_names == ("pos", "neg")


def test_digits_that_a_source_names_its_classes_by_are_matched_by_their_place():
    from lit_probe.probing.head_classes import match_classes

    assert match_classes(("LABEL_0", "LABEL_1", "LABEL_2"), ("0", "10", "2"), numbered=True) == [0, 1, 2]


@pytest.mark.parametrize("path", ["x" * 300, "~nosuchuser/a.csv"])
def test_a_path_that_the_system_balks_at_is_told_by_the_loader(path):
    [(name, source, _)] = parse_dataset_flag(f"csv={path}")
    with pytest.raises(DatasetError):
        load_dataset(name, source)


def test_a_word_for_nothing_is_meant_in_any_writing():
    splits = split_table({"text": TEXTS, "label": [float((0, 1, 9)[i % 3]) for i in range(N)]}, DatasetOptions(missing=("9",)))
    assert splits.label_names == ("0", "1") and splits.provenance["dropped"] == {"unlabelled (9)": N // 3}


def test_two_parts_for_one_split_are_refused_and_unknown_ones_mentioned(classes):
    datasets = pytest.importorskip("datasets")
    parts = {"train": classes.select(range(80)), "validation": classes.select(range(80, N))}
    with pytest.raises(DatasetError, match="two parts for one split: validation and dev"):
        split_table(datasets.DatasetDict({**parts, "dev": parts["validation"]}), DatasetOptions())
    splits = split_table(datasets.DatasetDict({**parts, "test_hard": parts["validation"]}), DatasetOptions())
    assert "Not read: test_hard, which name no split." in splits.provenance["notes"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_file_in_utf_16_may_have_no_latin_letter(tmp_path, encoding, form):
    texts = ["第" + chr(0x4E00 + i) + "条评论说了些自己的话" for i in range(N)]
    separator = "," if form == "csv" else "\t"
    lines = [f"文本{separator}标签", *(f"{text}{separator}{'好坏'[i % 2]}" for i, text in enumerate(texts))]
    path = tmp_path / f"reviews.{form}"
    path.write_bytes("\n".join(lines).encode(encoding))
    splits = load_dataset(form, str(path), DatasetOptions(text_column="文本", label_column="标签"))
    assert labels_of(splits) == {text: "好坏"[i % 2] for i, text in enumerate(texts)}


NO_TABLES = {
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "an old Excel workbook. Save the sheet as CSV"),
    "a workbook": (b"PK\x03\x04\x14\x00" + bytes(64), "a zip archive or a workbook"),
    "an Arrow file": (b"ARROW1\0\0" + bytes(64), "an Arrow file. Give the folder that save_to_disk wrote"),
    "an Arrow stream": (b"\xff\xff\xff\xff" + bytes(64), "an Arrow file"),
    "a pickle": (b"\x80\x04\x95" + bytes(64), "a Python pickle, which is not opened"),
    "a database": (b"SQLite format 3\0" + bytes(64), "an SQLite database"),
    "a compressed file": (b"BZh91AY&SY" + bytes(64), "compressed with bzip2"),
    "a quickly compressed file": (b"BZh11AY&SY" + bytes(64), "compressed with bzip2"),
    "a web page in small letters": (b"\n\n<!doctype html>\n<html><body>Sign in</body></html>", "a web page"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "a web page": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "a web page"),
}


@pytest.mark.parametrize("kind", NO_TABLES)
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_a_file_that_is_no_table_is_named(tmp_path, kind, form):
    content, words = NO_TABLES[kind]
    path = tmp_path / f"reviews.{form}"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=words):
        load_dataset(form, str(path))


def test_one_json_array_is_named(tmp_path):
    path = tmp_path / "reviews.jsonl"
    path.write_text(json.dumps([{"text": text, "label": label} for text, label in ROWS], indent=1))
    with pytest.raises(DatasetError, match="is one JSON array"):
        load_dataset("jsonl", str(path))


def test_a_folder_of_save_to_disk_keeps_its_path(tmp_path, classes):
    classes.save_to_disk(tmp_path / "saved")
    origin = load_dataset("csv", str(tmp_path / "saved")).provenance["origin"]
    assert origin["kind"] == "folder" and origin["path"] == str(tmp_path / "saved") and origin["form"] == "csv"


@pytest.mark.parametrize("labels", [["pos", "neg"], ["0", "1"]])
def test_a_part_with_names_and_a_part_with_numbers_have_the_same_classes(tmp_path, classes, labels):
    classes.select(range(90)).to_parquet(tmp_path / "train.parquet")
    csv_file(tmp_path, "text,label", [(text, labels[i % 2]) for i, text in enumerate(TEXTS)][90:], "test.csv")
    splits = load_dataset("csv", str(tmp_path))
    assert labels_of(splits) == {text: ("pos", "neg")[i % 2] for i, text in enumerate(TEXTS)}


def test_numbers_that_the_source_has_no_name_for_are_names_of_their_own(tmp_path, classes):
    classes.select(range(90)).to_parquet(tmp_path / "train.parquet")
    csv_file(tmp_path, "text,label", [(text, f"0{i % 2}") for i, text in enumerate(TEXTS)][90:], "dev.csv")
    with pytest.raises(DatasetError, match="class '0'"):
        load_dataset("csv", str(tmp_path))


def test_a_folder_of_another_form_is_read(tmp_path):
    (tmp_path / "train.jsonl").write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS))
    assert labels_of(load_dataset("csv", str(tmp_path))) == dict(ROWS)
