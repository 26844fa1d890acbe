"""A label, a group and a text are one value: a list, an object or bytes is refused by name, whatever the data come from."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lit_probe.data import DatasetOptions, load_dataset, split_texts
from lit_probe.errors import DatasetError

datasets = pytest.importorskip("datasets")
pyarrow = pytest.importorskip("pyarrow")

N = 60
COLUMNS: dict[str, list[Any]] = {
    "text": [f"text number {i} says something of its own" for i in range(N)],
    "label": [("bad", "good")[i % 2] for i in range(N)],
    "author": [f"author {i // 3}" for i in range(N)],
}
OPTIONS = DatasetOptions(group_column="author")


def written(suffix: str, write: Callable[[pd.DataFrame, Path], Any]) -> Callable[[dict, Path], Any]:
    def load(columns: dict, folder: Path):
        write(pd.DataFrame(columns), folder / f"t.{suffix}")
        return load_dataset("csv" if suffix == "parquet" else suffix, str(folder / f"t.{suffix}"), OPTIONS)

    return load


def jsonl(columns: dict, folder: Path):
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return load_dataset("jsonl", str(folder / "t.jsonl"), OPTIONS)


def hub_folder(columns: dict, folder: Path):
    datasets.Dataset.from_dict(columns).to_parquet(folder / "train.parquet")
    return load_dataset("hub", str(folder), OPTIONS)


def saved(columns: dict, folder: Path):
    datasets.Dataset.from_dict(columns).save_to_disk(folder / "saved")
    return load_dataset("hub", str(folder / "saved"), OPTIONS)


def in_lists(columns: dict, folder: Path):
    return split_texts(columns["text"], columns["label"], columns["author"])


# Forms that keep a list a list.
KEEP: dict[str, Callable[[dict, Path], Any]] = {
    "jsonl": jsonl,
    "parquet": written("parquet", lambda frame, path: frame.to_parquet(path)),
    "a folder like the hub's": hub_folder,
    "save_to_disk": saved,
    "columns": lambda columns, _: load_dataset(columns, options=OPTIONS),
    "a DataFrame": lambda columns, _: load_dataset(pd.DataFrame(columns), options=OPTIONS),
    "a Dataset": lambda columns, _: load_dataset(datasets.Dataset.from_dict(columns), options=OPTIONS),
    "a DatasetDict": lambda columns, _: load_dataset(
        datasets.DatasetDict({"train": datasets.Dataset.from_dict(columns)}), options=OPTIONS
    ),
    "an Arrow table": lambda columns, _: load_dataset(pyarrow.table(columns), options=OPTIONS),
    "lists": in_lists,
}
# Forms in which everything is text, so that a list stands there in writing.
WRITE = {
    "csv": written("csv", lambda frame, path: frame.to_csv(path, index=False)),
    "tsv": written("tsv", lambda frame, path: frame.to_csv(path, index=False, sep="\t")),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "prepared"))


def with_values(column: str, values: list[Any]) -> dict:
    return {**COLUMNS, column: values}


@pytest.mark.parametrize("value", [["a", "b"], [], {"a": "b"}, [["a"], ["b"]]], ids=["list", "empty", "object", "nested"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("form", KEEP)
def test_a_list_or_an_object_is_refused_by_name(form, column, value, tmp_path):
    with pytest.raises(DatasetError) as told:
        KEEP[form](with_values(column, [value] * N), tmp_path)
    name = {"text": "Text 1" if form == "lists" else "'text'", "author": "'groups'" if form == "lists" else "'author'"}
    assert name.get(column, "'label'") in str(told.value)
    assert "row 1 has" in str(told.value) or "Text 1 is" in str(told.value)


@pytest.mark.parametrize("value", [["a", "b"], [0, 1], [], ("a", 1), {"a": 1}, np.array([0, 1]), np.array(["a", "b"])], ids=str)
@pytest.mark.parametrize("column", ["label", "author"])
@pytest.mark.parametrize("form", WRITE)
def test_a_list_in_writing_is_refused_by_name(form, column, value, tmp_path):
    values = [str(value) if i == 7 else COLUMNS[column][i] for i in range(N)]
    words = (
        rf"Column '{column}' should hold one {'label' if column == 'label' else 'group'} per row, but row 8 has .*in writing\)"
    )
    with pytest.raises(DatasetError, match=words):
        WRITE[form](with_values(column, values), tmp_path)
    with pytest.raises(DatasetError, match="row 8 has"):
        in_lists(with_values(column, values), tmp_path)


@pytest.mark.parametrize(
    "word", ["[CLS]", "(mild)", "[sic", "{}}", "a, b", "[a] (b)", "(1)", "[0 1", "['a' b]", "[" * 5_000 + "]"]
)
@pytest.mark.parametrize("form", WRITE)
def test_a_word_in_brackets_is_a_word(form, word, tmp_path):
    splits = WRITE[form](with_values("label", [("bad", word)[i % 2] for i in range(N)]), tmp_path)
    assert set(splits.label_names) == {"bad", word}


@pytest.mark.parametrize("form", [*KEEP, *WRITE])
def test_a_text_may_be_a_list_in_writing(form, tmp_path):
    texts = [f"['a', {i}]" for i in range(N)]
    splits = {**KEEP, **WRITE}[form](with_values("text", texts), tmp_path)
    assert sorted(text for _, rows in splits.items() for text in rows.texts) == sorted(texts)


class Silent:
    """A class that does not say its values."""


NOT_ONE = {
    "a tuple": (("a", "b"), "a list"),
    "a set": ({"a"}, "a list"),
    "a frozen set": (frozenset({"a"}), "a list"),
    "an array": (np.array([1, 2]), "a list"),
    "an array of one": (np.array(["a"]), "a list"),
    "an array of arrays": (np.eye(2), "a list"),
    "a Series": (pd.Series(["a"]), "a list"),
    "a deque": (deque(["a"]), "a list"),
    "a range": (range(3), "a list"),
    "a generator": ((word for word in "ab"), "a list"),
    "numbers with NaN": ([1.0, float("nan")], "a list"),
    "bytes": (b"good", "bytes"),
    "a bytearray": (bytearray(b"good"), "bytes"),
    "NumPy's bytes": (np.bytes_(b"good"), "bytes"),
    "an ordered mapping": (OrderedDict(a=1), "an object"),
    "a nested object": ({"a": {"b": [1]}}, "an object"),
    "an object that says nothing": (Silent(), "an object"),
}


@pytest.mark.parametrize("kind", NOT_ONE)
@pytest.mark.parametrize("column", ["text", "label", "author"])
@pytest.mark.parametrize("form", ["columns", "lists"])
def test_what_python_holds_that_is_not_one_value_is_refused_by_name(form, column, kind, tmp_path):
    value, words = NOT_ONE[kind]
    values = [value if i == 7 else COLUMNS[column][i] for i in range(N)]
    with pytest.raises(DatasetError) as told:
        KEEP[form](with_values(column, values), tmp_path)
    assert "row 8 has" in str(told.value) or "Text 8 is" in str(told.value)
    assert form == "lists" or column == "text" or f"({words})" in str(told.value)


ONE = {
    "NumPy's string": (np.str_("good"), "good"),
    "an array without axes": (np.array("good"), "good"),
    "a number": (3, "3"),
    "NumPy's number": (np.float32(3), "3"),
    "a decimal": (Decimal("3.0"), "3"),
    "yes": (True, "true"),
}
NOTHING = {
    "None": None,
    "NaN": float("nan"),
    "NumPy's NaN": np.float64("nan"),
    "pandas' NA": pd.NA,
    "no time": pd.NaT,
    "a decimal NaN": Decimal("NaN"),
    "a signalling NaN": Decimal("sNaN"),
    "minus one": -1,
    "an empty string": "",
}


@pytest.mark.parametrize("kind", ONE)
@pytest.mark.parametrize("form", ["columns", "lists"])
def test_one_value_of_any_type_is_a_class(form, kind, tmp_path):
    value, word = ONE[kind]
    splits = KEEP[form](with_values("label", [(value, "zzz")[i % 2] for i in range(N)]), tmp_path)
    assert splits.label_names == (word, "zzz")


@pytest.mark.parametrize("kind", NOTHING)
@pytest.mark.parametrize("form", ["columns", "lists"])
def test_nothing_of_any_kind_is_no_label(form, kind, tmp_path):
    labels = [NOTHING[kind] if i == 7 else COLUMNS["label"][i] for i in range(N)]
    splits = KEEP[form](with_values("label", labels), tmp_path)
    assert splits.label_names == ("bad", "good") and splits.provenance["dropped"] == {"unlabelled": 1}


@pytest.mark.parametrize("form", ["parquet", "a folder like the hub's", "save_to_disk", "a Dataset", "an Arrow table"])
def test_bytes_in_a_binary_column_are_refused(form, tmp_path):
    with pytest.raises(DatasetError, match=r"Column 'label' should hold one label per row, but row 1 has b'bad' \(bytes\)"):
        KEEP[form](with_values("label", [label.encode() for label in COLUMNS["label"]]), tmp_path)
