"""A user's own table: named columns, any number of classes, its own splits if it has them."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.errors import DatasetError

EMOTIONS = ("anger", "fear", "joy", "love", "sadness", "surprise")


def emotions(n=120):
    return {
        "utterance": [f"utterance {i}, of some kind" for i in range(n)],
        "emotion": [EMOTIONS[i % 6] for i in range(n)],
        "speaker": [f"s{i % 40}" for i in range(n)],
        "age": [20 + i % 50 for i in range(n)],
    }


OPTIONS = DatasetOptions(text_column="utterance", label_column="emotion")


def write(folder, form, table, name="emotions"):
    frame = pd.DataFrame(table)
    path = folder / f"{name}.{form}"
    if form == "csv":
        frame.to_csv(path, index=False)
    elif form == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, sep="\t", index=False)
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("zipped", [False, True])
def test_six_classes_with_names_are_read_from_every_form(tmp_path, form, zipped):
    path = write(tmp_path, form, emotions())
    if zipped:
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress((tmp_path / f"emotions.{form}").read_bytes()))
    splits = load_dataset(form, str(path), OPTIONS)
    assert (splits.name, splits.label_names) == ("emotions", EMOTIONS)
    expected = dict(zip(emotions()["utterance"], emotions()["emotion"], strict=True))
    for _, rows in splits.items():
        for text, label in zip(rows.texts, rows.labels, strict=True):
            assert expected[text] == EMOTIONS[label]
        assert np.bincount(rows.labels, minlength=6).min() >= 2
        assert set(rows.columns) == {"speaker", "age"} and rows.columns["age"].dtype == np.int64
    assert sum(len(rows) for _, rows in splits.items()) == 120


def test_every_form_gives_the_same_splits(tmp_path):
    hashes = [
        load_dataset(form, str(write(tmp_path, form, emotions())), OPTIONS).provenance["sha256"]
        for form in ("csv", "tsv", "jsonl")
    ]
    assert hashes[0] == hashes[1] == hashes[2]


def test_a_group_column_keeps_speakers_on_one_side_and_stays_a_column(tmp_path):
    options = DatasetOptions(text_column="utterance", label_column="emotion", group_column="speaker")
    splits = load_dataset("csv", str(write(tmp_path, "csv", emotions(600))), options)
    speakers = [set(rows.columns["speaker"].tolist()) for _, rows in splits.items()]
    assert sum(map(len, speakers)) == 40
    assert splits.train.groups.tolist() == splits.train.columns["speaker"].tolist()
    assert splits.provenance["groups"] == "speaker"


def test_rows_without_a_group_value_belong_to_none(tmp_path):
    table = emotions()
    table["speaker"] = [""] * 120
    options = DatasetOptions(text_column="utterance", label_column="emotion", group_column="speaker")
    assert load_dataset("csv", str(write(tmp_path, "csv", table)), options).train.groups is None


def test_numeric_labels_are_named_in_numeric_order_and_minus_one_is_unlabelled(tmp_path):
    table = {"text": [f"text {i}" for i in range(200)], "label": [[-1, 2, 9, 10][i % 4] for i in range(200)]}
    splits = load_dataset("csv", str(write(tmp_path, "csv", table)))
    assert splits.label_names == ("2", "9", "10")
    assert splits.provenance["dropped"] == {"unlabelled": 50}


def test_labels_minus_one_and_one_are_refused_with_the_reason(tmp_path):
    table = {"text": [f"text {i}" for i in range(20)], "label": [(-1, 1)[i % 2] for i in range(20)]}
    with pytest.raises(DatasetError, match=r"all of its 10 labelled rows are '1'.*the label -1, count as unlabelled"):
        load_dataset("csv", str(write(tmp_path, "csv", table)))


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize("word", ["NaN", "nan", "NA", "N/A", "<NA>", "NULL", "null"])
def test_words_for_nothing_are_no_class_but_dropped_by_name(tmp_path, form, word):
    table = {"text": [f"text {i}" for i in range(60)], "label": ["a", "b", word] * 20}
    splits = load_dataset(form, str(write(tmp_path, form, table)))
    assert splits.label_names == ("a", "b")
    assert splits.provenance["dropped"] == {f"unlabelled ({word})": 20}


@pytest.mark.parametrize("word", ["none", "None", "-", "?", "#N/A", "unknown"])
def test_a_word_that_looks_like_a_missing_value_is_a_class_with_a_note_and_none_where_the_user_says_so(tmp_path, word):
    table = {"text": [f"text {i}" for i in range(90)], "label": ["against", "favour", word] * 30}
    path = str(write(tmp_path, "csv", table))
    splits = load_dataset("csv", path)
    assert set(splits.label_names) == {"against", "favour", word} and splits.provenance["dropped"] == {}
    assert splits.provenance["notes"] == [
        f"The label {word!r} looks like a missing value, and counts as a class. If it is none, name it in the option missing."
    ]
    without = load_dataset("csv", path, DatasetOptions(missing=(word,)))
    assert without.label_names == ("against", "favour")
    assert without.provenance["dropped"] == {f"unlabelled ({word})": 30} and without.provenance["notes"] == []


def test_words_for_nothing_are_words_in_jsonl_which_has_null(tmp_path):
    table = {"text": [f"text {i}" for i in range(90)], "label": ["EU", "NA", None] * 30}
    splits = load_dataset("jsonl", str(write(tmp_path, "jsonl", table)))
    assert splits.label_names == ("EU", "NA") and splits.provenance["dropped"] == {"unlabelled": 30}


def test_a_test_file_whose_labels_are_words_for_nothing_has_no_labels(tmp_path):
    table = {"text": [f"text {i}" for i in range(90)], "label": ["a", "b"] * 45}
    table["split"] = ["train"] * 42 + ["dev"] * 28 + ["test"] * 20
    table["label"][70:] = ["NA"] * 20
    splits = load_dataset("csv", str(write(tmp_path, "csv", table)))
    assert [len(rows) for _, rows in splits.items()] == [42, 14, 14]
    assert "test has no labels" in splits.provenance["division"]
    assert splits.provenance["dropped"] == {"unlabelled (NA)": 20}


def test_where_words_for_nothing_leave_one_class_the_message_counts_them(tmp_path):
    table = {"text": [f"text {i}" for i in range(20)], "label": ["EU", "NA"] * 10}
    with pytest.raises(DatasetError, match=r"all of its 10 labelled rows are 'EU'.*Left out: 10 unlabelled \(NA\)"):
        load_dataset("csv", str(write(tmp_path, "csv", table)))


def test_minus_one_written_as_a_decimal_is_unlabelled_in_every_form(tmp_path):
    table = {"text": [f"text {i}" for i in range(60)], "label": [0.0, 1.5, -1.0] * 20}
    for form in ("csv", "jsonl"):
        assert load_dataset(form, str(write(tmp_path, form, table))).provenance["dropped"] == {"unlabelled": 20}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_label_of_five_thousand_digits_is_a_class(tmp_path, form):
    long = "7" * 5_000
    path = tmp_path / f"t.{form}"
    if form == "csv":
        path.write_text("text,label\n" + "".join(f"text {i},{(3, long)[i % 2]}\n" for i in range(40)))
    else:
        path.write_text("".join(f'{{"text": "text {i}", "label": {(3, long)[i % 2]}}}\n' for i in range(40)))
    assert load_dataset(form, str(path)).label_names == ("3", long)


def test_a_parquet_file_is_read_whatever_it_is_loaded_as(tmp_path):
    pd.DataFrame(emotions()).to_parquet(tmp_path / "emotions.parquet")
    wanted = load_dataset("csv", str(write(tmp_path, "csv", emotions())), OPTIONS)
    splits = load_dataset("csv", str(tmp_path / "emotions.parquet"), OPTIONS)
    assert splits.name == "emotions" and splits.provenance["sha256"] == wanted.provenance["sha256"]


@pytest.mark.parametrize(
    ("form", "separator", "hint"),
    [
        ("csv", "\t", "separated by tabs: load it as tsv="),
        ("csv", ";", "separated by semicolons: save it with commas"),
        ("tsv", ",", "separated by commas: load it as csv="),
    ],
)
def test_another_separator_is_named_where_a_column_is_missing(tmp_path, form, separator, hint):
    path = tmp_path / "t.txt"
    path.write_text(f"text{separator}label\n" + "".join(f"text {i}{separator}{i % 2}\n" for i in range(40)))
    with pytest.raises(DatasetError, match=f"has no column 'text'.*{hint}"):
        load_dataset(form, str(path))


def test_a_tilde_is_the_home_folder_for_files_and_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "csv", emotions(), "train")
    for source in ("~/train.csv", "~"):
        splits = load_dataset("csv", source, OPTIONS)
        assert sum(len(rows) for _, rows in splits.items()) == 120
        assert splits.provenance["origin"]["path"] == source


@pytest.mark.parametrize("column", ["split", "Split", "probe_split", "PROBE_SPLIT"])
def test_a_split_column_is_followed(tmp_path, column):
    table = emotions(600)
    table[column] = [("train", "Train", "validation", "test")[i // 6 % 4] for i in range(600)]
    splits = load_dataset("csv", str(write(tmp_path, "csv", table)), OPTIONS)
    wanted = {"train": "train", "dev": "validation", "test": "test"}
    for name, rows in splits.items():
        assert set(rows.texts) == {t for t, s in zip(table["utterance"], table[column], strict=True) if s.lower() == wanted[name]}
        assert column not in rows.columns
    assert splits.provenance["division"] == "Official train, dev and test"


@pytest.mark.parametrize(("odd", "named"), [("tset", "'tset'"), ("", "nothing"), ("unsupervised", "'unsupervised'")])
@pytest.mark.parametrize("column", ["split", "Split"])
def test_one_odd_word_in_a_split_column_is_refused_with_its_row(tmp_path, odd, named, column):
    table = emotions(600)
    table[column] = [("train", "train", "validation", "test")[i // 6 % 4] for i in range(600)]
    table[column][41] = odd
    with pytest.raises(DatasetError, match=f"column '{column}' says {named} in row 42.*train, dev .* or rename the column"):
        load_dataset("csv", str(write(tmp_path, "csv", table)), OPTIONS)


def test_a_column_called_split_may_hold_the_labels(tmp_path):
    table = {"text": [f"text {i}" for i in range(90)], "split": ["train", "dev", "test"] * 30}
    splits = load_dataset("csv", str(write(tmp_path, "csv", table)), DatasetOptions(label_column="split"))
    assert splits.label_names == ("dev", "test", "train") and "70/15/15" in splits.provenance["division"]


def test_a_column_called_split_with_other_words_is_an_ordinary_column(tmp_path):
    table = emotions()
    table["split"] = ["left", "right"] * 60
    splits = load_dataset("csv", str(write(tmp_path, "csv", table)), OPTIONS)
    assert "split" in splits.train.columns and "70/15/15" in splits.provenance["division"]


def test_a_split_column_without_train_is_refused(tmp_path):
    table = emotions()
    table["split"] = ["dev", "test"] * 60
    with pytest.raises(DatasetError, match="column 'split' has no row that says train"):
        load_dataset("csv", str(write(tmp_path, "csv", table)), OPTIONS)


def test_a_folder_of_split_files_is_followed_and_its_test_may_have_no_labels(tmp_path):
    folder = tmp_path / "my folder"
    folder.mkdir()
    table = emotions(360)
    for name, part in (("train", slice(0, 240)), ("dev", slice(240, 300)), ("test", slice(300, 360))):
        write(folder, "csv", {column: values[part] for column, values in table.items()}, name)
    splits = load_dataset("csv", str(folder), OPTIONS)
    assert splits.name == "my-folder"
    assert [len(rows) for _, rows in splits.items()] == [240, 60, 60]
    write(folder, "csv", {"utterance": table["utterance"][300:]}, "test")
    splits = load_dataset("csv", str(folder), OPTIONS)
    assert [len(rows) for _, rows in splits.items()] == [240, 30, 30]
    assert splits.provenance["dropped"] == {"unlabelled": 60}
    # Of another form than the one that was asked for, where there is none of that.
    assert [len(rows) for _, rows in load_dataset("jsonl", str(folder), OPTIONS).items()] == [240, 30, 30]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"holds no train\.jsonl"):
        load_dataset("jsonl", str(tmp_path / "empty"), OPTIONS)


def test_awkward_texts_come_through_whole(tmp_path):
    awkward = [
        "x" * 100_000,
        "emoji 😀",
        "שלום עולם",
        "nul\0nul",
        "next\x85line",
        "lone\ud800surrogate",
        'a "quoted", text\nof two lines',
    ]
    texts = awkward + [f"text {i}" for i in range(60)] + ["   ", ""]
    path = tmp_path / "awkward.jsonl"
    path.write_text("\n".join(json.dumps({"text": text, "label": "ab"[i % 2]}) for i, text in enumerate(texts)))
    splits = load_dataset("jsonl", str(path))
    found = {text for _, rows in splits.items() for text in rows.texts}
    assert {text.replace("\ud800", "\ufffd") for text in awkward} <= found
    assert splits.provenance["dropped"] == {"without text": 2}
    "".join(found).encode("utf-8")


def test_missing_columns_are_refused_with_the_columns_there_are(tmp_path):
    path = str(write(tmp_path, "csv", emotions()))
    with pytest.raises(
        DatasetError, match=r"no column 'label'. Its columns are: utterance, emotion, speaker, age.*the option label_column"
    ):
        load_dataset("csv", path, DatasetOptions(text_column="utterance"))
    with pytest.raises(DatasetError, match=r"no column 'review'. Its columns are: .*the option text_column"):
        load_dataset("csv", path, DatasetOptions(text_column="review", label_column="emotion"))
    with pytest.raises(DatasetError, match=r"no column 'who'. Its columns are: .*the option group_column"):
        load_dataset("csv", path, DatasetOptions(text_column="utterance", label_column="emotion", group_column="who"))


def test_one_column_for_text_and_label_is_refused(tmp_path):
    path = str(write(tmp_path, "csv", emotions()))
    with pytest.raises(DatasetError, match=r"both text and label.*the options text_column and label_column"):
        load_dataset("csv", path, DatasetOptions(text_column="emotion", label_column="emotion"))


def test_a_label_column_of_numbers_or_texts_is_refused_with_the_number_of_classes(tmp_path):
    table = emotions(100) | {"score": [i / 7 for i in range(100)]}
    path = str(write(tmp_path, "csv", table))
    for text_column, label_column, target in (("utterance", "score", "classes"), ("emotion", "utterance", "auto")):
        options = DatasetOptions(text_column=text_column, label_column=label_column, target=target)
        with pytest.raises(DatasetError, match=r"100 classes for 100 rows: is the label a number, or the text itself\?"):
            load_dataset("csv", path, options)


def test_a_text_column_of_numbers_is_refused(tmp_path):
    path = str(write(tmp_path, "jsonl", emotions()))
    with pytest.raises(DatasetError, match="column 'age' should hold texts, but row 1 has 20"):
        load_dataset("jsonl", path, DatasetOptions(text_column="age", label_column="emotion"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 20, "all of its 20 labelled rows are 'a'"),
        (["a"] * 19 + ["b"], r"class 'b' has too few examples \(1 in train, 0 in dev, 0 in test\)"),
        ([""] * 20, "it has no labelled row"),
    ],
)
def test_one_class_or_too_few_examples_are_refused(tmp_path, labels, message):
    path = write(tmp_path, "csv", {"text": [f"text {i}" for i in range(20)], "label": labels}, "reviews")
    with pytest.raises(DatasetError, match=f"Data set 'reviews': .*{message}"):
        load_dataset("csv", str(path))


def test_no_path_and_a_wrong_path_are_refused():
    with pytest.raises(DatasetError, match=r"csv needs a file\. Name it: csv=reviews\.csv"):
        load_dataset("csv")
    with pytest.raises(DatasetError, match=r"no file or folder 'nowhere.csv'"):
        load_dataset("csv", "nowhere.csv")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("reviews.csv", "reviews"),
        ("a,b & c=d.csv.gz", "a-b-c-d"),
        ("v1.2.csv", "v1.2"),
        ("...csv", "table"),
        ("отзывы.csv", "table"),
    ],
)
def test_the_file_name_becomes_a_name_that_lit_allows(tmp_path, file, name):
    source = write(tmp_path, "csv", emotions())
    path = tmp_path / file
    path.write_bytes(source.read_bytes())
    assert load_dataset("csv", str(path), OPTIONS).name == name
