"""Labels that are numbers: when they are taken as such, what is refused, and that divisions keep their laws."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, load_dataset, split_table, split_texts
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.data.labelled_texts import LabelledTexts
from lit_probe.data.splitting import OtherDivisions
from lit_probe.errors import DatasetError, UnknownNameError

TEXTS = [f"text {row}" for row in range(200)]
NUMBERS = np.random.default_rng(0).normal(size=200).round(4).tolist()


def numbers(labels, **options):
    return split_texts(TEXTS[: len(labels)], labels, target=NUMBER, **options)


def test_many_different_numbers_are_a_number_and_the_provenance_says_so():
    splits = split_texts(TEXTS, NUMBERS)
    assert splits.target == NUMBER and splits.label_names == () and splits.train.labels.dtype == np.float64
    assert "a number is asked for" in splits.provenance["notes"][0]
    assert sorted(np.concatenate([rows.labels for _, rows in splits.items()]).tolist()) == sorted(NUMBERS)


def test_few_numbers_stay_classes_unless_a_number_is_asked_for():
    stars = [row % 5 for row in range(200)]
    assert split_texts(TEXTS, stars).target == CLASSES
    splits = numbers(stars)
    assert splits.target == NUMBER and not splits.provenance["notes"]


def test_words_are_no_numbers_by_themselves():
    with pytest.raises(DatasetError, match="200 classes for 200 rows"):
        split_texts(TEXTS, [f"label {row}" for row in range(200)])


def test_classes_that_are_asked_for_stay_refused():
    with pytest.raises(DatasetError, match="199 classes for 200 rows"):
        split_texts(TEXTS, NUMBERS, target=CLASSES)


def test_an_unknown_target_is_refused():
    with pytest.raises(UnknownNameError, match="Unknown target 'numbers'"):
        split_texts(TEXTS, NUMBERS, target="numbers")


@pytest.mark.parametrize(
    "labels, said",
    [
        ([*NUMBERS[:2], "n/a", *NUMBERS[3:]], "row 3 has 'n/a'"),
        ([*NUMBERS[:9], "1,5", *NUMBERS[10:]], "row 10 has '1,5'"),
        ([float("inf"), *NUMBERS[1:]], "finite numbers, but row 1"),
        ([1.5] * 200, "all of its 200 labels are 1.5"),
        (NUMBERS[:19], "at least 20 rows with a label, but it has 19"),
        ([None] * 200, "but it has 0"),
    ],
)
def test_what_is_no_column_of_numbers_is_refused_in_a_sentence(labels, said):
    with pytest.raises(DatasetError, match=said):
        numbers(labels)


def test_rows_without_a_number_are_left_out_and_minus_one_is_a_number():
    splits = numbers([None, float("nan"), -1, -1.0, *NUMBERS[4:]])
    assert splits.provenance["dropped"] == {"unlabelled": 2}
    assert sum(int((rows.labels == -1).sum()) for _, rows in splits.items()) == 2


def test_a_labelled_text_is_never_nan_or_infinite():
    for number in (np.nan, np.inf):
        with pytest.raises(DatasetError, match="NaN or infinite"):
            LabelledTexts(("a", "b"), np.array([1.0, number]), ())


def test_the_order_of_rows_changes_nothing():
    order = np.random.default_rng(1).permutation(200)
    one, other = split_texts(TEXTS, NUMBERS), split_texts([TEXTS[i] for i in order], [NUMBERS[i] for i in order])
    for (_, ours), (_, theirs) in zip(one.items(), other.items(), strict=True):
        assert ours.texts == theirs.texts and np.array_equal(ours.labels, theirs.labels)


def test_splits_share_no_text_and_no_group_and_have_like_numbers():
    groups = [f"author {row % 40}" for row in range(200)]
    splits = split_texts(TEXTS, NUMBERS, groups)
    found = [set(rows.groups.tolist()) for _, rows in splits.items()]
    assert not (found[0] & found[1] or found[0] & found[2] or found[1] & found[2])
    plain = split_texts(TEXTS, [float(row) for row in range(200)])
    assert all(abs(rows.labels.mean() - 99.5) < 10 for _, rows in plain.items())


def test_a_text_with_two_numbers_is_left_out_of_dev_and_test():
    splits = split_texts([*TEXTS, *TEXTS[:40]], [*NUMBERS, *(number + 1 for number in NUMBERS[:40])])
    assert all(len(set(rows.texts)) == len(rows) for name, rows in splits.items() if name != "train")
    assert any("two labels" in reason for reason in splits.provenance["dropped"])


def test_max_examples_keeps_the_spread():
    splits = split_texts(TEXTS, [float(row) for row in range(200)], max_examples=20)
    assert len(splits.train) == 20 and splits.train.labels.min() < 40 and splits.train.labels.max() > 160


def test_a_table_file_with_numbers(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text(
        "text,score\n" + "\n".join(f"{text},{number}" for text, number in zip(TEXTS, NUMBERS, strict=True)) + "\nx,NA\n"
    )
    splits = load_dataset("csv", str(path), DatasetOptions(label_column="score", target=NUMBER))
    assert splits.target == NUMBER and splits.provenance["origin"]["target"] == NUMBER
    assert splits.provenance["dropped"] == {"unlabelled": 1}


def test_a_test_whose_numbers_are_all_minus_one_is_hidden():
    table = {"text": TEXTS, "label": [*NUMBERS[:150], *[-1.0] * 50], "split": ["train"] * 100 + ["dev"] * 50 + ["test"] * 50}
    splits = split_table(table, DatasetOptions(target=NUMBER))
    assert splits.provenance["dropped"] == {"unlabelled": 50} and len(splits.test) > 20


def test_other_divisions_share_no_text():
    splits = split_texts(TEXTS, NUMBERS)
    train, dev = OtherDivisions(splits.train, splits.dev).drawn(3)
    assert not set(train) & set(dev) and len(train) + len(dev) == len(splits.train) + len(splits.dev)
