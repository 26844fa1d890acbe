"""CSV files that are written here: a spreadsheet computes nothing of them, and our readers read back what was written."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_probe.cli import _write_rows
from lit_probe.data.csv_cells import SHIELD, shielded, unshielded
from lit_probe.data.tables import read_table

CLIENT = Path(__file__).parent.parent.parent / "lit_probe" / "client" / "words" / "files.js"
SIGNS = "=+-@\t\r\n＝＋－＠"
RESTS = ("", "1+cmd|' /C calc'!A0", 'HYPERLINK("https://e.org",1)', "0.5 stars", "x-1")
FORMULAS = [sign + rest for sign in SIGNS for rest in RESTS]
NUMBERS = ["-0.5", "+3", "-1e-05", "-.5", "3", "-1.", "+2E10"]
PLAIN = ["", "plain", "'@somebody", "'-quoted", "a=b", " =1", "a,b", 'a"b', "très", "'", SHIELD]
NESTED = [SHIELD + "=1", SHIELD + SHIELD + "-x", SHIELD + "-5", SHIELD + "plain"]
ALL = [*FORMULAS, *NUMBERS, *PLAIN, *NESTED]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_could_be_a_formula_does_not_begin_like_one(text):
    assert shielded(text)[0] == "'" and shielded(text).endswith(text)


@pytest.mark.parametrize("value", [*NUMBERS, *PLAIN, -0.5, 3, None, True, float("1e-7")])
def test_numbers_and_plain_texts_stay_as_they_are(value):
    assert shielded(value) is value


@given(st.text() | st.sampled_from(ALL))
def test_every_text_is_read_back_unchanged(text):
    assert unshielded(shielded(text)) == text


@pytest.mark.parametrize("text", [*PLAIN, *NUMBERS, "'=1", "=1", "@me", "- a dialogue", "'+1 to that'"])
def test_a_cell_of_somebody_elses_file_is_read_as_it_is(text):
    assert unshielded(text) == text


def test_what_the_command_line_writes_our_reader_reads_back(tmp_path):
    rows = [{"=name": text, "n": str(number)} for number, text in enumerate(ALL)]
    _write_rows(tmp_path / "table.csv", rows)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] and cell[0] in SIGNS and cell not in NUMBERS]
    table = read_table(tmp_path / "table.csv", "csv")
    assert list(table["=name"]) == [row["=name"] for row in rows]


def test_what_the_page_writes_is_what_the_command_line_writes(tmp_path):
    table = f"csvTable(['=name', 'n'], {json.dumps([[text, -0.5] for text in ALL])})"
    code = f"import {{csvTable}} from {json.dumps(CLIENT.as_uri())}; process.stdout.write({table});"
    done = subprocess.run(["node", "--input-type=module", "--eval", code], capture_output=True, check=True)
    _write_rows(tmp_path / "table.csv", [{"=name": text, "n": -0.5} for text in ALL])
    assert done.stdout == (tmp_path / "table.csv").read_bytes()
