"""Cells of the CSV files that are written here, as a spreadsheet shows them rather than computes them."""

from __future__ import annotations

import re
from typing import Any

# An apostrophe, by which spreadsheets mark text, and an invisible sign (word joiner), by which our readers know that it is not
# part of somebody's text: texts that begin with '@ or '- are common.
SHIELD = "'\u2060"
# What a spreadsheet may take for the beginning of a formula, full-width forms included.
_FORMULA = re.compile(rf"(?:{SHIELD})*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def shielded(value: Any) -> Any:
    """The value as a cell: a text that a spreadsheet might compute gets a sign before it; all else stays as it is.

    >>> shielded("=1+1") == SHIELD + "=1+1", shielded("-0.5"), shielded(-0.5), shielded("plain")
    (True, '-0.5', -0.5, 'plain')
    """
    return SHIELD + value if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def unshielded(cell: str) -> str:
    """What `shielded` was given; cells of other files come back as they are.

    >>> unshielded(shielded("=1+1")), unshielded("'@somebody says")
    ('=1+1', "'@somebody says")
    """
    rest = cell.removeprefix(SHIELD)
    return rest if rest != cell and _FORMULA.match(rest) else cell
