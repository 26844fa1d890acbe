"""Who waits for an answer: one question of one page in a browser."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lit_probe.errors import LitProbeError

# What a page calls itself: 128 random bits, so that no page can speak for another.
_PAGE = re.compile(r"[0-9a-f]{32}")


class Asker(NamedTuple):
    """Who waits for an answer.

    Attributes:
      page: name that the page made for itself, and that no later page has.
      question: number of the question within the page.
    """

    page: str
    question: int


def read_asker(value: Any) -> Asker:
    """The asker as a page names it.

    Raises:
      LitProbeError: it is no such name.
    """
    match value:
        case {"page": str() as page, "question": int() as question} if is_page(page):
            return Asker(page, question)
    raise LitProbeError("An asker is {'page': 32 digits from 0 to f, 'question': a whole number}.")


def is_page(value: Any) -> bool:
    """Whether it can be the name of a page."""
    return isinstance(value, str) and _PAGE.fullmatch(value) is not None
