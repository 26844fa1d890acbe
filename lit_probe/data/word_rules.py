"""Rules that say yes or no to a word: a regular expression, a list of words or a function; and what the words of a text are."""

from __future__ import annotations

import re
import reprlib
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from lit_probe.data.tables import read_text
from lit_probe.errors import DatasetError

AnyRule = str | re.Pattern[str] | Collection[str] | Callable[[str], bool]
"""What `rule_of` makes a rule of."""

_REGEX, _WORDS, _BALANCED = "regex:", "words:", "balanced:"
_MOST_NAMED = 5
_RUN = re.compile(r"\S+")


@dataclass(frozen=True)
class WordRule:
    """A rule.

    Attributes:
      written: how it is told, on the command line where it can stand there.
      holds: the function from a word to whether the rule holds of it.
      balanced: whether only as many words keep their label that both are equally frequent.
    """

    written: str
    holds: Callable[[str], bool]
    balanced: bool

    @property
    def as_name(self) -> str:
        """What it adds to the name of a data set.

        >>> rule_of("balanced:regex:^[A-Z]").as_name
        'balanced-regex-A-Z'
        """
        return re.sub(r"[^A-Za-z0-9]+", "-", self.written).strip("-")[:40].strip("-")


def rule_of(rule: AnyRule, balanced: bool = False) -> WordRule:
    """The rule that somebody means.

    Args:
      rule: ``"regex:PATTERN"``, which holds where the pattern is found in a word; ``"words:the a an"``, or ``"words:FILE"`` of a
        file with words between white space; either with ``"balanced:"`` before it; a compiled pattern; a list or set of words;
        or a function from a word to yes or no. Capitals are told from small letters.
      balanced: whether only as many words keep their label that both are equally frequent.

    Raises:
      DatasetError: it is none of these, no regular expression, or a list without a word.

    >>> rule_of("regex:^[A-Z]").holds("Ann"), rule_of({"a", "the"}).holds("The"), rule_of(str.isdecimal).holds("12")
    (True, False, True)
    """
    if isinstance(rule, str):
        return _of_string(rule, balanced)
    prefix = _BALANCED if balanced else ""
    if isinstance(rule, re.Pattern):
        found = rule
        return WordRule(f"{prefix}{_REGEX}{rule.pattern}", lambda word: found.search(word) is not None, balanced)
    if callable(rule):
        return WordRule(f"{prefix}function {getattr(rule, '__name__', type(rule).__name__)}", rule, balanced)
    words = list(rule) if isinstance(rule, Collection) else [rule]
    if any(not isinstance(word, str) for word in words):
        raise DatasetError(
            "A rule for words is regex:PATTERN, words:FILE, a pattern, a list of words or a function. "
            f"It is {reprlib.repr(rule)}."
        )
    return _of_words(words, f"{len(set(words))} words", balanced)


def _of_string(rule: str, balanced: bool) -> WordRule:
    balanced, plain = balanced or rule.startswith(_BALANCED), rule.removeprefix(_BALANCED)
    written = f"{_BALANCED if balanced else ''}{plain}"
    if plain.startswith(_REGEX):
        try:
            pattern = re.compile(plain.removeprefix(_REGEX))
        except re.error as error:
            raise DatasetError(f"{plain!r} is no regular expression ({error}). Correct it.") from error
        return WordRule(written, lambda word: pattern.search(word) is not None, balanced)
    if plain.startswith(_WORDS):
        listed = plain.removeprefix(_WORDS).strip()
        path = Path(listed).expanduser()
        is_file = _is_file(path)
        if "/" in listed and not is_file:
            raise DatasetError(f"There is no file {listed!r} of words. Check the path, or write the words with spaces between.")
        return _of_words((read_text(path) if is_file else listed).split(), plain, balanced)
    raise DatasetError(
        f"{rule!r} is no rule for the option annotate. Write regex:PATTERN, words:FILE or words:the a an, with balanced: "
        "before it where both labels are to be equally frequent."
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a list that is too long for the name of a file
        return False


def _of_words(words: Collection[str], written: str, balanced: bool) -> WordRule:
    wanted = frozenset(words)
    if not wanted:
        raise DatasetError(f"The rule {written!r} names no word. Give one or more.")
    if not written.startswith(_WORDS):
        named = " ".join(sorted(wanted)[:_MOST_NAMED])
        written = f"{_WORDS}{named}" if len(wanted) <= _MOST_NAMED else f"{written}, such as {named}"
    return WordRule(f"{_BALANCED if balanced else ''}{written}", wanted.__contains__, balanced)


def words_in(text: str) -> list[tuple[int, int]]:
    """Where the words of a text stand: what white space parts, and each sign at its ends by itself.

    >>> text = "\\"Don't,\\" he said: 3.5%!"
    >>> [text[start:end] for start, end in words_in(text)]
    ['"', "Don't", ',', '"', 'he', 'said', ':', '3.5', '%', '!']
    """
    found: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        while start < end and _is_sign(text[start]):
            found.append((start, start + 1))
            start += 1
        last = end
        while last > start and _is_sign(text[last - 1]):
            last -= 1
        found += [(start, last)] if last > start else []
        found += [(place, place + 1) for place in range(last, end)]
    return found


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
