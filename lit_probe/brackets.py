"""Lists whose entries carry options of their own in brackets, as in ``csv=a.csv[text=review,label=stars],demo``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_COMMA = re.compile(r",(?![^\[\]]*\])")
_BRACKETS = re.compile(r"\[([^\]]*)\]$")


def entries(flag: str, path_of: Callable[[str], str]) -> list[str]:
    """The entries of a list, between commas that stand in no brackets and are no part of the name of a file that is there.

    Args:
      flag: the list.
      path_of: the path that an entry names, with its brackets; empty if it names none.

    >>> entries("demo, csv=a.csv[text=review,label=stars]", lambda entry: "")
    ['demo', 'csv=a.csv[text=review,label=stars]']
    """
    pieces = _COMMA.split(flag)
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
    return path if _is_there(path) else _BRACKETS.sub("", path)


def options_of(path: str) -> list[tuple[str, str]]:
    """What stands in the brackets: names and values, in their order. An empty name or value is for the caller to refuse.

    >>> options_of("a.csv[text=review, label=stars]"), options_of("a.csv")
    ([('text', 'review'), ('label', 'stars')], [])
    """
    found = _BRACKETS.search(path)
    if found is None or _is_there(path):
        return []
    parts = (pair.partition("=") for pair in found[1].split(","))
    return [(name.strip(), value.strip()) for name, _, value in parts]


def _is_there(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError):  # too long a name, or no such user: whoever reads it says so
        return False
