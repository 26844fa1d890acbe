"""CoNLL-U, the form of Universal Dependencies: a word on each line, in ten columns (https://universaldependencies.org/format)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.split_files import existing_path, folder_source, word_files
from lit_probe.data.table_file import safe_name
from lit_probe.data.tables import read_text
from lit_probe.data.tagged import TaggedText, joined_words, split_tagged, written
from lit_probe.errors import DatasetError

_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_TAGS = ("upos", "xpos", "deprel")
_FEATURE = "feats:"
_NOTHING = "_"
_ID = re.compile(r"(\d{1,6})(?:([-.])(\d{1,6}))?")
_COMMENT = re.compile(r"#\s*(text|newdoc id|newdoc)\s*(?:=\s*(.*))?$")


def load_conllu(source: str | None, options: DatasetOptions) -> Splits:
    """The words of a CoNLL-U file, or of a folder with train, dev and test files, with one of their columns as tags.

    The tag is ``upos``, ``xpos``, ``deprel``, or a feature such as ``feats:Number``; words with ``_`` there, or without that
    feature, have none. Words of a multiword token (``2-3  du``) share the place of what is written, and empty nodes (``8.1``) are
    left out. The text of a sentence is its ``# text``; where that does not hold its words in their order, or is missing, it is
    made of the words, with a space after each but for ``SpaceAfter=No``.

    Args:
      source: the path of a file or folder; files may be gzipped.
      options: the column of tags (``label_column``; ``upos`` by default), seed and words of train.

    Raises:
      DatasetError: no source, no such file or column, a line that is none, or as `split_tagged`.
    """
    if source is None:
        raise DatasetError("conllu needs a file or a folder. Name it: conllu=en-ud-train.conllu.")
    column = "upos" if options.label_column == DatasetOptions.label_column else options.label_column
    if column not in _TAGS and not (column.startswith(_FEATURE) and column != _FEATURE):
        raise DatasetError(
            f"CoNLL-U has no column of tags {column!r}. Choose one of {', '.join(_TAGS)}, or a feature as {_FEATURE}Number, with "
            "the option label_column."
        )
    path, notes = existing_path(source), list[str]()
    files: dict[SplitName, list[Path]] = {"train": [path]} if path.is_file() else word_files(path, (".conllu",))
    parts = {split: [one for file in part for one in read_conllu(file, column, notes)] for split, part in files.items()}
    origin: dict[str, Any] = {"kind": "file", "path": source} if path.is_file() else folder_source(source, files)
    return split_tagged(safe_name(path), parts, options, {**origin, "form": "conllu", "label_column": column}, notes)


def read_conllu(file: Path, column: str, notes: list[str]) -> list[TaggedText]:
    """The sentences of one file.

    Args:
      file: the file, gzipped or not.
      column: the column of tags; or ``feats:`` and the name of a feature.
      notes: gets a remark on sentences whose ``# text`` is not made of their words.

    Raises:
      DatasetError: it has no sentence, or a line is none of CoNLL-U; the message names the line.
    """
    found, rebuilt = [], list[int]()
    for sentence in _sentences(file):
        made, as_written = sentence.tagged(column)
        found.append(made)
        rebuilt += [] if as_written else [sentence.line]
    if not found:
        raise DatasetError(f"{str(file)!r} has no sentence. CoNLL-U has a word on each line, and an empty line after a sentence.")
    if rebuilt:
        notes.append(
            f"{len(rebuilt):,} of {len(found):,} sentences of {file.name} do not hold their words in the text that stands above "
            f"them (the first in line {rebuilt[0]}), and are read as their words with spaces between."
        )
    return found


@dataclass
class _Sentence:
    """The lines of one sentence.

    Attributes:
      line: the number of its first line.
      document: which document it stands in.
      text: what its comment says the text is; None without one.
      words: the ten columns of each word.
      holders: ``[n_words]`` the index of the surface form that each word stands in.
      surface: the surface forms in their order, and whether the next one follows without a space.
    """

    line: int
    document: str | None
    text: str | None = None
    words: list[list[str]] = field(default_factory=list)
    holders: list[int] = field(default_factory=list)
    surface: list[tuple[str, bool]] = field(default_factory=list)
    range_end: int = 0

    def tagged(self, column: str) -> tuple[TaggedText, bool]:
        """The sentence with its tags, and whether its own text holds its words (True where it has none)."""
        forms = [form for form, _ in self.surface]
        made = joined_words(forms, [None] * len(forms), glued=[glued for _, glued in self.surface])
        spans = None if self.text is None else _aligned(self.text, forms)
        text = self.text if self.text is not None and spans is not None else made.text
        spans = spans or list(made.spans)
        tags = tuple(_tag(word, column) for word in self.words)
        of_words = tuple(spans[holder] for holder in self.holders)
        found = TaggedText(text, of_words, tuple(written(word[1]) for word in self.words), tags, self.document)
        return found, self.text is None or text is self.text


def _aligned(text: str, forms: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where the forms stand in the text, one after the other with nothing but spaces between; None where they do not."""
    spans, at = [], 0
    for form in forms:
        pattern = r"\s*(" + r"\s+".join(map(re.escape, form.split())) + ")"
        match = re.compile(pattern).match(text, at)
        if match is None:
            return None
        spans.append(match.span(1))
        at = match.end()
    return None if text[at:].strip() else spans


def _tag(word: Sequence[str], column: str) -> str | None:
    if not column.startswith(_FEATURE):
        tag = word[_COLUMNS.index(column)]
    else:
        pairs = (pair.partition("=") for pair in word[_COLUMNS.index("feats")].split("|"))
        tag = next((value for name, _, value in pairs if name == column.removeprefix(_FEATURE)), _NOTHING)
    return None if tag == _NOTHING else tag


def _sentences(file: Path) -> Iterator[_Sentence]:
    document, n_documents, one = None, 0, None
    for number, raw in enumerate(read_text(file).split("\n"), start=1):
        line = raw.removesuffix("\r")
        if not line.strip():
            if one is not None and one.words:
                yield _whole(one, file, number)
                one = None
            continue
        comment = _COMMENT.match(line) if line.startswith("#") else None
        if comment is not None and comment[1].startswith("newdoc"):
            n_documents += 1
            document = comment[2] or f"document {n_documents} of {file.name}"
            if one is not None:
                one.document = document
        one = one or _Sentence(number, document)
        if comment is not None and comment[1] == "text":
            one.text = written(comment[2] or "") or None
        if not line.startswith("#"):
            _add(one, line, number, file)
    if one is not None and one.words:
        yield _whole(one, file, number)


def _whole(one: _Sentence, file: Path, number: int) -> _Sentence:
    if one.range_end > len(one.words):
        raise DatasetError(f"{str(file)!r}, line {number}: the sentence ends before word {one.range_end} of its multiword token.")
    return one


def _add(one: _Sentence, line: str, number: int, file: Path) -> None:
    """Takes one line of a word in.

    Raises:
      DatasetError: it is none.
    """
    where, cells = f"{str(file)!r}, line {number}", line.split("\t")
    if len(cells) != len(_COLUMNS):
        raise DatasetError(
            f"{where} has {len(cells)} column{'' if len(cells) == 1 else 's'}, where CoNLL-U has {len(_COLUMNS)}, with tabs "
            "between."
        )
    found = _ID.fullmatch(cells[0])
    if found is None:
        raise DatasetError(f"{where} begins with {cells[0]!r}, where the number of a word stands (3, 3-4 or 3.1).")
    if found[2] == ".":
        return
    form, glued = written(cells[1]), "SpaceAfter=No" in cells[9].split("|")
    if not form:
        raise DatasetError(f"{where} has no word in its second column.")
    expected = len(one.words) + 1
    if int(found[1]) != expected:
        raise DatasetError(f"{where} has the number {cells[0]}, where word {expected} of the sentence is due.")
    if found[2] == "-":
        if int(found[3]) < expected or one.range_end >= expected:
            raise DatasetError(f"{where} has the range {cells[0]}, which is empty or overlaps the one before it.")
        one.range_end = int(found[3])
        one.surface.append((form, glued))
        return
    if expected > one.range_end:
        one.surface.append((form, glued))
    one.words.append(cells)
    one.holders.append(len(one.surface) - 1)
