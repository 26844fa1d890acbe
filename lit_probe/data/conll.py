"""Words and tags in columns, the form of the CoNLL shared tasks: a word on each line, and an empty line after a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.split_files import existing_path, folder_source, word_files
from lit_probe.data.table_file import safe_name
from lit_probe.data.tables import read_text
from lit_probe.data.tagged import TaggedText, joined_words, split_tagged, written
from lit_probe.errors import DatasetError

_ENDINGS = (".conll", ".conll03", ".iob2", ".iob", ".bio", ".txt", ".tsv", "")
# What the files of CoNLL-2003 are called: eng.train, eng.testa, eng.testb.
_ALSO: dict[str, SplitName] = {"testa": "dev", "testb": "test"}
_DOCUMENT = "-DOCSTART-"
_LAST = "last"


def load_conll(source: str | None, options: DatasetOptions) -> Splits:
    """The words of a file in columns, or of a folder with train, dev and test files, with one of the columns as tags.

    The first column is the word. Columns stand apart by tabs where the first line of words has one, else by white space. An empty
    line ends a sentence, ``-DOCSTART-`` begins a document, and a line that begins with ``#`` and has not as many columns as the
    others is a comment. The text of a sentence is its words with spaces between.

    Args:
      source: the path of a file or folder; files may be gzipped.
      options: the column of tags (``label_column``: its number, counted from 1; the last one by default), seed and words of
        train.

    Raises:
      DatasetError: no source, no such file or column, a line that has other columns than the first, or as `split_tagged`.
    """
    if source is None:
        raise DatasetError("conll needs a file or a folder. Name it: conll=train.conll.")
    column = _LAST if options.label_column == DatasetOptions.label_column else options.label_column
    if column != _LAST and not (column.isdecimal() and 1 < int(column) < 1000):
        raise DatasetError(
            f"A file of columns has no column {column!r} of tags. Give its number with the option label_column, counted from 1; "
            "the first one holds the words."
        )
    path = existing_path(source)
    files: dict[SplitName, list[Path]] = {"train": [path]} if path.is_file() else word_files(path, _ENDINGS, _ALSO)
    parts = {split: [one for file in part for one in read_conll(file, column)] for split, part in files.items()}
    origin: dict[str, Any] = {"kind": "file", "path": source} if path.is_file() else folder_source(source, files)
    return split_tagged(safe_name(path), parts, options, {**origin, "form": "conll", "label_column": column})


def read_conll(file: Path, column: str = _LAST) -> list[TaggedText]:
    """The sentences of one file.

    Args:
      file: the file, gzipped or not.
      column: the number of the column of tags, counted from 1; or ``last``.

    Raises:
      DatasetError: it has no sentence or no such column, or a line has other columns than the first; the message names the line.
    """
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(read_text(file).split("\n"), start=1)]
    first = next((line for _, line in lines if line.strip() and not line.startswith(("#", _DOCUMENT))), None)
    if first is None:
        raise DatasetError(
            f"{str(file)!r} has no sentence. It needs a word and its tag on each line, and an empty line after a sentence."
        )
    separator = "\t" if "\t" in first else None
    n_columns = len(first.split(separator))
    if n_columns < 2:
        raise DatasetError(
            f"{str(file)!r} has one column, where a word and its tag are due, with a tab or a space between them: {first[:40]!r}."
        )
    place = n_columns if column == _LAST else int(column)
    if place > n_columns:
        raise DatasetError(f"{str(file)!r} has {n_columns} columns, and no column {place} for the option label_column.")
    found: list[TaggedText] = []
    words, tags, document, n_documents = list[str](), list[str | None](), None, 0

    def end_sentence() -> None:
        if words:
            found.append(joined_words(words, tags, document))
            words.clear()
            tags.clear()

    for number, line in lines:
        cells = line.split(separator)
        if not line.strip():
            end_sentence()
        elif line.startswith(_DOCUMENT):
            end_sentence()
            n_documents += 1
            document = f"document {n_documents} of {file.name}"
        elif len(cells) == n_columns and (word := written(cells[0])):
            words.append(word)
            tags.append(cells[place - 1])
        elif not line.startswith("#"):
            told = "no word" if len(cells) == n_columns else f"{len(cells)} column{'' if len(cells) == 1 else 's'}"
            due = "a word and its tag" if n_columns == 2 else f"a word and {n_columns - 1} further columns"
            raise DatasetError(f"{str(file)!r}, line {number} has {told}, where {due} are due.")
    end_sentence()
    return found
