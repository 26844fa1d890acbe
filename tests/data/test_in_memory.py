"""Texts that a program already holds are divided like a table."""

import numpy as np
import pandas as pd
import pytest
import torch

from lit_probe import split_texts
from lit_probe.errors import DatasetError

TEXTS = [f"text {i}" for i in range(40)]


def test_texts_labels_and_groups_are_divided_and_groups_stay_whole():
    splits = split_texts(TEXTS, ["bad", "good"] * 20, [i // 2 for i in range(40)], name="mine")
    assert (splits.name, splits.label_names) == ("mine", ("bad", "good"))
    assert sum(len(rows) for _, rows in splits.items()) == 40
    groups = [set(rows.groups.tolist()) for _, rows in splits.items()]
    assert sum(map(len, groups)) == 20
    for _, rows in splits.items():
        for text, label, group in zip(rows.texts, rows.labels, rows.groups, strict=True):
            number = int(text.split()[1])
            assert (label, group) == (number % 2, str(number // 2))


def test_label_names_set_the_order_for_words_and_for_numbers():
    by_word = split_texts(TEXTS, ["bad", "good"] * 20, label_names=("good", "bad"))
    by_number = split_texts(TEXTS, [1, 0] * 20, label_names=("good", "bad"))
    assert by_word.label_names == by_number.label_names == ("good", "bad")
    assert by_word.train.texts == by_number.train.texts
    assert by_word.train.labels.tolist() == by_number.train.labels.tolist()


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 1] * 20),
        np.array([0, 1] * 20, dtype=np.int8),
        np.array([0, 1] * 20, dtype=np.float32),
        list(np.array([0, 1] * 20, dtype=np.uint16)),
        pd.Series([0, 1] * 20),
        torch.tensor([0, 1] * 20),
    ],
)
def test_number_labels_of_every_library_are_the_same_classes_as_pythons_own(labels):
    splits, own = split_texts(TEXTS, labels), split_texts(TEXTS, [0, 1] * 20)
    assert splits.label_names == ("0", "1")
    assert splits.provenance["sha256"] == own.provenance["sha256"]
    assert split_texts(TEXTS, labels, label_names=("bad", "good")).label_names == ("bad", "good")


def test_numpy_booleans_and_words_are_classes_and_numpy_minus_one_is_unlabelled():
    assert split_texts(TEXTS, np.array([False, True] * 20)).label_names == ("false", "true")
    assert split_texts(TEXTS, np.array(["bad", "good"] * 20)).label_names == ("bad", "good")
    splits = split_texts(TEXTS, np.array([0, 1, 0, 1, -1] * 8))
    assert splits.label_names == ("0", "1") and splits.provenance["dropped"] == {"unlabelled": 8}
    splits = split_texts(TEXTS, pd.Series([0, 1, 0, 1, None] * 8, dtype="Int64"))
    assert splits.label_names == ("0", "1") and splits.provenance["dropped"] == {"unlabelled": 8}


def test_numpy_groups_have_the_names_of_their_numbers():
    splits = split_texts(TEXTS, [0, 1] * 20, np.arange(40) // 2)
    assert {str(group) for _, rows in splits.items() for group in rows.groups} == {str(number) for number in range(20)}


@pytest.mark.parametrize("odd", [None, 7, float("nan"), b"bytes", ["a"]])
def test_a_text_that_is_no_string_is_refused_by_its_place(odd):
    with pytest.raises(DatasetError, match=r"Text 3 is .*, not a string"):
        split_texts([*TEXTS[:2], odd, *TEXTS[3:]], [0, 1] * 20)


def test_seed_and_max_examples_are_followed():
    one, other = (split_texts(TEXTS, [0, 1] * 20, seed=seed) for seed in (0, 1))
    assert one.train.texts != other.train.texts
    assert len(split_texts(TEXTS, [0, 1] * 20, max_examples=10).train) == 10
    assert split_texts(TEXTS, [0, 1] * 20, max_examples=0).provenance["max_examples"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0, 1]}, "There are 40 texts, but 2 labels"),
        ({"labels": [0, 1] * 20, "groups": [1]}, "There are 40 texts, but 1 groups"),
        ({"labels": ["a", "b"] * 20, "label_names": ("a", "c")}, "The labels b are none of the label names a, c"),
        ({"labels": TEXTS}, r"40 classes for 40 rows: is the label a number, or the text itself\?"),
        ({"labels": ["a"] * 40}, "all of its 40 labelled rows are 'a'"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(DatasetError, match=message):
        split_texts(TEXTS, **arguments)
