"""HTML that cannot be broken by what stands in it: every text is escaped where it enters an element."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

# What no HTML may hold: control characters but for tabs and ends of lines, and halves of characters (surrogates).
_NO_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WITHOUT_END = frozenset({"meta", "br"})


class Html(str):
    """Text that is HTML already. Every other text is escaped where it enters an element."""

    __slots__ = ()


Content = str | None | Iterable["Content"]


def tag(name: str, /, *content: Content, **attributes: str | None) -> Html:
    """An element.

    Args:
      name: its name.
      content: what it holds: texts, elements, or lists of these; None is nothing.
      attributes: its attributes; one that is None is left out. An underscore at the end of a name is dropped, any other one is
        a hyphen: ``class_``, ``data_at``.

    >>> tag("p", "a < b ", tag("b", "c"), class_="note")
    '<p class="note">a &lt; b <b>c</b></p>'
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items() if value is not None
    )
    end = "" if name in _WITHOUT_END else f"</{name}>"
    return Html(f"<{name}{named}>{join(content)}{end}")


def join(content: Content, between: str = "") -> Html:
    """Texts and elements one after the other.

    >>> join(["1 < 2", None, tag("i", "x")])
    '1 &lt; 2<i>x</i>'
    """
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return escaped(content)
    return Html(escaped(between).join(join(one) for one in content if one is not None))


def escaped(text: str) -> Html:
    """A text as HTML shows it; what no page may hold becomes the replacement character."""
    return Html(html.escape(_NO_CHARACTER.sub("\ufffd", text)))


def name(text: str) -> Html:
    """A name that somebody gave: it may be written from right to left, and must not turn the words around it."""
    return tag("bdi", text)
