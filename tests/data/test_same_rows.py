"""The law of sources: the same rows give the same splits, to the byte, whatever they come from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.data.labelled_texts import Splits

datasets = pytest.importorskip("datasets")
pyarrow = pytest.importorskip("pyarrow")

N = 120
KINDS = ("plain", "café 中文", "two  spaces", 'a “quote” and a "quote"', "line\nbreak", " edges ")
TEXTS = [f"text {i}, {KINDS[i % 6]}" for i in range(N)]
ROWS = {
    "words": [("bad", "good", "mid")[i % 3] for i in range(N)],
    "numbers": [(10, 9, 2)[i % 3] for i in range(N)],
    "numbers with a gap": [(10, 9, None)[i % 3] if i != 7 else 9 for i in range(N)],
    "yes and no": [i % 2 == 0 for i in range(N)],
    "hidden labels": [(0, 1, -1)[i % 3] for i in range(N)],
}
PARTS = {"train": (0, 70), "validation": (70, 95), "test": (95, N)}


def columns_of(kind: str, start: int = 0, end: int = N) -> dict[str, list[Any]]:
    rows = range(start, end)
    columns = {"body": [TEXTS[i] for i in rows], "mood": ROWS[kind][start:end]}
    # Numbers that no float holds, and a gap.
    more = {"author": [f"author {i // 4}" for i in rows], "number": [2**60 + i if i % 5 else None for i in rows]}
    return {**columns, **more, "stars": [i % 5 for i in rows], "share": [i / 8 for i in rows]}


def frame_of(columns: dict) -> pd.DataFrame:
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    whole = [name for name in ("mood", "number", "stars") if all(v is None or type(v) is int for v in columns[name])]
    return frame.astype({**dict.fromkeys(whole, "Int64"), "share": float})


def write_jsonl(columns: dict, path: Path) -> None:
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")


def write_parquet(columns: dict, path: Path) -> None:
    datasets.Dataset.from_dict(columns).to_parquet(path)


def write_csv(columns: dict, path: Path) -> None:
    frame_of(columns).to_csv(path, index=False)


def as_dict(parts: dict):
    return datasets.DatasetDict({word: datasets.Dataset.from_dict(columns) for word, columns in parts.items()})


def by_file(form: str, write: Callable[[dict, Path], None], name: str = "") -> Callable[[dict, Path, DatasetOptions], Splits]:
    """A file of one table, or a folder with a file for each split."""

    def load(parts: dict, folder: Path, options: DatasetOptions) -> Splits:
        for word, columns in parts.items():
            write(columns, folder / f"{word}.{form}")
        path = folder / f"whole.{form}" if set(parts) == {"whole"} else folder
        return load_dataset(name or form, str(path), options)

    return load


def hub_layout(parts: dict, folder: Path, options: DatasetOptions) -> Splits:
    for word, columns in parts.items():
        (folder / "data").mkdir(exist_ok=True)
        write_parquet(columns, folder / "data" / f"{'train' if word == 'whole' else word}-00000-of-00001.parquet")
    return load_dataset("hub", str(folder), options)


def from_disk(parts: dict, folder: Path, options: DatasetOptions) -> Splits:
    held = as_dict(parts)
    (held["whole"] if set(parts) == {"whole"} else held).save_to_disk(folder / "saved")
    return load_dataset("hub", str(folder / "saved"), options)


def held(make: Callable[[dict], Any]) -> Callable[[dict, Path, DatasetOptions], Splits]:
    def load(parts: dict, folder: Path, options: DatasetOptions) -> Splits:
        made = {word: make(columns) for word, columns in parts.items()}
        return load_dataset(made.get("whole", made), options=options)

    return load


FORMS: dict[str, Callable[[dict, Path, DatasetOptions], Splits]] = {
    "CSV": by_file("csv", write_csv),
    "JSONL": by_file("jsonl", write_jsonl),
    "parquet": by_file("parquet", write_parquet, "csv"),
    "parquet of pandas": by_file("parquet", lambda columns, path: frame_of(columns).to_parquet(path), "csv"),
    "parquet of a part of a frame": by_file(
        "parquet", lambda columns, path: frame_of(columns).set_index(np.arange(len(columns["body"])) + 7).to_parquet(path), "csv"
    ),
    "the hub's layout": hub_layout,
    "save_to_disk": from_disk,
    "columns": held(dict),
    "a DataFrame": held(frame_of),
    "a part of a DataFrame": held(lambda columns: frame_of(columns).set_index(np.arange(len(columns["body"])) + 7)),
    "a Dataset": held(datasets.Dataset.from_dict),
    "a Dataset of a part of a frame": held(
        lambda columns: datasets.Dataset.from_pandas(frame_of(columns).set_index(np.arange(len(columns["body"])) + 7))
    ),
    "a Dataset with an order of its own": held(
        lambda columns: datasets.Dataset.from_dict(columns).shuffle(seed=1).with_format("numpy")
    ),
    "an Arrow table": held(pyarrow.table),
    "records": held(lambda columns: datasets.Dataset.from_dict(columns).to_list()),
}
OPTIONS = DatasetOptions(text_column="body", label_column="mood")
ASKED = {
    "as usual": OPTIONS,
    "groups": replace(OPTIONS, group_column="author"),
    "few, by another seed": replace(OPTIONS, max_examples=12, seed=3),
    "a word for nothing": replace(OPTIONS, missing=("mid", "10")),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "prepared"))


def content(splits: Splits) -> dict[str, Any]:
    """All that numbers, slices and tables can depend on, but where it comes from."""
    of_rows = {
        split: (
            rows.texts,
            rows.labels.tobytes(),
            rows.label_names,
            None if rows.groups is None else rows.groups.tolist(),
            {name: (values.dtype, values.tolist()) for name, values in sorted(rows.columns.items())},
        )
        for split, rows in splits.items()
    }
    left_out = ("source", "origin")
    return {**of_rows, "provenance": {key: value for key, value in splits.provenance.items() if key not in left_out}}


# A word for nothing would leave one class of two.
ASKED_OF = [(kind, asked) for kind in ROWS for asked in ASKED if asked != "a word for nothing" or kind in ("words", "numbers")]


@pytest.mark.parametrize(("kind", "asked"), ASKED_OF)
@pytest.mark.parametrize("form", FORMS)
def test_one_table_gives_the_same_splits_from_every_source(form, kind, asked, tmp_path):
    wanted = load_dataset(columns_of(kind), options=ASKED[asked])
    (tmp_path / "here").mkdir()
    found = FORMS[form]({"whole": columns_of(kind)}, tmp_path / "here", ASKED[asked])
    assert content(found) == content(wanted)


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("form", FORMS)
def test_official_splits_are_the_same_from_every_source(form, kind, tmp_path):
    parts = {word: columns_of(kind, *rows) for word, rows in PARTS.items()}
    wanted = load_dataset(parts, options=OPTIONS)
    assert wanted.provenance["division"] == "Official train, dev and test"
    (tmp_path / "here").mkdir()
    assert content(FORMS[form](parts, tmp_path / "here", OPTIONS)) == content(wanted)


NAMED = ("the hub's layout", "save_to_disk", "a Dataset", "parquet")


@pytest.mark.parametrize("form", NAMED)
def test_class_names_give_their_order_from_every_source_that_has_them(form, tmp_path, monkeypatch):
    names = ["zeta", "alpha", "mid"]

    def dataset(columns: dict):
        found = datasets.Dataset.from_dict({**columns, "mood": [i % 4 - 1 for i in range(len(columns["body"]))]})
        return found.cast_column("mood", datasets.ClassLabel(names=names))

    def write(columns: dict, path: Path) -> None:
        dataset(columns).to_parquet(path)

    monkeypatch.setitem(globals(), "write_parquet", write)
    monkeypatch.setitem(globals(), "as_dict", lambda parts: datasets.DatasetDict({w: dataset(c) for w, c in parts.items()}))
    parts = {word: columns_of("words", *rows) for word, rows in PARTS.items()}
    load = {"a Dataset": held(dataset), "parquet": by_file("parquet", write, "csv")}.get(form, FORMS[form])
    (tmp_path / "here").mkdir()
    found, wanted = load(parts, tmp_path / "here", OPTIONS), held(dataset)(parts, tmp_path, OPTIONS)
    assert found.label_names == tuple(names) and found.provenance["dropped"]["unlabelled"] == 32
    assert content(found) == content(wanted)
