"""Two texts as one: a pair is a text with a seam, and only whoever tokenises or shows it takes it apart."""

from __future__ import annotations

SEPARATOR = "\x1f"
"""What stands between the two texts of a pair: the unit separator of ASCII, a space to whoever does not know it."""

SHOWN_SEPARATOR = " ‖ "
"""What people read in its place, where a pair stands on one line."""


def joined(first: str, second: str) -> str:
    """The pair as one text. A separator within one of the two becomes a space.

    >>> joined("A man sleeps.", "He is awake.")
    'A man sleeps.\\x1fHe is awake.'
    """
    return f"{without_seam(first)}{SEPARATOR}{without_seam(second)}"


def segments(text: str) -> tuple[str, ...]:
    """The two texts of a pair, or the one text that it is.

    The first separator is the seam; any other is a space, so that places in the text stay what they are.

    >>> segments("A man sleeps.\\x1fHe is awake."), segments("He is awake."), segments("a\\x1fb\\x1fc")
    (('A man sleeps.', 'He is awake.'), ('He is awake.',), ('a', 'b c'))
    """
    first, seam, second = text.partition(SEPARATOR)
    return (first, without_seam(second)) if seam else (first,)


def is_pair(text: str) -> bool:
    """Whether the text has a seam.

    >>> is_pair(joined("a", "")), is_pair("a")
    (True, False)
    """
    return SEPARATOR in text


def without_seam(text: str) -> str:
    """The text with spaces for separators: nobody's text becomes a pair by a sign that stands in it."""
    return text.replace(SEPARATOR, " ")


def shown(text: str) -> str:
    """The text as people read it on one line.

    >>> shown(joined("A man sleeps.", "He is awake."))
    'A man sleeps. ‖ He is awake.'
    """
    return SHOWN_SEPARATOR.join(segments(text))
