"""Reads a component's configuration, which comes from a browser and may be anything: its keys are declared as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lit_nlp.api import types

from lit_probe.errors import LitProbeError
from lit_probe.registry import lookup

DEV_CHOSEN, ALL_LAYERS = "dev-chosen", "all"
# The default of a key that has none.
REQUIRED: Any = object()


@dataclass(frozen=True)
class Key:
    """How the value under one name is read.

    Attributes:
      read: function from the value that came and its name to the value that is meant; it raises `LitProbeError` where the value
        makes no sense.
      default: value where the name is left out; `REQUIRED` where it must not be.
      limits: what a panel's control offers: ``low`` and ``high``, or ``choices``. JSON-ready where the choices are.
    """

    read: Callable[[Any, str], Any]
    default: Any = REQUIRED
    limits: Mapping[str, Any] = field(default_factory=dict)

    def of(self, settings: Mapping[str, Any], name: str) -> Any:
        """The value under ``name``.

        Raises:
          LitProbeError: it makes no sense, or is missing without a default.

        >>> whole_number(1, 10_000, default=256).of({"Number of samples": "64"}, "Number of samples")
        64
        """
        return self.read(settings.get(name), name) if name in settings or self.default is REQUIRED else self.default

    @property
    def control(self) -> types.LitType:
        """LIT's control for it. LIT's form starts with the first of several choices."""
        if "choices" in self.limits:
            choices = list(self.limits["choices"])
            default = self.default if self.default in choices else choices[0]
            vocab = [default, *(choice for choice in choices if choice != default)]
            return types.CategoryLabel(vocab=vocab, default=default, required=self.default is REQUIRED)
        if "low" in self.limits:
            low, high = self.limits["low"], self.limits["high"]
            step = 1 if isinstance(low, int) else 0.01
            return types.Scalar(min_val=low, max_val=high, default=self.default, step=step, required=False)
        return types.Boolean(default=self.default, required=False)


Keys = Mapping[str, Key]


def read_keys(config: object, keys: Keys) -> dict[str, Any]:
    """The values of all keys.

    Raises:
      LitProbeError: a value makes no sense, or there are names that nobody reads; the message says which ones there are.

    >>> read_keys({"seed": 3}, {"seed": whole_number(0, 9, default=0), "top": whole_number(1, 9, default=5)})
    {'seed': 3, 'top': 5}
    """
    settings = settings_of(config)
    if unknown := sorted(str(name) for name in settings if name not in keys):
        raise LitProbeError(f"The configuration takes {', '.join(sorted(keys))}, but not {', '.join(unknown)}.")
    return {name: key.of(settings, name) for name, key in keys.items()}


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


def one_of(choices: Iterable[str], default: str | None = REQUIRED) -> Key:
    """One of several names.

    >>> one_of(("negative", "positive")).of({"Label": "neutral"}, "Label")
    Traceback (most recent call last):
    ...
    lit_probe.errors.UnknownNameError: Unknown Label 'neutral'. Choose one of: negative, positive.
    """

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise LitProbeError(f"{name!r} must be named in the configuration. Choose one of: {', '.join(choices)}.")
        lookup(dict.fromkeys(choices), value, name)
        return value

    return Key(read, default, {"choices": choices})


def whole_number(low: int, high: int, default: int | None = REQUIRED) -> Key:
    """A whole number in ``[low, high]``; LIT's forms deliver numbers as strings."""

    def read(value: Any, name: str) -> int:
        try:
            found = int(value) if isinstance(value, int | str) else None
        except ValueError:
            found = None
        if found is None or not low <= found <= high:
            raise LitProbeError(f"{name!r} must be a whole number from {low:,} to {high:,}.")
        return found

    return Key(read, default, {"low": low, "high": high})


def number(low: float, high: float, default: float = REQUIRED) -> Key:
    """A number in ``[low, high]``; LIT's forms deliver numbers as strings.

    >>> number(0, 2, default=0.25).of({"noise": "0.5"}, "noise")
    0.5
    """

    def read(value: Any, name: str) -> float:
        try:
            found = float(value) if isinstance(value, int | float | str) else math.nan
        except (ValueError, OverflowError):
            found = math.nan
        if not low <= found <= high:
            raise LitProbeError(f"{name!r} must be a number from {low:g} to {high:,g}.")
        return found

    return Key(read, default, {"low": float(low), "high": float(high)})


def boolean(default: bool) -> Key:
    """True or false, and nothing else."""

    def read(value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise LitProbeError(f"{name!r} must be true or false, not {value!r}.")
        return value

    return Key(read, default)


def flag(default: bool = False) -> Key:
    """Whether something is wanted; anything that is not empty says yes."""
    return Key(lambda value, _: bool(value), default)


def any_text(default: str = REQUIRED) -> Key:
    """Any string."""

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise LitProbeError(f"{name!r} must be named by a string, not by {type(value).__name__}.")
        return value

    return Key(read, default)


def one_layer(*, takes_all: bool = False, lowest: int = 0) -> Key:
    """The number of a layer; None for the one chosen on dev. Whether there is such a layer, the encoder says.

    Args:
      takes_all: whether it may be `ALL_LAYERS`, all of them together.
      lowest: smallest number that is accepted here.
    """
    some_layer = whole_number(lowest, 10_000)

    def read(value: Any, name: str) -> int | str | None:
        if value == DEV_CHOSEN:
            return None
        if takes_all and value == ALL_LAYERS:
            return ALL_LAYERS
        found: int = some_layer.read(value, name)
        return found

    return Key(read, None)


def maybe(key: Key) -> Key:
    """The same; None, too, says that nothing is meant."""
    return replace(key, read=lambda value, name: None if value is None else key.read(value, name), default=None)
