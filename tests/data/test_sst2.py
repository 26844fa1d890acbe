"""SST-2 in every form people have gives the same rows; phrases of one sentence stay together."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.errors import DatasetError

TRAIN = [(f"phrase {i} of a film ", i % 2) for i in range(60)]
DEV = [(f"dev sentence {i} .", i % 2) for i in range(20)]
TEST = [(f"test sentence {i} .", i % 2) for i in range(20)]


def write_glue(folder, prefix="", zipped=False, test=TEST):
    folder.mkdir(exist_ok=True)
    for name, rows in (("train", TRAIN), ("dev", DEV), ("test", test)):
        content = ("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)).encode()
        path = folder / f"{prefix}{name}.tsv{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


def write_hub(folder):
    (folder / "data").mkdir(parents=True)
    for name, rows in (("train", TRAIN), ("validation", DEV), ("test", [(text, -1) for text, _ in TEST])):
        frame = pd.DataFrame({"idx": range(len(rows)), "sentence": [t for t, _ in rows], "label": [n for _, n in rows]})
        frame.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    return folder


def contents(rows):
    return {(text, rows.label_names[label]) for text, label in zip(rows.texts, rows.labels, strict=True)}


def wanted(rows):
    return {(text.strip(), ("negative", "positive")[label]) for text, label in rows}


@pytest.mark.parametrize("zipped", [False, True])
def test_glue_files_are_read_stripped_and_named(tmp_path, zipped):
    splits = load_dataset("sst2", str(write_glue(tmp_path, zipped=zipped)))
    assert (splits.name, splits.label_names) == ("sst2", ("negative", "positive"))
    assert [contents(rows) for _, rows in splits.items()] == [wanted(TRAIN), wanted(DEV), wanted(TEST)]
    assert splits.train.columns == {} and splits.train.groups is None
    assert splits.provenance["origin"]["path"] == str(tmp_path)


def test_glues_own_test_file_has_no_labels_and_dev_is_divided(tmp_path):
    write_glue(tmp_path)
    (tmp_path / "test.tsv").write_text("index\tsentence\n" + "".join(f"{i}\t{text}\n" for i, (text, _) in enumerate(TEST)))
    splits = load_dataset("sst2", str(tmp_path))
    assert contents(splits.dev) | contents(splits.test) == wanted(DEV)
    assert (len(splits.dev), len(splits.test)) == (10, 10)
    assert splits.provenance["dropped"] == {"unlabelled": 20}
    assert "divided 50/50" in splits.provenance["division"]


def test_the_hubs_files_give_the_same_rows_as_glues(tmp_path):
    hub = load_dataset("sst2", str(write_hub(tmp_path / "hub")))
    glue = load_dataset("sst2", str(write_glue(tmp_path / "glue")))
    assert hub.train.texts == glue.train.texts
    assert contents(hub.dev) | contents(hub.test) == wanted(DEV)
    assert hub.provenance["sha256"]["train"] == glue.provenance["sha256"]["train"]
    assert hub.provenance["origin"]["files"]["dev"] == ["data/validation-00000-of-00001.parquet"]
    assert "cross-validation on train may share sentences" in hub.provenance["notes"][0]


def test_phrases_of_one_sentence_are_a_group_and_leave_with_it(tmp_path):
    write_glue(tmp_path, test=[*TEST, ("phrase 7 of a film", 1)])
    groups = "row\tsst_sentence_index\tn_parent_sentences\n" + "".join(
        f"{row}\t{'' if row == 59 else row // 3}\t1\n" for row in reversed(range(60))
    )
    (tmp_path / "train_phrase_groups.tsv.gz").write_bytes(gzip.compress(groups.encode()))
    splits = load_dataset("sst2", str(tmp_path))
    group = dict(zip(splits.train.texts, splits.train.groups.tolist(), strict=True))
    assert group["phrase 3 of a film"] == group["phrase 5 of a film"] == "sentence 1"
    assert group["phrase 59 of a film"].startswith("text ")
    # Phrases 6 and 8 belong to the sentence that stands in test.
    assert splits.provenance["dropped"] == {"train rows whose text or sentence also stands in dev or test": 3}
    assert len(set(splits.test.groups.tolist())) == len(splits.test)
    assert splits.provenance["notes"] == []


def test_a_groups_file_for_other_rows_is_refused(tmp_path):
    write_glue(tmp_path)
    (tmp_path / "train_phrase_groups.tsv").write_text("row\tsst_sentence_index\n0\t1\n")
    with pytest.raises(DatasetError, match="names 1 rows, but train has 60"):
        load_dataset("sst2", str(tmp_path))


def test_sentence_files_lie_beside_phrase_files(tmp_path):
    write_glue(tmp_path)
    with pytest.raises(DatasetError, match=r"no train rows for sst2_sentences.*sentences_train\.tsv"):
        load_dataset("sst2_sentences", str(tmp_path))
    write_glue(tmp_path, prefix="sentences_")
    splits = load_dataset("sst2_sentences", str(tmp_path))
    assert splits.name == "sst2_sentences"
    assert contents(splits.test) == wanted(TEST)


def test_sentences_as_the_hubs_jsonl_files_are_read(tmp_path):
    for name, rows in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        lines = [json.dumps({"text": text, "label": label, "label_text": "…"}) for text, label in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    splits = load_dataset("sst2_sentences", str(tmp_path))
    assert [contents(rows) for _, rows in splits.items()] == [wanted(TRAIN), wanted(DEV), wanted(TEST)]


def test_one_file_is_divided(tmp_path):
    write_glue(tmp_path)
    splits = load_dataset("sst2", str(tmp_path / "train.tsv"))
    assert sum(len(rows) for _, rows in splits.items()) == 60
    assert "70/15/15" in splits.provenance["division"]


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("sst2", None, None, r"holds no train rows for sst2.*train\.tsv"),
        (
            "sst2",
            "train.tsv",
            "words\tlabel\na\t1\n",
            r"\(train\) has no column 'sentence' or 'text'. Its columns are: words, label",
        ),
        ("sst2", "train.tsv", "sentence\tscore\na\t1\n", r"has no column 'label'. Its columns are: sentence, score"),
        ("sst2", "train.tsv", "sentence\tlabel\na\t3\n", r"the label '3' is none of 0, 1, neg"),
        ("sst2", "train.tsv", "sentence\tlabel\na\t1\nb\t1\n", r"all of its 2 labelled rows are 'positive'"),
    ],
)
def test_a_folder_that_does_not_fit_says_what_it_lacks(tmp_path, name, file, content, message):
    if file:
        (tmp_path / file).write_text(content)
    with pytest.raises(DatasetError, match=message):
        load_dataset(name, str(tmp_path))


def test_a_missing_folder_is_refused_by_its_path():
    with pytest.raises(DatasetError, match="no file or folder 'no/such/folder'"):
        load_dataset("sst2", "no/such/folder")


class TestRealData:
    def test_phrases_have_glues_counts_and_no_sentence_on_two_sides(self, test_data):
        splits = load_dataset("sst2", str(test_data / "sst2"), DatasetOptions(max_examples=0))
        # Two sentences of test stand in train; their phrases leave with them.
        assert splits.provenance["dropped"] == {"train rows whose text or sentence also stands in dev or test": 54}
        assert len(splits.train) == 67_349 - 54
        assert (len(splits.dev), len(splits.test)) == (872, 1_821)
        assert np.bincount(splits.dev.labels).tolist() == [428, 444]
        assert np.bincount(splits.test.labels).tolist() == [912, 909]
        groups = [set(rows.groups.tolist()) for _, rows in splits.items()]
        assert sum(map(len, groups)) == len(set().union(*groups))
        assert splits.provenance["repeats in train"]["texts with two labels"] == 5

    def test_sentences_have_their_counts(self, test_data):
        splits = load_dataset("sst2_sentences", str(test_data / "sst2"), DatasetOptions(max_examples=0))
        assert (len(splits.dev), len(splits.test)) == (872, 1_821)
        assert len(splits.train) == 6_920 - splits.provenance["dropped"]["train rows whose text also stands in dev or test"]
        assert all(text == text.strip() for text in splits.train.texts)

    def test_by_default_five_thousand_rows_are_used_per_split(self, test_data):
        splits = load_dataset("sst2", str(test_data / "sst2"))
        assert [len(rows) for _, rows in splits.items()] == [5_000, 872, 1_821]
        assert abs(splits.train.labels.mean() - 37_569 / 67_349) < 0.001
