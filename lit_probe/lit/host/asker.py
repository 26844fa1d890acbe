"""Who waits for an answer: one question of one page in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from lit_probe.errors import LitProbeError

# What a page calls itself: 128 random bits, so that no page can speak for another.
_PAGE = re.compile(r"[0-9a-f]{32}")
_address: ContextVar[str] = ContextVar("_address", default="")


class Asker(NamedTuple):
    """Who waits for an answer.

    Attributes:
      page: name that the page made for itself, and that no later page has.
      question: number of the question within the page.
      address: of the machine where the page is; empty where addresses do not tell machines apart.
    """

    page: str
    question: int
    address: str = ""


@contextmanager
def asked_from(address: str) -> Iterator[None]:
    """Those whom this thread reads in the meantime ask from this address."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def read_asker(value: Any) -> Asker:
    """The asker as a page names it.

    Raises:
      LitProbeError: it is no such name.
    """
    match value:
        case {"page": str() as page, "question": int() as question} if is_page(page):
            return Asker(page, question, _address.get())
    raise LitProbeError("An asker is {'page': 32 digits from 0 to f, 'question': a whole number}.")


def is_page(value: Any) -> bool:
    """Whether it can be the name of a page."""
    return isinstance(value, str) and _PAGE.fullmatch(value) is not None
