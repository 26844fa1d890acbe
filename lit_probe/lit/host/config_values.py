"""Reads the values of a component's configuration, which come from a browser and may be anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from lit_probe.errors import LitProbeError
from lit_probe.registry import lookup


def settings_of(config: object) -> Mapping[str, Any]:
    """The configuration, or an empty one where there is none.

    Raises:
      LitProbeError: it is no object.
    """
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise LitProbeError(f"The configuration must be an object such as {{'seed': 0}}, not {type(config).__name__}.")
    return config


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


def number(config: Mapping[str, Any], key: str, low: float, high: float, default: float) -> float:
    """The value of ``key`` as a number; LIT's forms deliver numbers as strings.

    Raises:
      LitProbeError: it is none, or outside ``[low, high]``.

    >>> number({"noise": "0.5"}, "noise", 0, 2, 0.25)
    0.5
    """
    value = config.get(key, default)
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not low <= found <= high:
        raise LitProbeError(f"{key!r} must be a number from {low:g} to {high:,g}.")
    return found
