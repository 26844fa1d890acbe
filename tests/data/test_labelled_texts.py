"""Labelled texts refuse what does not fit together, and two texts count as the same where a reader would say so."""

import numpy as np
import pytest

from lit_probe.data.labelled_texts import LabelledTexts, Splits, clean_text, normalise_text
from lit_probe.errors import DatasetError


def make(n: int = 3, **changes) -> LabelledTexts:
    fields = {
        "texts": tuple(f"text {i}" for i in range(n)),
        "labels": np.arange(n) % 2,
        "label_names": ("no", "yes"),
        "groups": np.array([f"g{i}" for i in range(n)]),
        "columns": {"rating": np.arange(n) * 10},
    }
    return LabelledTexts(**{**fields, **changes})


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("A fine film .", "a FINE  film ."),
        ("two<br /><br/>lines", "two lines"),
        ("next\x85line", "next line"),
        ("ﬁne", "fine"),
        ("  ends ", "ends"),
        ("Straße", "STRASSE"),
    ],
)
def test_texts_that_differ_in_case_space_or_code_points_are_the_same_text(text, same):
    assert normalise_text(text) == normalise_text(same)


@pytest.mark.parametrize(("one", "other"), [("not bad", "bad"), ("a b", "ab"), ("good", "good!"), ("naïve", "naive")])
def test_texts_that_differ_in_words_or_marks_are_different(one, other):
    assert normalise_text(one) != normalise_text(other)


def test_cleaning_repairs_surrogates_and_leaves_every_other_text_alone():
    assert clean_text("\ud83d\ude00") == "😀"
    assert clean_text("a\ud83db") == "a\ufffdb"
    for text in ("", "plain", "émoji 😀", "שלום", "nul\0 inside", "next\x85line"):
        assert clean_text(text) == text
    clean_text("\udc00\ud800").encode("utf-8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(2, dtype=np.int64)}, "3 texts, but labels has 2"),
        ({"groups": np.array(["a"])}, "3 texts, but groups has 1"),
        ({"own_groups": np.array(["a"])}, "3 texts, but own_groups has 1"),
        ({"columns": {"rating": np.arange(4)}}, "3 texts, but column 'rating' has 4"),
        ({"label_names": ("only",), "labels": np.zeros(3, dtype=np.int64)}, "two or more classes; this data set has 1: only"),
        ({"labels": np.array([0, 1, 2])}, r"0\.\.1; found 0\.\.2"),
        ({"labels": np.array([-1, 0, 1])}, r"0\.\.1; found -1\.\.1"),
    ],
)
def test_fields_that_do_not_fit_are_refused_with_the_numbers(changes, message):
    with pytest.raises(DatasetError, match=message):
        make(**changes)


def test_selecting_rows_selects_every_field_in_the_order_asked_for():
    chosen = make(4).select([3, 1])
    assert chosen.texts == ("text 3", "text 1")
    assert chosen.labels.tolist() == [1, 1]
    assert chosen.groups.tolist() == ["g3", "g1"]
    assert chosen.columns["rating"].tolist() == [30, 10]
    assert len(chosen) == 2
    assert make(groups=None).select([0]).groups is None
    assert len(make().select([])) == 0


def test_splits_come_as_train_dev_test_with_the_label_names_of_train():
    splits = Splits("s", make(3), make(2), make(1))
    assert [(name, len(rows)) for name, rows in splits.items()] == [("train", 3), ("dev", 2), ("test", 1)]
    assert splits.label_names == ("no", "yes")
