"""Edits of a text that should hardly matter to anybody who reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_FINAL = ".!?…"


def _append_bye(text: str) -> str:
    """Also what Atanasova et al.'s lab at ALPS 2021 appends (https://github.com/copenlu/ALPS_2021)."""
    return f"{text.rstrip()} Bye."


def _prepend_well(text: str) -> str:
    return f"Well, {text.lstrip()}"


def _final_sign(text: str) -> str:
    bare = text.rstrip()
    return bare.rstrip(_FINAL + " ") if bare.endswith(tuple(_FINAL)) else f"{bare}."


def _first_letter(text: str) -> str:
    for i, character in enumerate(text):
        if character.isalpha():
            return text[:i] + character.swapcase() + text[i + 1 :]
    return text


def _double_space(text: str) -> str:
    start, space, rest = text.strip().partition(" ")
    return f"{start}{space}{space}{rest}"


@dataclass(frozen=True)
class SmallEdit:
    """One edit.

    Attributes:
      title: what people read.
      apply: from a text to the edited one.
    """

    title: str
    apply: Callable[[str], str]


SMALL_EDITS: dict[str, SmallEdit] = {
    "append_bye": SmallEdit("“ Bye.” at the end", _append_bye),
    "prepend_well": SmallEdit("“Well, ” in front", _prepend_well),
    "final_sign": SmallEdit("Final sign dropped, or a full stop added", _final_sign),
    "first_letter": SmallEdit("Case of the first letter changed", _first_letter),
    "double_space": SmallEdit("First space doubled", _double_space),
}
