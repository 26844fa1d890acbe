"""Sentences whose words have tags, and how they become rows: one row for each word with a tag."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lit_probe.data import text_pairs
from lit_probe.data.labelled_texts import SplitName, Splits, clean_text
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import UNLABELLED, WORD_COLUMN, Rows, doubtful_names, label_names_of, word_of
from lit_probe.data.splitting import make_splits
from lit_probe.data.surface import NO, YES
from lit_probe.data.word_rules import WordRule, rule_of
from lit_probe.errors import DatasetError

MIN_DOCUMENTS_OF_DEV = 10
"""From so many documents in dev on, documents and not sentences are what is divided and resampled: fewer give no interval."""

_SHARE_OF_DEV = 0.15


@dataclass(frozen=True)
class TaggedText:
    """A sentence and the tags of its words.

    Attributes:
      text: the sentence as a reader sees it.
      spans: ``[n_words]`` (start, end) of each word in it, in characters. Words of one written form (``du``) share its span.
      forms: ``[n_words]`` the words; mostly what stands in the span.
      tags: ``[n_words]`` the tag of each word; None where it has none.
      document: which document it stands in; None where nobody says.
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    forms: tuple[str, ...]
    tags: tuple[str | None, ...]
    document: str | None = None


def written(word: str) -> str:
    """A word as it can stand in a text: without halves of characters, and without the sign that joins pairs of texts.

    >>> written("caf\\u00e9 ")
    'café'
    """
    return text_pairs.without_seam(clean_text(word)).strip()


def joined_words(
    words: Sequence[str], tags: Sequence[str | None], document: str | None = None, glued: Sequence[bool] | None = None
) -> TaggedText:
    """The sentence that these words make, with a space after each word.

    Args:
      words: ``[n_words]`` none of them empty.
      tags: ``[n_words]``.
      document: which document it stands in.
      glued: ``[n_words]`` whether the next word follows without a space; None where none does.

    >>> joined_words(["Well", ",", "yes"], ["INTJ", "PUNCT", None], glued=[True, False, False]).spans
    ((0, 4), (4, 5), (6, 9))
    """
    text, spans = "", []
    for place, word in enumerate(words):
        spans.append((len(text), len(text) + len(word)))
        text += word if glued is not None and glued[place] else f"{word} "
    return TaggedText(text.rstrip(), tuple(spans), tuple(words), tuple(tags), document)


def split_tagged(
    name: str,
    parts: Mapping[SplitName, Sequence[TaggedText]],
    options: DatasetOptions,
    origin: Mapping[str, Any],
    notes: Sequence[str] = (),
    *,
    class_names: Sequence[str] = (),
    group_word: str | None = None,
    rule: WordRule | None = None,
) -> Splits:
    """Divides tagged sentences into train, dev and test, and then into words.

    No sentence stands in two splits, and no document where documents are known and enough: where dev would have
    `MIN_DOCUMENTS_OF_DEV` of them, and no document stands in two official splits. Then they are the groups of folds and
    intervals; else sentences are. Documents that somebody named as groups are divided whole in any case.

    Args:
      name: the name of the result.
      parts: the sentences of each split; of a single file as ``{"train": sentences}``.
      options: seed, words of train, and words in place of tags that stand for none.
      origin: where they come from, for the provenance.
      notes: remarks for the provenance.
      class_names: the tags in the order that their source gives them; by default they are sorted.
      group_word: what documents are called where somebody asked for them as groups; None where a file happens to name them.
      rule: what is asked of each word in place of its tag; the option ``annotate`` by default.

    Raises:
      DatasetError: there is no sentence or tag, or as `make_splits`.
    """
    rule = rule_of(options.annotate) if rule is None and options.annotate is not None else rule
    if rule is not None:
        parts, class_names, origin = _asked(parts, rule, options.seed, name), (NO, YES), {**origin, "annotate": rule.written}
    if options.missing:
        origin = {**origin, "missing": list(options.missing)}
    missing = {word_of(word) for word in options.missing}

    def tag_of(tag: str | None) -> str | None:
        word = None if tag is None else word_of(tag)
        return None if not word or word in missing else word

    tagged = {split: [[tag_of(tag) for tag in one.tags] for one in part] for split, part in parts.items()}
    found = label_names_of(tag for part in tagged.values() for tags in part for tag in tags)
    label_names = (*(tag for tag in class_names if tag in found), *(tag for tag in found if tag not in class_names))
    if not label_names:
        raise DatasetError(f"Data set {name!r}: no word has a tag. Choose another column of tags with the option label_column.")
    numbers: dict[str | None, int] = {tag: number for number, tag in enumerate(label_names)} | {None: UNLABELLED}
    by_document, remark = (True, list[str]()) if group_word else _by_document(parts)
    rows = {
        split: Rows(
            texts=[one.text for one in part for _ in one.spans],
            labels=[numbers[tag] for tags in tagged[split] for tag in tags],
            groups=[one.document if by_document else None for one in part for _ in one.spans],
            columns={WORD_COLUMN: [form for one in part for form in one.forms]},
            spans=[span for one in part for span in one.spans],
        )
        for split, part in parts.items()
    }
    return make_splits(
        name,
        rows,
        label_names,
        options,
        origin,
        group_word=group_word or "document",
        notes=[*notes, *remark, *doubtful_names(label_names)],
    )


def _asked(
    parts: Mapping[SplitName, Sequence[TaggedText]], rule: WordRule, seed: int, name: str
) -> dict[SplitName, list[TaggedText]]:
    """The sentences with yes or no for each word in place of its tag; None for those that balance leaves out.

    Raises:
      DatasetError: the rule holds of no word, or of every word.
    """
    found = {
        split: [replace(one, tags=tuple(YES if rule.holds(form) else NO for form in one.forms)) for one in part]
        for split, part in parts.items()
    }
    counts = Counter(tag for part in found.values() for one in part for tag in one.tags)
    n_words = sum(counts.values())
    if not counts[YES] or not counts[NO]:
        which = "none" if not counts[YES] else "all"
        raise DatasetError(f"The rule {rule.written!r} holds of {which} of the {n_words:,} words of {name}. Choose another rule.")
    return {split: _balanced(part, seed) for split, part in found.items()} if rule.balanced else found


def _balanced(part: Sequence[TaggedText], seed: int) -> list[TaggedText]:
    """The sentences with so many tags of the more frequent label, by lot, as the other has."""
    counts = Counter(tag for one in part for tag in one.tags)
    more = max((NO, YES), key=lambda tag: counts[tag])
    places = [(row, place) for row, one in enumerate(part) for place, tag in enumerate(one.tags) if tag == more]

    def lot(place: tuple[int, int]) -> str:
        # By what the word is, so that the order of the sentences changes nothing.
        one = part[place[0]]
        return hashlib.sha256(f"{seed} {one.spans[place[1]]} {one.forms[place[1]]} {one.text}".encode()).hexdigest()

    kept = set(sorted(places, key=lot)[: min(counts[NO], counts[YES])])
    return [
        replace(one, tags=tuple(tag if tag != more or (row, place) in kept else None for place, tag in enumerate(one.tags)))
        for row, one in enumerate(part)
    ]


def _by_document(parts: Mapping[SplitName, Sequence[TaggedText]]) -> tuple[bool, list[str]]:
    """Whether documents are what is divided, and a note where they are known and still are not."""
    documents = {split: {one.document for one in part if one.document is not None} for split, part in parts.items()}
    known = set().union(*documents.values())
    if not known:
        return False, []
    if sum(map(len, documents.values())) > len(known):
        return False, ["Some documents stand in two of the official splits. Folds and intervals are by sentence."]
    in_dev = len(documents["dev"]) if "dev" in documents else int(_SHARE_OF_DEV * len(known))
    if in_dev < MIN_DOCUMENTS_OF_DEV:
        few = f"{len(known):,} document{'s are' if len(known) > 1 else ' is'}"
        return False, [f"{few} too few to be divided or resampled. Splits, folds and intervals are by sentence."]
    return True, []
