"""Reading one table file (tsv, csv, jsonl or parquet, optionally gzipped) into columns."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lit_probe.data.csv_cells import unshielded
from lit_probe.data.labelled_texts import stripped
from lit_probe.errors import DatasetError, NoRowsError

Table = dict[str, list[Any]]
"""Columns by name, all of one length, in file order."""

_PARQUET = b"PAR1"
_NO_TABLE = {
    b"PK\x03\x04": "a zip archive or a workbook. Unpack it, or save the sheet as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save the sheet as CSV in UTF-8",
    b"ARROW1\0\0": "an Arrow file. Give the folder that save_to_disk wrote, or save it as parquet",
    b"\xff\xff\xff\xff": "an Arrow file. Give the folder that save_to_disk wrote, or save it as parquet",
    b"FEA1\0\0\0\0": "a Feather file. Save it as parquet",
    **{b"BZh%d1AY" % level: "compressed with bzip2. Unpack it, or compress it with gzip" for level in range(1, 10)},
    b"\xfd7zXZ": "compressed with xz. Unpack it, or compress it with gzip",
    b"(\xb5/\xfd": "compressed with zstd. Unpack it, or compress it with gzip",
    b"\x80\x04\x95": "a Python pickle, which is not opened because it may run code. Save it as parquet",
    b"\x80\x05\x95": "a Python pickle, which is not opened because it may run code. Save it as parquet",
    b"SQLite format 3\0": "an SQLite database. Save one table of it as CSV in UTF-8",
    b"%PDF-": "a PDF. Save its table as CSV in UTF-8",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself. Fetch it with: git lfs pull",
}
"""What a file is that begins with these bytes, and what to do with it."""

_SEPARATORS = {
    "\t": "tabs: load it as tsv=",
    ";": "semicolons: save it with commas",
    "|": "vertical bars: save it with commas",
    ",": "commas: load it as csv=",
}

# What Excel writes before the header, for itself.
_SEPARATOR_LINE = re.compile(r'\A\s*(?:sep=,|"sep=,"),*[ \t\r]*\n', re.IGNORECASE)

_UTF_16 = ("utf-16-le", "utf-16-be")
_ENCODING_BYTES = 1 << 16
"""How much of a file is looked at to tell its encoding."""

_ROW_NUMBER = re.compile(r"__index_level_\d+__")

# Python refuses to turn more than 4,300 digits into a number.
_MAX_DIGITS = 4_000


def table_form(path: Path) -> str | None:
    """The form that a file's name promises: ``"tsv"``, ``"csv"``, ``"jsonl"``, ``"parquet"`` or None.

    >>> table_form(Path("reviews.CSV.gz")), table_form(Path("train.parquet")), table_form(Path("README.md"))
    ('csv', 'parquet', None)
    """
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix.removeprefix(".")
    return suffix if suffix in (*_TEXT_READERS, "parquet") else None


def read_table(path: Path, form: str | None = None) -> Table:
    """Reads a table with a header.

    - tsv: GLUE's form. Rows end at ``\\n`` (a ``\\r`` before it is dropped) and quotation marks are ordinary characters.
    - csv: comma-separated, with the usual quoting (a quoted value may hold commas, doubled quotes and line breaks).
    - jsonl: one JSON object per line.
    - parquet: as the Hugging Face hub stores data sets.

    Gzipped files and parquet are recognised by their first bytes, whatever their name and ``form``; a byte order mark is skipped.

    Args:
      path: the file.
      form: how to read it; by default what the name says.

    Raises:
      DatasetError: the file is missing, empty, in no known form, not UTF-8, or a row does not fit the header.
    """
    form = "parquet" if _first_bytes(path, len(_PARQUET)) == _PARQUET else form or table_form(path)
    if form is None:
        raise DatasetError(f"{str(path)!r} is in no form known here. Use .csv, .tsv, .jsonl (each may be gzipped) or .parquet.")
    table = _read_parquet(path) if form == "parquet" else _TEXT_READERS[form](read_text(path), path)
    if not any(table.values()):
        raise NoRowsError(f"{str(path)!r} has no rows. A table needs a header with the column names and one row per example.")
    return table


def read_text(path: Path) -> str:
    """The whole file as text: UTF-8, gzipped or not, without a byte order mark.

    Raises:
      DatasetError: the file cannot be read, unzipped or decoded.
    """
    try:
        raw = path.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
        for start, advice in _NO_TABLE.items():
            if raw.startswith(start):
                raise DatasetError(f"{str(path)!r} is {advice}.")
        if raw[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise DatasetError(f"{str(path)!r} is a web page. Download the file itself (often the link called raw).")
        return raw.decode(_encoding(raw))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{str(path)!r} is not UTF-8: byte 0x{raw[error.start]:02x} in line {line} cannot be read. Save the file as UTF-8."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error


def _encoding(raw: bytes) -> str:
    """UTF-8, or UTF-16 as spreadsheets write "Unicode text": by its mark, or by where the zeros of its line breaks stand.

    A header in Latin letters has a zero in every other byte, one in Chinese only at its separators and at the line's end.
    """
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = raw[:_ENCODING_BYTES].count(0)
    if zeros and len(raw) % 2 == 0 and (zeros > min(len(raw), _ENCODING_BYTES) / 4 or not _is_utf_8(raw)):
        units = [raw[i : i + 2] for i in range(0, min(len(raw), _ENCODING_BYTES), 2)]
        little, big = (sum(unit in (mark.encode(name) for mark in "\n\t,") for unit in units) for name in _UTF_16)
        if little or big:
            return _UTF_16[0] if little > big else _UTF_16[1]
    return "utf-8-sig"


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def unreadable(path: Path | str, error: Exception) -> DatasetError:
    """The error for a file or folder at which the system balks."""
    return DatasetError(f"{str(path)!r} cannot be read ({error}). Check that it is complete and that you may open it.")


def separator_hint(names: Iterable[str]) -> str:
    """A sentence to end a message with, where a header that was read as one column seems to hold several; else nothing.

    >>> separator_hint(["text;label"]), separator_hint(["text", "label"])
    (' Its columns seem to be separated by semicolons: save it with commas.', '')
    """
    header = list(names)
    found = [advice for separator, advice in _SEPARATORS.items() if len(header) == 1 and separator in header[0]]
    return f" Its columns seem to be separated by {found[0]}." if found else ""


def _first_bytes(path: Path, count: int) -> bytes:
    try:
        if not path.is_file():
            raise DatasetError(f"There is no file {str(path)!r}. Check the path; a relative one starts at the current folder.")
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise unreadable(path, error) from error


def _from_rows(header: Sequence[str], rows: Iterable[tuple[int, list[str]]], path: Path) -> Table:
    """Columns from ``(line number, values)`` rows, refusing rows that do not fit the header.

    Columns without a name are called by their place; spreadsheets also save some that were emptied, which have no value either.
    """
    names = [stripped(name) for name in header]
    kept = []
    for line, values in rows:
        if len(values) > len(names) and not any(map(stripped, values[len(names) :])):
            values = values[: len(names)]
        if len(values) != len(names):
            raise DatasetError(
                f"{str(path)!r}, line {line}: {len(values)} values for the {len(names)} columns {', '.join(names)}. "
                f"Check that row's separators and quotation marks.{separator_hint(names)}"
            )
        kept.append(values)
    columns = [list(column) for column in zip(*kept, strict=True)] if kept else [[] for _ in names]
    named = [
        (name or f"column {place}", values)
        for place, (name, values) in enumerate(zip(names, columns, strict=True), start=1)
        if name or any(map(stripped, values))
    ]
    names_once([name for name, _ in named], repr(str(path)))
    return dict(named)


def names_once(names: Sequence[str], origin: str) -> None:
    """Refuses a table that names a column twice."""
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DatasetError(f"{origin} names a column twice: {', '.join(repeated)}. Give every column its own name.")


def _read_tsv(text: str, path: Path) -> Table:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    rows = ((number, line.split("\t")) for number, line in enumerate(lines[1:], start=2) if line)
    return _from_rows(lines[0].split("\t"), rows, path)


def _read_csv(text: str, path: Path) -> Table:
    # Python's default limit of 131,072 characters per value is shorter than some texts.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    # strict: otherwise one unclosed quotation mark would swallow the rest of the file without a word.
    text = _SEPARATOR_LINE.sub("", text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [unshielded(name) for name in next(reader, [])]
        rows = ((reader.line_num, [unshielded(value) for value in values]) for values in reader if values)
        return _from_rows(header, rows, path)
    except csv.Error as error:
        raise DatasetError(
            f"{str(path)!r} is not a well-formed CSV file near line {reader.line_num} ({error}). "
            'Close every quotation mark and double those inside a quoted value (""). A tab-separated file goes with tsv=.'
        ) from error


def _read_jsonl(text: str, path: Path) -> Table:
    if re.match(r"\s*\[\s*\{", text):
        raise DatasetError(
            f"{str(path)!r} is one JSON array. Write one object per line, or load it in a program and give the list to "
            "split_table."
        )
    records: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(parse_int=_integer)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except json.JSONDecodeError as error:
            raise DatasetError(f"{str(path)!r}, line {number}, is not JSON ({error.msg}). Write one object per line.") from error
        except RecursionError as error:
            raise DatasetError(f"{str(path)!r}, line {number}, is nested too deeply. Write one flat object per line.") from error
        if not isinstance(record, dict):
            raise DatasetError(
                f"{str(path)!r}, line {number}, holds a JSON {type(record).__name__}, not an object. "
                'Write one object per line, such as {"text": "…", "label": "…"}.'
            )
        records.append(record)
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _integer(digits: str) -> int | str:
    """A JSON integer; as a word where it is too long to compute with, such as an identifier."""
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def class_names(paths: Sequence[Path], column: str) -> tuple[str, ...]:
    """What the classes 0, 1, … of a column, or of its lists, are called, where ``datasets`` has written so into a parquet file.

    Raises:
      DatasetError: two files call them differently.
    """
    named = []
    for path in paths:
        if _first_bytes(path, len(_PARQUET)) == _PARQUET:
            feature = _written_features(path).get(column)
            # Of a column of lists, that of what they hold.
            feature = feature.get("feature", feature) if isinstance(feature, dict) else feature
            if isinstance(feature, dict) and feature.get("names"):
                named.append((str(path), tuple(feature["names"])))
    return one_naming(named, column)


def one_naming(named: Iterable[tuple[str, tuple[str, ...]]], column: str) -> tuple[str, ...]:
    """The class names on which all parts of a data set agree; a part that says nothing contradicts none.

    Args:
      named: a part's name, and what it calls the classes 0, 1, ….
      column: the column, for the message.

    Raises:
      DatasetError: two parts call them differently.
    """
    part_of: dict[tuple[str, ...], str] = {}
    for part, names in named:
        part_of.setdefault(names, part)
    if len(part_of) > 1:
        raise DatasetError(f"{' and '.join(part_of.values())} call the classes of {column!r} differently: {list(part_of)}.")
    return next(iter(part_of), ())


def _written_features(path: Path) -> dict[str, Any]:
    """What the library ``datasets`` has written of a parquet file's columns; nothing where another has written it."""
    from pyarrow import parquet

    metadata = (parquet.read_schema(path).metadata or {}).get(b"huggingface")
    return (json.loads(metadata).get("info") or {}).get("features") or {} if metadata else {}


def _read_parquet(path: Path) -> Table:
    from pyarrow import parquet

    try:
        # Not pandas: where a value is missing it would make 3.0 of 3, and another number of one with 17 digits.
        table = parquet.ParquetFile(path).read()
        names_once(table.column_names, repr(str(path)))
        return {name: table[name].to_pylist() for name in table.column_names if not is_row_number(name)}
    except (OSError, ValueError) as error:
        raise DatasetError(f"{str(path)!r} cannot be read as parquet ({error}). Download it again.") from error


def is_row_number(column: str) -> bool:
    """Whether a column holds the row numbers of a data frame, which pandas writes into parquet files under a name of its own.

    >>> is_row_number("__index_level_0__"), is_row_number("index")
    (True, False)
    """
    return _ROW_NUMBER.fullmatch(column) is not None


_TEXT_READERS: dict[str, Callable[[str, Path], Table]] = {"tsv": _read_tsv, "csv": _read_csv, "jsonl": _read_jsonl}
