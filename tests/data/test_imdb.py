"""IMDB in every form people have; dev is cut from train by film, never from test."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.errors import DatasetError

N = 80
RATINGS = {0: (1, 2, 3, 4), 1: (7, 8, 9, 10)}


def review(split, label, number):
    return f"A {split} review, number {number}.<br />It is {'good' if label else 'bad'}.\x85The end. "


def film(split, label, number):
    # Three reviews per film; test has films of its own, except for one.
    return "tt0000007" if (split, label, number) == ("test", 1, 0) else f"tt{'12'[split == 'test']}{label}{number // 3:05d}"


def write_tree(folder, films=True):
    for split in ("train", "test"):
        for label, word in enumerate(("neg", "pos")):
            (folder / split / word).mkdir(parents=True)
            for number in range(N // 2):
                name = f"{number}_{RATINGS[label][number % 4]}.txt"
                (folder / split / word / name).write_text(review(split, label, number), encoding="utf-8")
            if films:
                urls = [f"http://www.imdb.com/title/{film(split, label, number)}/usercomments\n" for number in range(N // 2)]
                (folder / split / f"urls_{word}.txt").write_text("".join(urls))
    (folder / "train" / "unsup").mkdir()
    (folder / "train" / "unsup" / "0_0.txt").write_text("Nobody rated this.")
    return folder


def write_subset(folder, meta=True):
    folder.mkdir(exist_ok=True)
    for split in ("train", "test"):
        rows = [(label, number) for number in range(N // 2) for label in (0, 1)]
        table = "text\tlabel\n" + "".join(f"{review(split, label, number)}\t{label}\n" for label, number in rows)
        (folder / f"subset_{split}.tsv.gz").write_bytes(gzip.compress(table.encode()))
        if meta:
            lines = [
                f"{i}\t{split}/{number}.txt\t{RATINGS[label][number % 4]}\t{film(split, label, number)}\n"
                for i, (label, number) in enumerate(rows)
            ]
            content = "row\tsource\trating\tmovie\n" + "".join(reversed(lines))
            (folder / f"subset_{split}_meta.tsv.gz").write_bytes(gzip.compress(content.encode()))
    return folder


def write_hub(folder):
    (folder / "plain_text").mkdir(parents=True)
    for split in ("train", "test"):
        rows = [(review(split, label, number), label) for label in (0, 1) for number in range(N // 2)]
        frame = pd.DataFrame(rows, columns=["text", "label"])
        frame.to_parquet(folder / "plain_text" / f"{split}-00000-of-00001.parquet")
    unsupervised = pd.DataFrame({"text": ["Nobody rated this."] * 5, "label": [-1] * 5})
    unsupervised.to_parquet(folder / "plain_text" / "unsupervised-00000-of-00001.parquet")
    return folder


WRITERS = {"tree": write_tree, "subset": write_subset, "hub": write_hub}


@pytest.mark.parametrize("form", WRITERS)
def test_every_form_has_test_as_it_is_and_dev_cut_from_train(tmp_path, form):
    splits = load_dataset("imdb", str(WRITERS[form](tmp_path / "imdb")))
    assert (splits.name, splits.label_names) == ("imdb", ("negative", "positive"))
    expected = {
        split: {review(split, label, n).strip() for label in (0, 1) for n in range(N // 2)} for split in ("train", "test")
    }
    assert set(splits.test.texts) == expected["test"]
    assert set(splits.train.texts) | set(splits.dev.texts) == expected["train"]
    assert (len(splits.train), len(splits.dev), len(splits.test)) == (68, 12, 80)
    for text, label in zip(splits.train.texts, splits.train.labels, strict=True):
        assert ("good" in text) == bool(label)
    assert "dev is 15 % of train" in splits.provenance["division"]


@pytest.mark.parametrize("form", ["tree", "subset"])
def test_films_are_groups_and_film_and_rating_are_shown(tmp_path, form):
    splits = load_dataset("imdb", str(WRITERS[form](tmp_path / "imdb")))
    films = [set(rows.groups.tolist()) for _, rows in splits.items()]
    assert sum(map(len, films)) == len(set().union(*films))
    assert set(splits.dev.columns) == {"rating", "movie"}
    assert splits.dev.columns["rating"].dtype == np.int64
    for text, movie, rating in zip(splits.dev.texts, *(splits.dev.columns[c] for c in ("movie", "rating")), strict=True):
        number, label = int(text.split("number ")[1].split(".")[0]), int("good" in text)
        assert (movie, rating) == (film("train", label, number), RATINGS[label][number % 4])
    assert splits.provenance["groups"] == "film" and splits.provenance["notes"] == []


def test_the_folder_tree_and_the_subset_tables_give_the_same_splits(tmp_path):
    one = load_dataset("imdb", str(write_tree(tmp_path / "tree")))
    other = load_dataset("imdb", str(write_subset(tmp_path / "subset")))
    assert one.provenance["sha256"] == other.provenance["sha256"]
    assert one.provenance["dropped"] == {"unlabelled": 1} and other.provenance["dropped"] == {}


def test_the_folder_above_the_tree_will_do(tmp_path):
    write_tree(tmp_path / "aclImdb")
    assert load_dataset("imdb", str(tmp_path)).provenance["origin"] == {"kind": "aclImdb folder", "path": str(tmp_path)}


def test_a_film_in_both_official_splits_leaves_train(tmp_path):
    write_subset(tmp_path)
    meta = gzip.decompress((tmp_path / "subset_train_meta.tsv.gz").read_bytes()).decode()
    (tmp_path / "subset_train_meta.tsv.gz").write_bytes(gzip.compress(meta.replace("tt1000000", "tt0000007").encode()))
    splits = load_dataset("imdb", str(tmp_path))
    assert splits.provenance["dropped"] == {"train rows whose text or film also stands in dev or test": 3}


@pytest.mark.parametrize("form", ["hub", "subset", "tree"])
def test_without_films_the_provenance_says_so(tmp_path, form):
    folder = tmp_path / "imdb"
    splits = load_dataset("imdb", str({"hub": write_hub}[form](folder) if form == "hub" else WRITERS[form](folder, False)))
    assert splits.train.groups is None
    assert splits.provenance["notes"] == ["The films are not known here: reviews of one film may stand on both sides of a cut."]
    assert splits.provenance["dropped"] == {"hub": {"unlabelled": 5}, "subset": {}, "tree": {"unlabelled": 1}}[form]


def test_a_table_with_review_and_sentiment_is_divided(tmp_path):
    rows = [(review("train", label, n), ("negative", "positive")[label]) for label in (0, 1) for n in range(N // 2)]
    pd.DataFrame(rows, columns=["review", "sentiment"]).to_csv(tmp_path / "IMDB Dataset.csv", index=False)
    splits = load_dataset("imdb", str(tmp_path / "IMDB Dataset.csv"))
    assert [len(rows) for _, rows in splits.items()] == [56, 12, 12]


def test_jsonl_train_and_test_files_are_read(tmp_path):
    for split in ("train", "test"):
        lines = [json.dumps({"text": review(split, label, n), "label": label}) for label in (0, 1) for n in range(N // 2)]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines))
    assert len(load_dataset("imdb", str(tmp_path)).test) == N


def test_meta_for_other_rows_is_refused(tmp_path):
    write_subset(tmp_path)
    (tmp_path / "subset_test_meta.tsv.gz").write_bytes(gzip.compress(b"row\trating\tmovie\n0\t4\ttt1\n"))
    with pytest.raises(DatasetError, match=r"subset_test_meta.*names 1 rows, but subset_test\.tsv\.gz has 80"):
        load_dataset("imdb", str(tmp_path))


def test_two_tables_for_one_split_are_refused(tmp_path):
    write_subset(tmp_path)
    (tmp_path / "train.csv").write_text("text,label\na,1\n")
    with pytest.raises(DatasetError, match=r"Both .*subset_train.* and .*train\.csv claim the train rows"):
        load_dataset("imdb", str(tmp_path))


def test_a_foreign_file_among_the_reviews_is_refused(tmp_path):
    write_tree(tmp_path / "imdb")
    (tmp_path / "imdb" / "test" / "pos" / "notes.txt").write_text("x")
    with pytest.raises(DatasetError, match=r"notes\.txt' is not named <number>_<rating>\.txt"):
        load_dataset("imdb", str(tmp_path / "imdb"))


def test_an_empty_folder_names_the_forms_there_are(tmp_path):
    with pytest.raises(DatasetError, match=r"no IMDB train rows.*aclImdb folder.*parquet"):
        load_dataset("imdb", str(tmp_path))
    with pytest.raises(DatasetError, match="no file or folder 'nowhere'"):
        load_dataset("imdb", "nowhere")


class TestRealData:
    def test_the_subset_keeps_films_apart(self, test_data):
        splits = load_dataset("imdb", str(test_data / "imdb"), DatasetOptions(max_examples=0))
        films = [set(rows.groups.tolist()) for _, rows in splits.items()]
        assert sum(map(len, films)) == len(set().union(*films))
        # tt0406816 stands in both files: once in train, five times in test.
        assert splits.provenance["dropped"] == {"train rows whose text or film also stands in dev or test": 1}
        assert len(splits.test) == 5_000 and len(splits.train) + len(splits.dev) == 4_999
        assert abs(len(splits.dev) - 750) <= 3
        assert abs(splits.dev.labels.mean() - 0.5) < 0.01
        assert any("\x85" in text for _, rows in splits.items() for text in rows.texts)
        assert set(splits.dev.columns["rating"].tolist()) == {1, 2, 3, 4, 7, 8, 9, 10}
        ratings = splits.test.columns["rating"]
        assert ((ratings > 5) == (splits.test.labels == 1)).all()
