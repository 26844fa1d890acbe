"""Edits of a text by rule, each with what should become of its label: negation and contrast, in the style of CheckList.

CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442) asks of an edit whether the label should stay
(invariance) or change in a known direction, before anybody looks at the model. The rules here are about praise and blame in
English. They know words and not meaning, so read what they make: an expectation is what mostly holds, not a gold label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

# What is expected of the label. A generator that cannot know says so.
CHANGE = "label expected to change"
STAY = "label expected to stay"
UNKNOWN = "no expectation"
EXPECTATIONS = (CHANGE, STAY, UNKNOWN)

Polarity = Literal["praise", "blame"]
"""What a text's label says of it."""

_POLARITIES: dict[str, Polarity] = {"positive": "praise", "negative": "blame"}

# Words that judge, praise first, each with its opposite. Left out are words that often mean something else (like, moving, fine,
# original).
_ADJECTIVE_PAIRS = (
    "good bad, great awful, excellent terrible, wonderful horrible, brilliant dreadful, superb atrocious, amazing appalling, "
    "fantastic lousy, funny unfunny, interesting boring, exciting dull, clever stupid, smart dumb, enjoyable tedious, "
    "entertaining tiresome, engaging dreary, charming annoying, beautiful ugly, lively lifeless, memorable forgettable, "
    "delightful irritating, likable unlikable, reliable unreliable, useful useless, comfortable uncomfortable, sturdy flimsy, "
    "pleasant unpleasant, perfect hopeless"
)
_OTHER_PAIRS = (
    "better worse, best worst, masterpiece mess, triumph failure, joy chore, loved hated, liked disliked, recommended rejected"
)
_PAIRS = [tuple(pair.split()) for pair in f"{_ADJECTIVE_PAIRS}, {_OTHER_PAIRS}".split(", ")]
OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}

# Verbs that judge: the form after "not", and that of the past.
_VERBS = (("like", "liked"), ("love", "loved"), ("enjoy", "enjoyed"), ("recommend", "recommended"), ("hate", "hated"))

_PRAISING = frozenset(one for one, _ in _PAIRS)

_JUDGING = re.compile(rf"\b(?:{'|'.join(sorted(OPPOSITES, key=len, reverse=True))})\b", re.IGNORECASE)
# Further forms that judge. They have no opposite here, so whatever a rule makes of the rest of a text, they still stand.
_STANDING = re.compile(
    r"\b(?:(?:dis)?lik(?:e|es|ing)|lov(?:e|es|ing)|enjoy(?:s|ed|ing)?|hat(?:e|es|ing)|recommend(?:s|ing)?)\b", re.IGNORECASE
)
_SHORT = 12  # words
_ADJECTIVES = "|".join(_ADJECTIVE_PAIRS.replace(",", "").split())
_IS = r"\b(is|was|are|were)"
# No comma after it: "not dull, sloppy and full of errors" would deny the first of three words.
_GOOD = rf"((?:an? |the )?(?:very |so |really |quite |rather |truly |simply |just |pretty )?(?:{_ADJECTIVES}))\b(?!,)"
# Only where a sentence begins: "the book that I loved" judges by the way.
_WE = r"(?<![^.!?] )(?<!\w)(I|We) (really |truly )?"
_BASES, _PASTS = ("|".join(forms) for forms in zip(*_VERBS, strict=True))
_PAST_OF = dict(_VERBS)
_BASE_OF = {past: base for base, past in _VERBS}


@dataclass(frozen=True)
class Edit:
    """A text made from another one.

    Attributes:
      text: the new one.
      rule: what was done, for people.
      expectation: one of ``EXPECTATIONS``.
    """

    text: str
    rule: str
    expectation: str = UNKNOWN


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
      name: the name for people.
      kind: ``negation`` or ``contrast``.
      expectation: ``CHANGE`` or ``STAY``.
      of: the texts it is for: those that praise, those that blame, or None for both.
      before: an example.
      after: what the rule makes of it.
      edit: the edit from a text to the new one, or None where the rule has nothing to work on.
      holds: whether the expectation is to be had of a text; elsewhere the edit is made and nothing is expected.
    """

    name: str
    kind: str
    expectation: str
    of: Polarity | None
    before: str
    after: str
    edit: Callable[[str], str | None]
    holds: Callable[[str], bool] = lambda text: True

    @property
    def title(self) -> str:
        """Its kind and name, as an edit carries them."""
        return f"{self.kind}: {self.name}"


def _replacing(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Callable[[str], str | None]:
    """Replaces the one match, in a text that has no further word that judges: it would still stand."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def edit(text: str) -> str | None:
        match = compiled.search(text)
        if match is None:
            return None
        rest = f"{text[: match.start()]} {text[match.end() :]}"
        if _JUDGING.search(rest) or _STANDING.search(rest):
            return None
        made = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
        return text[: match.start()] + made + text[match.end() :]

    return edit


def _framed(frame: str) -> Callable[[str], str | None]:
    """Puts the text into a frame in place of its ``{}``; a text without any letter or digit is left alone."""
    before, after = frame.split("{}")

    def edit(text: str) -> str | None:
        if not any(character.isalnum() for character in text):
            return None
        body = text.strip()
        # A sentence follows, so this one must have an end.
        stop = "" if not after or body[-1] in ".!?…" else "."
        return f"{before}{body[:1].upper() + body[1:] if before else body}{stop}{after}"

    return edit


def _opposite(text: str) -> str | None:
    """Every word that judges becomes its opposite, and the article before it agrees with it."""

    def swap(match: re.Match[str]) -> str:
        article, space, word = match["article"], match["space"] or "", match["word"]
        other = OPPOSITES[word.lower()]
        if word.isupper():
            other = other.upper()
        elif word[0].isupper():
            other = other.capitalize()
        if article:
            article = article[0] + ("n" if other[0].lower() in "aeiou" else "")
        return f"{article or ''}{space}{other}"

    made = re.sub(rf"\b(?:(?P<article>an?)(?P<space>\s+))?(?P<word>{_JUDGING.pattern})", swap, text, flags=re.IGNORECASE)
    return made if made != text else None


def _one_verdict(text: str) -> bool:
    """Whether a text's judging words make up its verdict, so that with their opposites it says the opposite.

    A long review that weighs praise and blame does so with the opposites too, and its label may well stay.
    """
    words = [word.lower() for word in _JUDGING.findall(text)]
    of_a_kind = len({word in _PRAISING for word in words}) == 1
    return not _STANDING.search(text) and (of_a_kind or len(text.split()) <= _SHORT)


# In the order in which edits are shown.
RULES: tuple[Rule, ...] = (
    Rule(
        "is → is not",
        "negation",
        CHANGE,
        None,
        "The plot is very good.",
        "The plot is not very good.",
        _replacing(rf"{_IS} {_GOOD}", r"\1 not \2"),
    ),
    Rule(
        "is not → is",
        "negation",
        CHANGE,
        None,
        "The plot isn't good.",
        "The plot is good.",
        _replacing(rf"{_IS}(?: not|n['’]t) {_GOOD}", r"\1 \2"),
    ),
    Rule(
        "like → do not like",
        "negation",
        CHANGE,
        None,
        "I really like it.",
        "I do not really like it.",
        _replacing(rf"{_WE}({_BASES})\b", lambda match: f"{match[1]} do not {match[2] or ''}{match[3]}"),
    ),
    Rule(
        "liked → did not like",
        "negation",
        CHANGE,
        None,
        "We liked it.",
        "We did not like it.",
        _replacing(rf"{_WE}({_PASTS})\b", lambda match: f"{match[1]} did not {match[2] or ''}{_BASE_OF[match[3].lower()]}"),
    ),
    Rule(
        "do not like → like",
        "negation",
        CHANGE,
        None,
        "I don't like it.",
        "I like it.",
        _replacing(rf"\bdo(?: not|n['’]t) ({_BASES})\b", r"\1"),
    ),
    Rule(
        "did not like → liked",
        "negation",
        CHANGE,
        None,
        "I did not like it.",
        "I liked it.",
        _replacing(rf"\bdid(?: not|n['’]t) ({_BASES})\b", lambda match: _PAST_OF[match[1].lower()]),
    ),
    Rule(
        "every judging word → its opposite",
        "contrast",
        CHANGE,
        None,
        "A good film, and so funny.",
        "A bad film, and so unfunny.",
        _opposite,
        _one_verdict,
    ),
    Rule(
        "closing verdict against the text",
        "contrast",
        CHANGE,
        "praise",
        "The plot is good.",
        "The plot is good. But all in all, I did not like it.",
        _framed("{} But all in all, I did not like it."),
    ),
    Rule(
        "closing verdict against the text",
        "contrast",
        CHANGE,
        "blame",
        "The plot is bad.",
        "The plot is bad. But all in all, I liked it a lot.",
        _framed("{} But all in all, I liked it a lot."),
    ),
    Rule(
        "opposite expectation before the text",
        "contrast",
        STAY,
        "praise",
        "The plot is good.",
        "I had expected to hate it. The plot is good.",
        _framed("I had expected to hate it. {}"),
    ),
    Rule(
        "opposite expectation before the text",
        "contrast",
        STAY,
        "blame",
        "The plot is bad.",
        "I had expected to love it. The plot is bad.",
        _framed("I had expected to love it. {}"),
    ),
    Rule(
        "somebody else's opposite view before the text",
        "contrast",
        STAY,
        "praise",
        "The plot is good.",
        "My neighbour hated it, and I do not agree. The plot is good.",
        _framed("My neighbour hated it, and I do not agree. {}"),
    ),
    Rule(
        "somebody else's opposite view before the text",
        "contrast",
        STAY,
        "blame",
        "The plot is bad.",
        "My neighbour loved it, and I do not agree. The plot is bad.",
        _framed("My neighbour loved it, and I do not agree. {}"),
    ),
)
KINDS = tuple(dict.fromkeys(rule.kind for rule in RULES))
RULE_TITLES = frozenset(rule.title for rule in RULES)


def edits_by_rule(text: str, label: str | None, label_names: Sequence[str], kinds: Sequence[str] = KINDS) -> Iterator[Edit]:
    """What the rules make of a text, in the order of the table.

    Args:
      text: an English text.
      label: its class, or None where it has none.
      label_names: the classes. Where they are others than positive and negative, nothing is expected of a label, and rules for
        texts that praise or blame are left out.
      kinds: which rules.

    >>> [edit.text for edit in edits_by_rule("The film is good.", None, ("negative", "positive"))]
    ['The film is not good.', 'The film is bad.']
    """
    about = sorted(name.casefold() for name in label_names) == sorted(_POLARITIES)
    polarity = _POLARITIES.get(label.casefold()) if about and label is not None else None
    for rule in RULES:
        if rule.kind in kinds and rule.of in (None, polarity):
            made = rule.edit(text)
            if made is not None and made != text:
                yield Edit(made, rule.title, rule.expectation if about and rule.holds(text) else UNKNOWN)


def expected_label(expectation: str, label: str | None, label_names: Sequence[str]) -> str | None:
    """The edit's label: the other one of two classes where it is expected to change, else that of its parent.

    >>> expected_label(CHANGE, "bad", ("bad", "good")), expected_label(STAY, "bad", ("bad", "good"))
    ('good', 'bad')
    """
    if expectation == CHANGE and label in label_names and len(label_names) == 2:
        return next(name for name in label_names if name != label)
    return label
