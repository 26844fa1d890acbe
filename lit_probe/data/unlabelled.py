"""Texts without labels, from a table or from a file with a text on each line."""

from __future__ import annotations

from pathlib import Path

from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import rows_of
from lit_probe.data.tables import Table, read_table, read_text, table_form
from lit_probe.data.text_columns import text_columns, texts_of
from lit_probe.errors import DatasetError, NoRowsError


def read_texts(path: Path, text_column: str | tuple[str, str] = "text") -> tuple[Table, list[str]]:
    """The rows of a file, and the text of each; a row without a text, or half a pair, has an empty one.

    Args:
      path: a csv, tsv, jsonl or parquet file, or a ``.txt`` file with a text on each line; each may be gzipped.
      text_column: the column that holds the texts, or the two of pairs; a ``.txt`` file has one column alone.

    Raises:
      DatasetError: there is no such file or column, it cannot be read, it has no rows, or it has one text on each line for pairs.
    """
    if table_form(path) is None and Path(path.name.lower().removesuffix(".gz")).suffix == ".txt":
        if not path.is_file():
            raise DatasetError(f"There is no file {str(path)!r}. Check the path; a relative one starts at the current folder.")
        if not isinstance(text_column, str):
            raise DatasetError(f"{str(path)!r} has one text on each line. Pairs need a table with two columns of texts.")
        lines = read_text(path).removesuffix("\n").split("\n")
        table: Table = {text_column: [line.removesuffix("\r") for line in lines]}
        if not any(lines):
            raise NoRowsError(f"{str(path)!r} has no texts. Write one on each line.")
    else:
        table = read_table(path)
    columns = text_columns(DatasetOptions(text_column=text_column, label_column=""), table, repr(str(path)))
    said = texts_of(table, columns, repr(str(path)))
    return table, list(rows_of(said, [0] * len(said)).texts)
