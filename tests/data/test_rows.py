"""Columns of any kind become texts, label words, sentiment numbers and typed columns."""

import numpy as np
import pandas as pd
import pytest

from lit_probe.data.rows import (
    UNLABELLED,
    cell,
    column_array,
    find_column,
    label_names_of,
    label_words,
    rows_of,
    sentiment_labels,
    text_values,
)
from lit_probe.errors import DatasetError


def test_rows_are_stripped_at_the_ends_and_nowhere_else():
    rows = rows_of(["  two  spaces \n", "a\ud800", " \t"], [0, 1, 0])
    assert rows.texts == ["two  spaces", "a\ufffd", ""]
    assert rows.groups == [None, None, None]


def test_rows_taken_keep_their_fields_together():
    rows = rows_of(["a", "b", "c"], [0, 1, 0], ["x", None, "z"], {"n": ["1", "2", "3"]}).take([2, 0])
    assert (rows.texts, rows.labels, rows.groups, rows.columns) == (["c", "a"], [0, 0], ["z", "x"], {"n": ["3", "1"]})


def test_the_first_known_name_is_the_column_and_a_missing_one_names_those_that_there_are():
    table = {"review": ["a"], "stars": [1]}
    assert find_column(table, ("text", "review"), "here") == "review"
    with pytest.raises(
        DatasetError, match=r"here has no column 'text'. Its columns are: review, stars. Say which .*the option text_column"
    ):
        find_column(table, ["text"], "here", "text_column")


def test_missing_texts_are_empty_and_numbers_are_no_texts():
    assert text_values({"text": ["a", None, float("nan")]}, "text", "here") == ["a", "", ""]
    with pytest.raises(DatasetError, match=r"here: column 'stars' should hold texts, but row 2 has 3"):
        text_values({"stars": ["a", 3]}, "stars", "here")


@pytest.mark.parametrize(
    "missing",
    [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, "", "  ", -1, "-1", -1.0, "-1.0", "-1.", np.int64(-1), np.float32(-1)],
)
def test_nothing_and_minus_one_are_unlabelled(missing):
    assert label_words({"label": [missing]}, "label") == [None]
    assert sentiment_labels([None], "here") == [UNLABELLED]


def test_sentiment_words_and_numbers_mean_the_same():
    assert sentiment_labels(["0", "neg", "Negative", "1", "pos", "positive"], "here") == [0, 0, 0, 1, 1, 1]
    with pytest.raises(DatasetError, match="here: the label '2' is none of 0, 1, neg"):
        sentiment_labels(["2"], "here")


def test_integer_labels_are_in_numeric_order_and_words_in_alphabetical_order():
    assert label_names_of(["10", "2", "2", None]) == ("2", "10")
    assert label_names_of(["b", "10", "2"]) == ("2", "10", "b")


def test_spellings_of_one_number_are_in_an_order_that_depends_on_no_hash():
    spellings = ["1", "00001", "01", "0001", "000001", "001"]
    assert label_names_of([*spellings, "0"]) == ("0", *sorted(spellings))


def test_numbers_too_long_to_be_computed_with_are_sorted_as_words():
    long, longer = "9" * 5_000, "1" * 5_001
    assert label_names_of([long, longer, "2"]) == ("2", longer, long)


def test_numpy_values_are_written_like_pythons_own():
    values = (np.int64(8), np.bool_(True), np.float32(0.5), np.str_("a"), np.array([1, 2]), {"a": np.int64(1)})
    assert [cell(value) for value in values] == ["8", "true", "0.5", "a", "[1, 2]", '{"a": 1}']
    assert label_words({"label": [np.int64(3), np.float32(2), np.bool_(False)]}, "label") == ["3", "2", "false"]


def test_values_that_json_does_not_know_are_written_without_quotation_marks():
    assert [cell(value) for value in (pd.Timestamp("2024-05-01"), pd.NaT, pd.NA)] == ["2024-05-01 00:00:00", "", ""]


def test_a_value_nested_too_deeply_is_refused():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(DatasetError, match="cannot be written as text"):
        cell(nested)
    with pytest.raises(DatasetError, match=r"column 'text' should hold texts, but row 1 has \[+\.\.\."):
        text_values({"text": [nested]}, "text", "here")


def test_columns_of_plain_finite_numbers_are_numeric_and_all_others_are_strings():
    assert column_array(["1", "-2"]).dtype == np.int64
    assert column_array(["1", "2.5e-3"]).tolist() == [1.0, 0.0025]
    for values in (["1", ""], ["nan", "1"], ["inf"], ["01"], ["1e999"], ["1_000"], ["٣"], ["9" * 30], []):
        assert column_array(values).dtype == object
        assert column_array(values).tolist() == values


def test_cells_of_any_json_value_become_strings_that_can_be_encoded():
    assert [cell(v) for v in (None, False, {"a": [1]}, "x\udfff", 2)] == ["", "false", '{"a": [1]}', "x\ufffd", "2"]
