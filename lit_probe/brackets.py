"""Lists whose entries carry options of their own in brackets, as in ``csv=a.csv[text=review,label=stars],demo``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_PAIRS = {"]": "[", "}": "{"}


def entries(flag: str, path_of: Callable[[str], str]) -> list[str]:
    """The entries of a list, between commas that stand in no brackets and are no part of the name of a file that is there.

    Args:
      flag: the list.
      path_of: the path that an entry names, with its brackets; empty if it names none.

    >>> entries("demo, csv=a.csv[text=review,label=stars]", lambda entry: "")
    ['demo', 'csv=a.csv[text=review,label=stars]']
    """
    pieces = _parts(flag, "]")
    found: list[str] = []
    while pieces:
        entry = pieces.pop(0)
        for count in range(len(pieces), 0, -1) if path_of(entry) else ():
            longer = ",".join([entry, *pieces[:count]])
            if _is_there(without_options(path_of(longer))):
                entry, pieces = longer, pieces[count:]
                break
        found.append(entry.strip())
    return found


def without_options(path: str) -> str:
    """The path before the brackets. A file whose own name ends in brackets has no options.

    >>> without_options("a.csv[text=review]")
    'a.csv'
    """
    start = _start_of_options(path)
    return path if start is None or _is_there(path) else path[:start]


def options_of(path: str) -> list[tuple[str, str]]:
    """What stands in the brackets: names and values, in their order. An empty name or value is for the caller to refuse.

    >>> options_of("a.csv[text=review, label=stars]"), options_of("a.csv")
    ([('text', 'review'), ('label', 'stars')], [])
    >>> options_of("a.csv[label=stars,annotate=regex:^[A-Z]{1,3}]")
    [('label', 'stars'), ('annotate', 'regex:^[A-Z]{1,3}')]
    """
    start = _start_of_options(path)
    if start is None or _is_there(path):
        return []
    # A value may hold commas in brackets of its own, as the pattern [a,b]{1,2} does.
    parts = (pair.partition("=") for pair in _parts(path[start + 1 : -1], "]}"))
    return [(name.strip(), value.strip()) for name, _, value in parts]


def _start_of_options(path: str) -> int | None:
    """Where the bracket opens that the end of the path closes; None where there is none."""
    return {end: start for start, end in _enclosed(path, "]")}.get(len(path) - 1)


def _enclosed(text: str, closing: str) -> list[tuple[int, int]]:
    """The places of brackets and of those that close them, within each other or not; one without its partner is a sign as any."""
    found, open_at = list[tuple[int, int]](), {_PAIRS[sign]: list[int]() for sign in closing}
    for place, sign in enumerate(text):
        if sign in open_at:
            open_at[sign].append(place)
        elif sign in closing and open_at[_PAIRS[sign]]:
            found.append((open_at[_PAIRS[sign]].pop(), place))
    return found


def _parts(text: str, closing: str) -> list[str]:
    """The text, parted at commas that stand in no brackets."""
    within = _enclosed(text, closing)
    commas = [place for place, sign in enumerate(text) if sign == "," and not any(a < place < b for a, b in within)]
    return [text[start + 1 : end] for start, end in zip([-1, *commas], [*commas, len(text)], strict=True)]


def _is_there(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError):  # too long a name, or no such user: whoever reads it says so
        return False
