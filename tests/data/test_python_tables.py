"""Tables that a program holds: whatever form they have, the same rows come of them, or one sentence says why not."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, split_table
from lit_probe.errors import DatasetError

N = 60
TEXTS = [f"text number {i} says something of its own" for i in range(N)]
LABELS = [("bad", "good")[i % 2] for i in range(N)]
COLUMNS = {"text": TEXTS, "label": LABELS, "stars": [i % 5 for i in range(N)]}


def records(columns):
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def data_frame(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def arrow_table(columns):
    return pytest.importorskip("pyarrow").table(columns)


def dataset(columns):
    return pytest.importorskip("datasets").Dataset.from_dict(columns)


class Frame:
    """What a data frame of another library looks like: names in ``columns``, a column by its name."""

    def __init__(self, columns):
        self.columns, self._values = list(columns), columns

    def __getitem__(self, name):
        return self._values[name]


FORMS = {
    "columns": dict,
    "arrays": lambda columns: {name: np.array(values) for name, values in columns.items()},
    "records": records,
    "a tuple of records": lambda columns: tuple(records(columns)),
    "a DataFrame": data_frame,
    "an Arrow table": arrow_table,
    "a Dataset": dataset,
    "another library's frame": Frame,
}


def rows_of(splits):
    return {
        part: sorted(zip(rows.texts, [rows.label_names[i] for i in rows.labels], rows.columns["stars"].tolist(), strict=True))
        for part, rows in splits.items()
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_come_of_every_form(form):
    assert rows_of(split_table(FORMS[form](COLUMNS), DatasetOptions())) == rows_of(split_table(COLUMNS, DatasetOptions()))


@pytest.mark.parametrize("form", FORMS)
def test_splits_by_name_are_kept_in_every_form(form):
    ends = {"train": (0, 40), "validation": (40, 50), "test": (50, N)}
    parts = {word: {name: values[slice(*rows)] for name, values in COLUMNS.items()} for word, rows in ends.items()}
    splits = split_table({word: FORMS[form](part) for word, part in parts.items()}, DatasetOptions())
    for (_, rows), (start, end) in zip(splits.items(), ends.values(), strict=True):
        assert sorted(rows.texts) == sorted(TEXTS[start:end])


def test_records_without_a_key_have_nothing_there():
    rows = records(COLUMNS)
    del rows[3]["label"], rows[4]["stars"]
    splits = split_table(rows, DatasetOptions())
    assert splits.provenance["dropped"] == {"unlabelled": 1}


NO_TABLES = {
    "a path": ("reviews.csv", "It is 'reviews.csv'. A file is read by load_dataset"),
    "a list of texts": (TEXTS, "a list of records.*It is .'text number"),
    "records and something else": ([*records(COLUMNS), "text"], "record 61 is 'text'"),
    "a number": (7, "It is 7"),
    "a part without rows": ({"train": records(COLUMNS), "test": []}, r"\(test\) should be"),
    "nothing": (None, "It is None"),
    "an empty list": ([], "It is .."),
    "no columns": ({}, "has no rows"),
    "columns of nothing": ({"text": [], "label": []}, "has no rows"),
    "a string for a column": ({**COLUMNS, "label": "good"}, "column 'label' is 'good'"),
    "a number for a column": ({**COLUMNS, "stars": 3}, "column 'stars' is 3"),
    "uneven columns": ({**COLUMNS, "label": LABELS[:-1]}, "'label' has 59 values, 'text' has 60"),
}


@pytest.mark.parametrize("form", NO_TABLES)
def test_what_is_no_table_is_named(form):
    table, words = NO_TABLES[form]
    with pytest.raises(DatasetError, match=words):
        split_table(table, DatasetOptions())


@pytest.mark.parametrize("by_split", [False, True])
def test_a_stream_is_refused_before_it_is_read(by_split):
    datasets = pytest.importorskip("datasets")

    def endless():
        raise AssertionError("it was read")
        yield {"text": "a", "label": "b"}

    stream = datasets.IterableDataset.from_generator(endless)
    with pytest.raises(DatasetError, match=r"is a stream \(Iterable.*\), whose rows are not all there"):
        split_table(datasets.IterableDatasetDict({"train": stream}) if by_split else stream)


def test_a_frame_that_names_a_column_twice_is_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(list(zip(TEXTS, LABELS, LABELS, strict=True)), columns=["text", "label", "label"])
    with pytest.raises(DatasetError, match="names a column twice: label"):
        split_table(frame, DatasetOptions())


def test_parts_that_number_their_classes_differently_are_refused():
    datasets = pytest.importorskip("datasets")

    def part(names, rows):
        features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
        columns = {"text": TEXTS[slice(*rows)], "label": [i % 2 for i in range(*rows)]}
        return datasets.Dataset.from_dict(columns, features=features)

    parts = {"train": part(["pos", "neg"], (0, 40)), "test": part(["neg", "pos"], (40, N))}
    with pytest.raises(DatasetError, match="train and test call the classes of 'label' differently"):
        split_table(datasets.DatasetDict(parts), DatasetOptions())
    plain = datasets.Dataset.from_dict({"text": TEXTS[40:], "label": [i % 2 for i in range(40, N)]})
    splits = split_table({"train": parts["train"], "test": plain}, DatasetOptions())
    assert splits.label_names == ("pos", "neg")


def test_a_word_for_nothing_may_be_the_name_of_a_numbered_class():
    datasets = pytest.importorskip("datasets")
    names = ["bad", "unknown", "good"]
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    table = datasets.Dataset.from_dict({"text": TEXTS, "label": [i % 3 for i in range(N)]}, features=features)
    splits = split_table(table, DatasetOptions(missing=("unknown",)))
    assert splits.label_names == ("bad", "good") and splits.provenance["dropped"] == {"unlabelled (unknown)": N // 3}


def test_a_word_for_nothing_that_never_occurs_is_mentioned():
    splits = split_table(COLUMNS, DatasetOptions(missing=("Bad", "?")))
    assert splits.provenance["notes"] == ["No label is 'Bad' or '?', which the option missing names."]


def test_a_frame_without_values_yet_is_refused():
    class Plan:
        columns = ("text", "label")

        def __getitem__(self, name):
            raise TypeError("a plan is not subscriptable")

    with pytest.raises(DatasetError, match="Make a DataFrame of it"):
        split_table(Plan(), DatasetOptions())
