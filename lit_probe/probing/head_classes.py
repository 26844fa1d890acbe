"""The classes of a checkpoint's own classification head beside those of a data set."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lit_probe.data.labelled_texts import Splits

# More classes than these are not listed: so many of them are named.
_MOST_LISTED = 8
_NAMED = 3


def is_numbered(splits: Splits) -> bool:
    """Whether the data set's source numbers its classes, in their order, from 0."""
    return bool(splits.provenance.get("numbered"))


def match_classes(head_names: Sequence[str], label_names: Sequence[str], *, numbered: bool) -> list[int] | None:
    """For each of ``label_names`` its column in the head's output, or None where the classes are others.

    By name, whatever the case. Where the head's classes are only numbered: by number, if the data set's names are numbers or its
    source numbers them. Names that merely stand in alphabetical order have no number.

    Args:
      head_names: the head's classes.
      label_names: the data set's.
      numbered: whether ``label_names`` stand in the order of their numbers from 0.

    >>> match_classes(("POSITIVE", "NEGATIVE"), ("negative", "positive"), numbered=False)
    [1, 0]
    >>> match_classes(("LABEL_0", "LABEL_1", "LABEL_2"), ("0", "2", "1"), numbered=False)
    [0, 2, 1]
    >>> match_classes(("LABEL_0", "LABEL_1"), ("negative", "positive"), numbered=True)
    [0, 1]
    >>> match_classes(("LABEL_0", "LABEL_1"), ("negative", "positive"), numbered=False)
    """
    folded, wanted = [name.casefold() for name in head_names], [name.casefold() for name in label_names]
    if sorted(folded) == sorted(wanted) and len(set(wanted)) == len(wanted):
        return [folded.index(name) for name in wanted]
    if len(folded) != len(wanted) or not all(is_placeholder(name) for name in folded):
        return None
    if numbered:
        return list(range(len(wanted)))
    numbers = [int(name) for name in label_names] if all(name.isdecimal() for name in label_names) else []
    of_head = [int(re.findall(r"\d+", name)[-1]) for name in head_names]
    return [of_head.index(number) for number in numbers] if numbers and sorted(numbers) == sorted(of_head) else None


def why_unmatched(encoder: str, head_names: Sequence[str], label_names: Sequence[str]) -> str:
    """Why a head's classes are not those of a data set, in a sentence, and what to do where they have no names.

    Few classes are listed; of many it is said how many the other does not know.

    >>> why_unmatched("bert", ("joy", "anger"), [f"topic {i}" for i in range(40)])[:89]
    "40 of the data set's 40 classes, such as topic 0, topic 1 and topic 2, are none of the 2 "
    """
    advice = " Name the head's classes in the id2label of its config.json." if all(map(is_placeholder, head_names)) else ""
    if max(len(head_names), len(label_names)) <= _MOST_LISTED:
        return (
            f"The head of {encoder} predicts {', '.join(head_names)}, but the data set's classes are "
            f"{', '.join(label_names)}: they cannot be compared.{advice}"
        )
    unknown, unasked = _beyond(label_names, head_names), _beyond(head_names, label_names)
    if unknown or not unasked:
        those = f"{len(unknown)} of the data set's {len(label_names)} classes{_such_as(unknown)}"
        others = f"the {len(head_names)} that the head of {encoder} predicts{_such_as(unasked)}"
    else:
        those = f"{len(unasked)} of the {len(head_names)} classes that the head of {encoder} predicts{_such_as(unasked)}"
        others = f"the data set's {len(label_names)}"
    return f"{those} are none of {others.removesuffix(',')}: they cannot be compared.{advice}"


def _beyond(names: Sequence[str], others: Sequence[str]) -> list[str]:
    known = {name.casefold() for name in others}
    return [name for name in names if name.casefold() not in known]


def _such_as(names: Sequence[str]) -> str:
    """Some of the names, as a part of a sentence between commas; nothing where there are none."""
    few = [*names[:_NAMED]]
    return f", such as {' and '.join([', '.join(few[:-1]), few[-1]] if few[1:] else few)}," if few else ""


def matched_by_number(head_names: Sequence[str], label_names: Sequence[str], columns: Sequence[int]) -> tuple[str, ...]:
    """What a reader must know about classes that `match_classes` has matched without their names, in sentences."""
    if {name.casefold() for name in head_names} == {name.casefold() for name in label_names}:
        return ()
    pairs = [f"{head_names[column]} as {label}" for column, label in zip(columns, label_names, strict=True)]
    more = f" and {len(pairs) - _NAMED} more" if len(pairs) > _MOST_LISTED else ""
    told = ", ".join(pairs[: _NAMED if more else None])
    return (f"The head's classes have no names of their own and were matched by number: {told}{more}.",)


def is_placeholder(label: str) -> bool:
    """Whether a class is only numbered, as when nobody has named a head's classes.

    >>> is_placeholder("LABEL_0"), is_placeholder("1"), is_placeholder("positive")
    (True, True, False)
    """
    return re.fullmatch(r"(?:label_|class )?\d+", label, re.IGNORECASE) is not None
