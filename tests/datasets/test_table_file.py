"""A user's own table: named columns, any number of classes, its own splits if it has them."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from lit_probe.datasets import DatasetOptions, load_dataset
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


def test_a_split_column_is_followed(tmp_path):
    table = emotions(600)
    table["split"] = [("train", "train", "validation", "test")[i // 6 % 4] for i in range(600)]
    splits = load_dataset("csv", str(write(tmp_path, "csv", table)), OPTIONS)
    wanted = {"train": "train", "dev": "validation", "test": "test"}
    for name, rows in splits.items():
        assert set(rows.texts) == {t for t, s in zip(table["utterance"], table["split"], strict=True) if s == wanted[name]}
        assert "split" not in rows.columns
    assert splits.provenance["division"] == "Official train, dev and test"


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
    with pytest.raises(DatasetError, match=r"holds no train\.jsonl"):
        load_dataset("jsonl", str(folder), OPTIONS)


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
        DatasetError, match=r"no column 'label'. Its columns are: utterance, emotion, speaker, age.*--label_column"
    ):
        load_dataset("csv", path, DatasetOptions(text_column="utterance"))
    with pytest.raises(DatasetError, match=r"no column 'review'. Its columns are: .*--text_column"):
        load_dataset("csv", path, DatasetOptions(text_column="review", label_column="emotion"))
    with pytest.raises(DatasetError, match=r"no column 'who'. Its columns are: .*--group_column"):
        load_dataset("csv", path, DatasetOptions(text_column="utterance", label_column="emotion", group_column="who"))


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
    with pytest.raises(DatasetError, match=r"csv needs a file. Write --datasets=csv=reviews\.csv"):
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
