"""Reads the values of a component's configuration, which come from a browser and may be anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lit_probe.errors import LitProbeError
from lit_probe.registry import lookup


def one_of(config: Mapping[str, Any], key: str, choices: Iterable[str], default: str | None = None) -> str:
    """The value of ``key``, which must be one of the choices.

    Raises:
      LitProbeError: it is missing without a default, or another one; the message lists the choices.

    >>> one_of({"Label": "positive"}, "Label", ("negative", "positive"))
    'positive'
    """
    value = config.get(key, default)
    if not isinstance(value, str):
        raise LitProbeError(f"{key!r} must be named in the configuration. Choose one of: {', '.join(choices)}.")
    lookup(dict.fromkeys(choices), value, key)
    return value


def whole_number(config: Mapping[str, Any], key: str, low: int, high: int, default: int) -> int:
    """The value of ``key`` as a whole number; LIT's forms deliver numbers as strings.

    Raises:
      LitProbeError: it is none, or outside ``[low, high]``.

    >>> whole_number({"Number of samples": "64"}, "Number of samples", 1, 10_000, 256)
    64
    """
    value = config.get(key, default)
    try:
        number = int(value) if isinstance(value, int | str) else None
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise LitProbeError(f"{key!r} must be a whole number from {low:,} to {high:,}.")
    return number
