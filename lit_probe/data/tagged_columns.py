"""Tables and lists with a sentence in each row: a list of its words, and a list of their tags."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import find_column, group_words, label_words
from lit_probe.data.tables import Table
from lit_probe.data.tagged import TaggedText, joined_words, split_tagged, written
from lit_probe.errors import DatasetError

_WORDS = ("tokens", "words")
_TAGS = "tags"
# What the library transformers calls a place that is not to be learnt.
_IGNORED = "-100"


def columns_of_words(table: Table, options: DatasetOptions) -> tuple[str, str] | None:
    """The column of words and that of tags, where rows of the table are sentences with lists of both; else None.

    The options name them. Where they name the usual columns of texts and labels and the table has none of that name, the words
    are in ``tokens`` or ``words``, and the tags in ``tags`` or the one column whose name ends with ``_tags``.

    Raises:
      DatasetError: several columns may hold the tags, and none is named.

    >>> columns_of_words({"tokens": [["a", "b"]], "ner_tags": [[0, 1]], "id": ["x"]}, DatasetOptions())
    ('tokens', 'ner_tags')
    """
    asked = options.text_column
    words = next((name for name in (asked, *_WORDS) if isinstance(name, str) and _holds_lists(table, name)), None)
    if words is None or (asked != DatasetOptions.text_column and words != asked):
        return None
    if options.label_column in table or options.label_column != DatasetOptions.label_column:
        return (words, options.label_column) if _holds_lists(table, options.label_column) else None
    found = [name for name in table if name == _TAGS or name.endswith(f"_{_TAGS}")]
    found = [_TAGS] if _TAGS in found else found
    if len(found) > 1:
        raise DatasetError(f"The columns {', '.join(found)} hold tags of words. Choose one with the option label_column.")
    return (words, found[0]) if found and _holds_lists(table, found[0]) else None


def label_column_of(table: Table, options: DatasetOptions) -> str:
    """The column of labels, or of tags where rows are sentences."""
    found = columns_of_words(table, options)
    return options.label_column if found is None else found[1]


def _holds_lists(table: Table, column: str) -> bool:
    value = next((value for value in table.get(column, ()) if value is not None), None)
    return _is_list(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1)


def split_table_of_words(
    name: str,
    tables: Mapping[SplitName, Table],
    columns: tuple[str, str],
    options: DatasetOptions,
    source: Mapping[str, Any],
    origin: str,
    notes: Sequence[str],
    class_names: Sequence[str],
) -> Splits:
    """The words of tables whose rows are sentences.

    Args:
      name: the name of the data set.
      tables: the rows of each split.
      columns: the column of words and that of tags.
      options: groups, words for no tag, seed and words of train.
      source: where they come from, for the provenance.
      origin: what messages call them.
      notes: remarks so far.
      class_names: what the tags 0, 1, … are called, where the source says so.

    Raises:
      DatasetError: a sentence has other numbers of words and tags, a word is no string, or as `split_tagged`.
    """
    of_words, of_tags = columns
    parts, remarks = dict[SplitName, list[TaggedText]](), list(notes)
    for split, table in tables.items():
        where = f"{origin} ({split})" if len(tables) > 1 else origin
        find_column(table, [of_words], where, "text_column")
        if split != "test":  # one without tags is unlabelled
            find_column(table, [of_tags], where, "label_column")
        tags = table.get(of_tags) or [None if words is None else [None] * len(words) for words in table[of_words]]
        groups = None
        if options.group_column is not None:
            find_column(table, [options.group_column], where, "group_column")
            groups = group_words(table[options.group_column], options.group_column)
        parts[split] = tagged_texts(table[of_words], tags, groups, class_names, where, remarks)
    asked = {"text_column": of_words, "label_column": of_tags, "group_column": options.group_column}
    return split_tagged(
        name, parts, options, {**source, **asked}, remarks, class_names=class_names, group_word=options.group_column
    )


def tagged_texts(
    sentences: Sequence[Any],
    tags: Sequence[Any],
    groups: Sequence[str | None] | None,
    class_names: Sequence[str],
    where: str,
    notes: list[str],
) -> list[TaggedText]:
    """Sentences from lists of words and of tags.

    Args:
      sentences: ``[n_sentences]`` the words of each; None or none for a row that is left out.
      tags: ``[n_sentences]`` the tags of each: words, or numbers. None, -1 and -100 stand for none.
      groups: ``[n_sentences]`` what each belongs to, or None.
      class_names: what the tags 0, 1, … are called; none where they are called as they are.
      where: what messages call it all.
      notes: gets a remark on empty words.

    Raises:
      DatasetError: a sentence has other numbers of words and tags, a word is no string, or a tag is a list or none of the names.
    """
    names = {name: name for name in class_names} | {str(number): name for number, name in enumerate(class_names)}
    found, n_empty = list[TaggedText](), 0
    for row, (own_words, own_tags) in enumerate(zip(sentences, tags, strict=True)):
        words = _listed(own_words, where, row, "words")
        labels = _listed(own_tags, where, row, "tags")
        if len(words) != len(labels):
            raise DatasetError(
                f"{where}: sentence {row + 1} has {len(words)} words and {len(labels)} tags. Every word needs a tag, or None: "
                f"{reprlib.repr(words)}."
            )
        if odd := [word for word in words if not isinstance(word, str)]:
            raise DatasetError(
                f"{where}: sentence {row + 1} has the word {reprlib.repr(odd[0])}, which is no string. Make it one."
            )
        plain = [None if tag in (None, _IGNORED) else tag for tag in label_words({_TAGS: labels}, _TAGS)]
        if class_names and (unknown := sorted({tag for tag in plain if tag is not None and tag not in names})):
            raise DatasetError(
                f"{where}: sentence {row + 1} has the tag {unknown[0]}, which is none of {', '.join(class_names)}, nor a "
                "number of theirs from 0."
            )
        kept = [(written(word), None if tag is None else names.get(tag, tag)) for word, tag in zip(words, plain, strict=True)]
        whole = [(word, tag) for word, tag in kept if word]
        n_empty += len(kept) - len(whole)
        if whole:
            group = None if groups is None else groups[row]
            found.append(joined_words([word for word, _ in whole], [tag for _, tag in whole], group))
    if n_empty:
        notes.append(f"{n_empty:,} words of {where} are empty, and are left out with their tags.")
    return found


def _listed(value: Any, where: str, row: int, what: str) -> list[Any]:
    """The words or tags of one row as a list; none where there is nothing.

    Raises:
      DatasetError: it is something else.
    """
    if value is None:
        return []
    if not _is_list(value):
        raise DatasetError(f"{where}: sentence {row + 1} has {reprlib.repr(value)} in place of a list of {what}.")
    return list(value.tolist() if hasattr(value, "tolist") else value)


def split_words(
    tokens: Sequence[Sequence[str]],
    tags: Sequence[Sequence[str | int | None]],
    groups: Sequence[str | int] | None = None,
    *,
    label_names: Sequence[str] | None = None,
    name: str = "words",
    seed: int = 0,
    max_words: int = DatasetOptions.max_words,
) -> Splits:
    """Divides sentences whose words have tags 70/15/15 into train, dev and test; each word with a tag is a row.

    Args:
      tokens: ``[n_sentences]`` the words of each sentence. Its text is these words with spaces between.
      tags: ``[n_sentences]`` a tag for each of its words, a word or a number; None, -1 and -100 mark a word without one, which
        the encoder reads and no probe is asked for.
      groups: ``[n_sentences]`` what must not be split across train and test (a document, an author), or None.
      label_names: the tags in the order wanted, where tags are these words or their numbers from 0; by default the distinct tags,
        sorted.
      name: what the data set is called in tables.
      seed: decides which sentence goes to which split.
      max_words: at most this many words of train, by whole sentences; 0 means all.

    Raises:
      DatasetError: the lengths differ, a word is no string, a tag is a list or none of ``label_names``, there are fewer than two
        tags that are frequent enough, or more than 100.

    >>> splits = split_words([["a", f"film{i}"] for i in range(20)], [["DET", "NOUN"]] * 20)
    >>> splits.label_names, splits.unit, len(splits.train) + len(splits.dev) + len(splits.test)
    (('DET', 'NOUN'), 'word', 40)
    """
    for what, values in (("lists of tags", tags), ("groups", groups)):
        if values is not None and len(values) != len(tokens):
            raise DatasetError(f"There are {len(tokens)} sentences, but {len(values)} {what}. Give one for each sentence.")
    documents, notes = None if groups is None else group_words(groups, "groups"), list[str]()
    options = DatasetOptions(seed=seed, max_words=max_words)
    found = tagged_texts(tokens, tags, documents, tuple(label_names or ()), name, notes)
    group_word = None if groups is None else "group"
    origin = {"kind": "texts in memory"}
    return split_tagged(
        name, {"train": found}, options, origin, notes, class_names=tuple(label_names or ()), group_word=group_word
    )
