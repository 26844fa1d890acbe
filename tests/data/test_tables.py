"""One table file in each form: the same columns come out, and a bad file is refused by name and line."""

import gzip
import json

import pandas as pd
import pytest

from lit_probe.data.tables import read_table, table_form
from lit_probe.errors import DatasetError

# Characters that str.splitlines() would break a line at, and others that readers stumble over.
AWKWARD = ["next\x85line", "a\u2028b", "form\ffeed", "tab-free, 'quoted'", "emoji 😀 עברית", "nul\0inside", "crème brûlée"]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl", "parquet"])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_form_gives_back_the_texts_that_were_written(tmp_path, form, zipped):
    table = {"text": AWKWARD, "label": ["0", "1", "0", "1", "0", "1", "0"]}
    frame = pd.DataFrame(table)
    path = tmp_path / f"t.{form}"
    if form == "parquet":
        frame.to_parquet(path)
    elif form == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif form == "csv":
        frame.to_csv(path, index=False)
    else:
        write(path, "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in zip(*table.values(), strict=True)))
    if zipped and form != "parquet":
        path = write(tmp_path / f"t.{form}.gz", gzip.compress(path.read_bytes()))
    assert read_table(path) == table


def test_a_gzipped_file_without_the_ending_is_unzipped_all_the_same(tmp_path):
    path = write(tmp_path / "t.tsv", gzip.compress(b"text\tlabel\na\t1\n"))
    assert read_table(path) == {"text": ["a"], "label": ["1"]}


@pytest.mark.parametrize("separator", ["\t", ","])
def test_windows_line_ends_and_a_byte_order_mark_leave_no_trace(tmp_path, separator):
    content = f"\ufefftext{separator}label\r\nfine{separator}1\r\nbad{separator}0\r\n"
    path = write(tmp_path / ("t.tsv" if separator == "\t" else "t.csv"), content)
    assert read_table(path) == {"text": ["fine", "bad"], "label": ["1", "0"]}


def test_tsv_takes_quotation_marks_literally(tmp_path):
    path = write(tmp_path / "t.tsv", 'text\tlabel\n"an open quote\t1\n"" two\t0\n')
    assert read_table(path)["text"] == ['"an open quote', '"" two']


def test_csv_values_hold_commas_quotes_and_line_breaks(tmp_path):
    path = write(tmp_path / "t.csv", 'text,label\r\n"one, ""two""\r\nthree",1\r\n"",0\r\n')
    assert read_table(path) == {"text": ['one, "two"\r\nthree', ""], "label": ["1", "0"]}


def test_a_text_of_two_hundred_thousand_characters_is_read(tmp_path):
    path = write(tmp_path / "t.csv", "text,label\n" + "x" * 200_000 + ",1\n")
    assert len(read_table(path)["text"][0]) == 200_000


def test_jsonl_keeps_types_and_fills_missing_keys_with_nothing(tmp_path):
    path = write(tmp_path / "t.jsonl", '{"text": "a", "label": 1}\n\n{"text": "b", "stars": 2.5}\n')
    assert read_table(path) == {"text": ["a", "b"], "label": [1, None], "stars": [None, 2.5]}


def test_the_form_can_be_named_where_the_ending_says_nothing(tmp_path):
    path = write(tmp_path / "reviews.txt", "text\tlabel\na\t1\n")
    assert read_table(path, "tsv") == {"text": ["a"], "label": ["1"]}
    with pytest.raises(DatasetError, match=r"reviews.txt.*\.csv, \.tsv, \.jsonl"):
        read_table(path)
    assert table_form(path) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.tsv", "text\tlabel\na\t1\nb\n", r"t\.tsv', line 3: 1 values for the 2 columns text, label"),
        ("t.csv", "text,label\na,b,1\n", r"t\.csv', line 2: 3 values for the 2 columns"),
        ("t.csv", 'text,label\n"a,1\nb,0\n', r"well-formed CSV"),
        ("t.csv", "text,text\na,b\n", r"names a column twice: text"),
        ("t.csv", "", r"has no rows"),
        ("t.tsv", "text\tlabel\n", r"has no rows"),
        ("t.jsonl", "\n", r"has no rows"),
        ("t.jsonl", '{"text": "a"}\n{"text": \n', r"line 2, is not JSON"),
        ("t.jsonl", '{"text": "a"}\n{"text": ' + "[" * 100_000 + "]" * 100_000 + "}\n", r"line 2, is nested too deeply"),
        ("t.csv", "text\tlabel\na, b\t1\n", r"line 2: 2 values for the 1 column.*separated by tabs.*load it as tsv="),
        ("t.csv", "text;score\na;1,5\n", r"line 2: 2 values for the 1 column.*separated by semicolons.*save it with commas"),
        ("t.jsonl", '["a", 1]\n', r"line 1, holds a JSON list"),
        ("t.csv", b"text,label\ncaf\xe9,1\n", r"not UTF-8: byte 0xe9 in line 2"),
        ("t.csv", b"PK\x03\x04\x14\x00\x06\x00\xff\xee", r"is a zip archive or a workbook.*save the sheet as CSV"),
        ("t.csv.gz", gzip.compress(b"text,label\n" + b"a,1\n" * 999, mtime=0)[:-9], r"cannot be read.*complete"),
        ("t.csv.gz", b"\x1f\x8bnonsense", r"cannot be read"),
        ("t.parquet", b"PAR1 nonsense", r"cannot be read as parquet"),
    ],
)
def test_a_bad_file_is_refused_with_what_came_and_where(tmp_path, name, content, message):
    with pytest.raises(DatasetError, match=message):
        read_table(write(tmp_path / name, content))


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.data"])
def test_parquet_is_recognised_by_its_first_bytes(tmp_path, name):
    table = {"text": ["a", "b"], "label": [0, 1]}
    pd.DataFrame(table).to_parquet(tmp_path / name)
    assert read_table(tmp_path / name) == read_table(tmp_path / name, "csv") == table


def test_a_number_too_long_to_be_computed_with_is_read_as_a_word(tmp_path):
    path = write(tmp_path / "t.jsonl", '{"label": %s, "n": -12}' % ("7" * 5_000))
    assert read_table(path) == {"label": ["7" * 5_000], "n": [-12]}


def test_a_file_that_may_not_be_opened_is_refused(guarded_folder, closed):
    path = write(guarded_folder / "t.csv", "text,label\na,1\n")
    with closed(path), pytest.raises(DatasetError, match=r"t\.csv' cannot be read .*you may open it"):
        read_table(path)


def test_a_missing_file_is_refused_by_its_path(tmp_path):
    with pytest.raises(DatasetError, match=r"no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


def test_lone_surrogates_in_json_are_read_as_written(tmp_path):
    path = write(tmp_path / "t.jsonl", json.dumps({"text": "a\ud800", "label": "x"}) + "\n")
    assert read_table(path)["text"] == ["a\ud800"]
