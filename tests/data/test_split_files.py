"""The train, dev and test files of a folder are found by name, and two that claim one split are refused."""

import pandas as pd
import pytest

from lit_probe.data.split_files import existing_path, files_in, find_hub_files, find_split_files, folder_source, read_split_files
from lit_probe.errors import DatasetError


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"text": [name]}).to_parquet(path) if name.endswith("parquet") else path.write_text("text\nx\n")
    return folder


def names(found):
    return {split: [path.name for path in paths] for split, paths in found.items()}


def test_split_files_are_found_by_their_exact_names(tmp_path):
    touch(
        tmp_path, "train.tsv.gz", "validation.csv", "test.jsonl", "train_extra.tsv", "README.md", "test.txt", "original/train.tsv"
    )
    assert names(find_split_files(tmp_path)) == {"test": ["test.jsonl"], "train": ["train.tsv.gz"], "dev": ["validation.csv"]}
    assert names(find_split_files(tmp_path, forms=("csv",))) == {"dev": ["validation.csv"]}


def test_a_prefix_tells_two_sets_of_files_in_one_folder_apart(tmp_path):
    touch(tmp_path, "train.tsv", "sentences_train.tsv", "sentences_dev.tsv")
    assert names(find_split_files(tmp_path, "sentences_")) == {"train": ["sentences_train.tsv"], "dev": ["sentences_dev.tsv"]}
    assert names(find_split_files(tmp_path)) == {"train": ["train.tsv"]}


def test_two_files_for_one_split_are_refused_by_name(tmp_path):
    touch(tmp_path, "dev.tsv", "validation.tsv")
    with pytest.raises(DatasetError, match=r"claim the dev rows.*dev\.tsv.*validation\.tsv"):
        find_split_files(tmp_path)


@pytest.mark.parametrize(
    "layout",
    [
        ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/validation-00000-of-00001.parquet"],
        ["default/train/0000.parquet", "default/train/0001.parquet", "default/validation/0000.parquet"],
        ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "valid.parquet"],
    ],
)
def test_every_hub_layout_gives_all_shards_in_order(tmp_path, layout):
    touch(tmp_path, *layout, "data/unsupervised-00000-of-00001.parquet")
    tables = read_split_files(find_hub_files(tmp_path))
    assert {split: table["text"] for split, table in tables.items()} == {"train": layout[:2], "dev": layout[2:]}


@pytest.mark.parametrize(
    "layout",
    [
        ["plain_text/train-00000-of-00001.parquet", "other/train-00000-of-00001.parquet"],
        ["data/train.parquet", "data/train-00000-of-00001.parquet"],
    ],
)
def test_two_copies_of_a_hub_split_are_refused(tmp_path, layout):
    with pytest.raises(DatasetError, match="Several files claim the train rows"):
        find_hub_files(touch(tmp_path, *layout))


def test_the_provenance_of_a_folder_names_its_files(tmp_path):
    touch(tmp_path, "data/train.parquet")
    assert folder_source(str(tmp_path), find_hub_files(tmp_path)) == {
        "kind": "folder",
        "path": str(tmp_path),
        "files": {"train": ["data/train.parquet"]},
    }


def test_a_path_with_nothing_there_is_refused():
    with pytest.raises(DatasetError, match="no file or folder 'no/such/thing'"):
        existing_path("no/such/thing")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    touch(tmp_path, "copies/train.tsv")
    assert existing_path("~/copies") == tmp_path / "copies"
    assert folder_source("~/copies", find_split_files(existing_path("~/copies"))) == {
        "kind": "folder",
        "path": "~/copies",
        "files": {"train": ["train.tsv"]},
    }
    with pytest.raises(DatasetError, match="no file or folder '~/elsewhere'"):
        existing_path("~/elsewhere")


@pytest.mark.parametrize("source", ["x" * 300, "~nobody-of-this-name/x"])
def test_a_path_that_cannot_be_is_refused(source):
    with pytest.raises(DatasetError, match=f"'{source}' cannot be read"):
        existing_path(source)


def test_what_is_neither_file_nor_folder_is_refused():
    with pytest.raises(DatasetError, match="'/dev/null' is neither a file nor a folder"):
        existing_path("/dev/null")


def test_a_path_in_a_closed_folder_is_refused(guarded_folder, closed):
    touch(guarded_folder, "inside/train.tsv")
    with closed(guarded_folder / "inside"), pytest.raises(DatasetError, match=r"train\.tsv' cannot be read .*you may open it"):
        existing_path(str(guarded_folder / "inside" / "train.tsv"))


def test_files_are_listed_in_order_and_by_their_ending(tmp_path):
    touch(tmp_path, "b.tsv", "a.tsv", "c.csv", "deeper/still/d.tsv")
    assert [path.name for path in files_in(tmp_path)] == ["a.tsv", "b.tsv", "c.csv"]
    assert [path.name for path in files_in(tmp_path, ".tsv", deep=True)] == ["a.tsv", "b.tsv", "d.tsv"]


@pytest.mark.parametrize("deep", [False, True])
def test_a_folder_that_cannot_be_listed_is_refused_not_taken_for_an_empty_one(guarded_folder, closed, deep):
    touch(guarded_folder, "above/inside/dev.tsv")
    listed = guarded_folder / "above" if deep else guarded_folder / "above" / "inside"
    with closed(guarded_folder / "above" / "inside"), pytest.raises(DatasetError, match="inside' cannot be read"):
        files_in(listed, deep=deep)
