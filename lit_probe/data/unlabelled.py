"""Texts without labels, from a table or from a file with a text on each line."""

from __future__ import annotations

from pathlib import Path

from lit_probe.data.rows import find_column, text_values
from lit_probe.data.tables import Table, read_table, read_text, table_form
from lit_probe.errors import DatasetError


def read_texts(path: Path, text_column: str = "text") -> tuple[Table, list[str]]:
    """The rows of a file, and the text of each; a row without a text has an empty one.

    Args:
      path: a csv, tsv, jsonl or parquet file, or a ``.txt`` file with a text on each line; each may be gzipped.
      text_column: the column that holds the texts; a ``.txt`` file has that column alone.

    Raises:
      DatasetError: there is no such file or column, it cannot be read, or it has no rows.
    """
    if table_form(path) is None and Path(path.name.lower().removesuffix(".gz")).suffix == ".txt":
        if not path.is_file():
            raise DatasetError(f"There is no file {str(path)!r}. Check the path; a relative one starts at the current folder.")
        lines = read_text(path).removesuffix("\n").split("\n")
        table: Table = {text_column: [line.removesuffix("\r") for line in lines]}
        if not any(lines):
            raise DatasetError(f"{str(path)!r} has no texts. Write one on each line.")
    else:
        table = read_table(path)
    return table, text_values(table, find_column(table, [text_column], repr(str(path)), "text_column"), repr(str(path)))
