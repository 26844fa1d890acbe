"""Edits of a text by rule, each with what should become of its label: negation and contrast, in the style of CheckList.

CheckList (Ribeiro et al. 2020, https://aclanthology.org/2020.acl-main.442) asks of an edit whether the label should stay
(invariance) or change in a known direction, before anybody looks at the model. The rules here are about praise and blame in
English. They know words and not meaning, so something is expected of a label only where three things hold:

- the edited words say what the label says ("great" in a text that praises), and so they can turn it;
- they are all of the text's verdict, see `leaves_the_verdict`;
- of the edits of this rule that were read, at least 9 of 10 were expected rightly. The counts stand beside each rule.

Elsewhere the edit is made all the same, and nothing is expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lit_probe.counterfactuals.verdicts import (
    OPPOSITES,
    PLAIN,
    VERBS,
    Polarity,
    judging_words,
    leaves_the_verdict,
    polarity_of,
)

# What is expected of the label. A generator that cannot know says so.
CHANGE = "label expected to change"
STAY = "label expected to stay"
UNKNOWN = "no expectation"
EXPECTATIONS = (CHANGE, STAY, UNKNOWN)

# A rule expects something once so many of its edits were read, and at least this share of their expectations was right.
MIN_READ = 10
MIN_RIGHT = 0.9

_POLARITIES: dict[str, Polarity] = {"positive": "praise", "negative": "blame"}

# Only where a sentence begins: "the book that I loved" judges by the way.
_WE = r"(?<![^.!?] )(?<!\w)(I|We) "
_NOT = r"(?: not| ?n['’]t)"
_SURELY = r"(really |truly )?"
_BASES, _PASTS = ("|".join(forms) for forms in zip(*VERBS, strict=True))
_PAST_OF = dict(VERBS)
_BASE_OF = {past: base for base, past in VERBS}
_IS = r"\b(is|was|are|were|it ?['’]s|they ?['’]re)"
# Nothing that goes on after it: "not dull, sloppy and full of errors" would deny the first of three words, and "not good but
# long" corrects.
_GOOD = rf"((?:an? |the )?(?:very |really )?{PLAIN})(?!\s*,|\s+(?:and|or|but|yet)\b)"

# "The plot is good" and "I liked it" judge a certain thing, such as the text is about; "Racism is bad" and "I like horror films"
# may say something of the world. At the end of a sentence the thing goes without saying: "I recommend."
_CERTAIN = re.compile(
    r"\s*(?:(?:it|its|this|that|these|those|the|he|she|they|him|her|his|them|their|my|our)\b|[.!]*$)", re.IGNORECASE
)

# What a sentence says only with "not" in it, and only without.
_ONLY_DENIED = (
    r"either|neither|nor|any(?:more|thing|body|one|where)?|at all|ever|even|yet|much|until|whatsoever|remotely|let alone"
)
_ONLY_STATED = r"too|as well|already"


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
class Made:
    """What a rule makes of a text.

    Attributes:
      text: the new text.
      says: what the edited words say where they stood, a "not" before them counted in; None where they do not agree.
      rest: the old text without them.
    """

    text: str
    says: Polarity | None
    rest: str


@dataclass(frozen=True)
class Reading:
    """How many edits were read of those that a rule would expect something of, and what the reader found.

    Attributes:
      grammatical: those that somebody might have written.
      right: those after which the label is what was expected.
      doubtful: those of which another reader might say otherwise.
      wrong: those after which it is not.
    """

    grammatical: int
    right: int
    doubtful: int
    wrong: int

    @property
    def n(self) -> int:
        """All that were read."""
        return self.right + self.doubtful + self.wrong


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
      name: the name for people.
      kind: ``negation`` or ``contrast``.
      expectation: ``CHANGE`` or ``STAY``, where anything is expected.
      of: the texts it is for: those that praise, those that blame, or None for both.
      before: an example.
      after: what the rule makes of it.
      edit: the edit of a text, or None where the rule has nothing to work on.
      read: what reading its edits has found, by what the label says of the text. They were edits of which something would be
        expected if the rule had passed, read after the rule was last changed and in no earlier reading.
    """

    name: str
    kind: str
    expectation: str
    of: Polarity | None
    before: str
    after: str
    edit: Callable[[str], Made | None]
    read: Mapping[Polarity, Reading]

    @property
    def title(self) -> str:
        """Its kind and name, as an edit carries them."""
        return f"{self.kind}: {self.name}"

    def expects(self, polarity: Polarity) -> bool:
        """Whether anything is expected of its edits of texts that praise, or blame: by what reading them has found."""
        found = self.read.get(polarity)
        return found is not None and found.n >= MIN_READ and found.right >= MIN_RIGHT * found.n


def _opposed(polarity: Polarity) -> Polarity:
    return "blame" if polarity == "praise" else "praise"


def _replacing(
    pattern: str,
    replacement: str | Callable[[re.Match[str]], str],
    only: str,
    *,
    denied: bool,
    thing: Literal["begins the text", "follows"],
) -> Callable[[str], Made | None]:
    """Replaces the first match, whose last word judges, in a text whose sentence goes on without the words ``only``.

    Args:
      pattern: what is replaced.
      replacement: by what.
      only: the words, as a pattern, that the new sentence could not hold.
      denied: whether the match says the opposite of its last word.
      thing: where the thing stands that is judged. If it is not a certain one, see `_CERTAIN`, the match says nothing clear.
    """
    compiled, unfit = re.compile(pattern, re.IGNORECASE), re.compile(rf"[^.!?]*\b(?:{only})\b", re.IGNORECASE)

    def edit(text: str) -> Made | None:
        match = compiled.search(text)
        word = "" if match is None else match[0].split()[-1]
        # A capital there begins a name: This is A Beautiful Mind.
        if match is None or word.istitle() or unfit.match(text, match.end()):
            return None
        made = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
        before, after = text[: match.start()], text[match.end() :]
        says = polarity_of(word)
        certain = _CERTAIN.match(text if thing == "begins the text" else after)
        return Made(before + made + after, (_opposed(says) if denied else says) if certain else None, f"{before} {after}")

    return edit


def _framed(frame: str, says: Polarity) -> Callable[[str], Made | None]:
    """Puts the text into a frame in place of its ``{}``; a text without any letter or digit is left alone."""
    before, after = frame.split("{}")

    def edit(text: str) -> Made | None:
        if not any(character.isalnum() for character in text):
            return None
        body = text.strip()
        # A sentence follows, so this one must have an end.
        stop = "" if not after or body[-1] in ".!?…" else "."
        # The text is left as it is, so whatever it holds has made its label and goes on doing so.
        return Made(f"{before}{body[:1].upper() + body[1:] if before else body}{stop}{after}", says, "")

    return edit


def _opposite(text: str) -> Made | None:
    """Every word that judges becomes its opposite, and the article before it agrees with it."""
    words = judging_words(text)
    if not words:
        return None
    made, rest, end = [], [], 0
    for word in words:
        between = text[end : word.start()]
        other = OPPOSITES[word[0].lower()]
        article = re.search(r"(?<![\w'’])(a)n?(\s)$", between, re.IGNORECASE)
        if article:
            vowel = other[0] in "aeiou" and not other.startswith("use")
            made += [between[: article.start()], article[1], "n" if vowel else "", article[2]]
        else:
            made.append(between)
        made.append(other.upper() if word[0].isupper() else other.capitalize() if word[0][0].isupper() else other)
        rest.append(between)
        end = word.end()
    said = {polarity_of(word[0]) for word in words}
    return Made("".join([*made, text[end:]]), said.pop() if len(said) == 1 else None, " ".join([*rest, text[end:]]))


def _denied(match: re.Match[str]) -> str:
    verb = match[3].lower()
    return f"{match[1]} {'did' if verb in _BASE_OF else 'do'} not {match[2] or ''}{_BASE_OF.get(verb, verb)}"


def _stated(match: re.Match[str]) -> str:
    verb = match[5].lower()
    return f"{match[1]} {match[2] or match[4] or ''}{_PAST_OF[verb] if match[3].lower() == 'did' else verb}"


# In the order in which edits are shown.
RULES: tuple[Rule, ...] = (
    Rule(
        "is → is not",
        "negation",
        CHANGE,
        None,
        "The plot is very good.",
        "The plot is not very good.",
        _replacing(rf"{_IS} {_GOOD}", r"\1 not \2", _ONLY_STATED, denied=False, thing="begins the text"),
        {"praise": Reading(40, 33, 5, 2), "blame": Reading(38, 12, 26, 0)},
    ),
    Rule(
        "is not → is",
        "negation",
        CHANGE,
        None,
        "The plot isn't good.",
        "The plot is good.",
        _replacing(rf"{_IS}{_NOT} {_GOOD}", r"\1 \2", _ONLY_DENIED, denied=True, thing="begins the text"),
        {"praise": Reading(1, 1, 0, 0), "blame": Reading(4, 4, 0, 0)},
    ),
    Rule(
        "like → do not like",
        "negation",
        CHANGE,
        None,
        "We really liked it.",
        "We did not really like it.",
        _replacing(rf"{_WE}{_SURELY}({_BASES}|{_PASTS})\b", _denied, _ONLY_STATED, denied=False, thing="follows"),
        {"praise": Reading(2, 1, 1, 0)},
    ),
    Rule(
        "do not like → like",
        "negation",
        CHANGE,
        None,
        "I don't like it.",
        "I like it.",
        _replacing(rf"{_WE}{_SURELY}(do|did){_NOT} {_SURELY}({_BASES})\b", _stated, _ONLY_DENIED, denied=True, thing="follows"),
        {"blame": Reading(0, 0, 0, 0)},
    ),
    Rule(
        "every judging word → its opposite",
        "contrast",
        CHANGE,
        None,
        "A very funny film.",
        "A very unfunny film.",
        _opposite,
        {"praise": Reading(38, 39, 1, 0), "blame": Reading(38, 36, 2, 2)},
    ),
    Rule(
        "closing verdict against the text",
        "contrast",
        CHANGE,
        "praise",
        "The plot is good.",
        "The plot is good. But all in all, I did not like it.",
        _framed("{} But all in all, I did not like it.", "praise"),
        {"praise": Reading(48, 47, 1, 0)},
    ),
    Rule(
        "closing verdict against the text",
        "contrast",
        CHANGE,
        "blame",
        "The plot is bad.",
        "The plot is bad. But all in all, I liked it a lot.",
        _framed("{} But all in all, I liked it a lot.", "blame"),
        {"blame": Reading(47, 45, 2, 0)},
    ),
    Rule(
        "opposite expectation before the text",
        "contrast",
        STAY,
        "praise",
        "The plot is good.",
        "I had expected to hate it. The plot is good.",
        _framed("I had expected to hate it. {}", "praise"),
        {"praise": Reading(47, 46, 1, 0)},
    ),
    Rule(
        "opposite expectation before the text",
        "contrast",
        STAY,
        "blame",
        "The plot is bad.",
        "I had expected to love it. The plot is bad.",
        _framed("I had expected to love it. {}", "blame"),
        {"blame": Reading(47, 48, 0, 0)},
    ),
    Rule(
        "somebody else's opposite view before the text",
        "contrast",
        STAY,
        "praise",
        "The plot is good.",
        "My neighbour hated it, and I do not agree. The plot is good.",
        _framed("My neighbour hated it, and I do not agree. {}", "praise"),
        {"praise": Reading(48, 48, 0, 0)},
    ),
    Rule(
        "somebody else's opposite view before the text",
        "contrast",
        STAY,
        "blame",
        "The plot is bad.",
        "My neighbour loved it, and I do not agree. The plot is bad.",
        _framed("My neighbour loved it, and I do not agree. {}", "blame"),
        {"blame": Reading(47, 47, 0, 0)},
    ),
)
KINDS = tuple(dict.fromkeys(rule.kind for rule in RULES))
RULE_TITLES = frozenset(rule.title for rule in RULES)


def edits_by_rule(text: str, label: str | None, label_names: Sequence[str], kinds: Sequence[str] = KINDS) -> Iterator[Edit]:
    """What the rules make of a text, in the order of the table.

    Args:
      text: an English text.
      label: its class, or None where it has none: then nothing is expected.
      label_names: the classes. Where they are others than positive and negative, nothing is expected of a label, and rules for
        texts that praise or blame are left out.
      kinds: which rules.

    >>> [(edit.text, edit.expectation) for edit in edits_by_rule("The film is good.", "negative", ("negative", "positive"))][:2]
    [('The film is not good.', 'no expectation'), ('The film is bad.', 'no expectation')]
    """
    about = sorted(name.casefold() for name in label_names) == sorted(_POLARITIES)
    polarity = _POLARITIES.get(label.casefold()) if about and label is not None else None
    for rule in RULES:
        made = rule.edit(text) if rule.kind in kinds and rule.of in (None, polarity) else None
        if made is not None and made.text != text:
            sure = polarity is not None and made.says == polarity and rule.expects(polarity) and leaves_the_verdict(made.rest)
            yield Edit(made.text, rule.title, rule.expectation if sure else UNKNOWN)


def expected_label(expectation: str, label: str | None, label_names: Sequence[str]) -> str | None:
    """The edit's label: the other one of two classes where it is expected to change, else that of its parent.

    >>> expected_label(CHANGE, "bad", ("bad", "good")), expected_label(STAY, "bad", ("bad", "good"))
    ('good', 'bad')
    """
    if expectation == CHANGE and label in label_names and len(label_names) == 2:
        return next(name for name in label_names if name != label)
    return label
