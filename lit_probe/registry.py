"""One lookup for every registry: the same words for every unknown name."""

from collections.abc import Mapping
from typing import TypeVar

from lit_probe.errors import UnknownNameError

T = TypeVar("T")


def lookup(registry: Mapping[str, T], name: str, what: str) -> T:
    """Returns ``registry[name]``.

    Args:
      registry: names to entries, in reading order.
      name: the name that was asked for.
      what: the noun for the message, such as ``"pooling"``.

    Raises:
      UnknownNameError: names the allowed choices in alphabetical order.

    >>> lookup({"mean": 1, "cls": 2}, "avg", "pooling")
    Traceback (most recent call last):
    ...
    lit_probe.errors.UnknownNameError: Unknown pooling 'avg'. Choose one of: cls, mean.
    """
    try:
        return registry[name]
    except KeyError:
        choices = ", ".join(sorted(registry))
        raise UnknownNameError(f"Unknown {what} {name!r}. Choose one of: {choices}.") from None
