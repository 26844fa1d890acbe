"""What a kind of probe is: how it is fitted, and what it can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lit_probe.data.asked import CLASSES, TargetKind
from lit_probe.probing.probes.attention import AttentionProbe
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.options import ProbeOptions


@dataclass(frozen=True)
class ProbeKind:
    """A kind of probe.

    Attributes:
      fit: the function ``(x, labels, n_classes, groups, seed) -> FittedProbe`` of one layer's activations on train.
      targets: what it can be asked for.
      options: the options that it takes, fields of `ProbeOptions`, with what ``fit`` calls each of them.
      by_epoch: whether ``fit`` goes over train again and again, and takes ``after_epoch``, a function that it hands its probe
        after each pass.
      made_by: by which rule it is fitted, in words that cards compare; None for the words that all kinds of its target share.
    """

    fit: Callable[..., FittedProbe]
    targets: tuple[TargetKind, ...] = (CLASSES,)
    options: Mapping[str, str] = field(default_factory=dict)
    by_epoch: bool = False
    made_by: str | None = None

    def keywords(self, options: ProbeOptions) -> dict[str, Any]:
        """The options that are given, as ``fit`` takes them."""
        return {self.options[name]: getattr(options, name) for name in options.given}


@dataclass(frozen=True)
class TokenProbeKind:
    """A kind of probe that reads the tokens of texts in place of their pooled vectors.

    Attributes:
      fit: the function ``(states, labels, n_classes, seed) -> AttentionProbe`` of one layer's tokens on train.
      options: as of `ProbeKind`.
      made_by: as of `ProbeKind`.
      targets: as of `ProbeKind`.
    """

    fit: Callable[..., AttentionProbe]
    options: Mapping[str, str]
    made_by: str
    targets: tuple[TargetKind, ...] = (CLASSES,)

    def keywords(self, options: ProbeOptions) -> dict[str, Any]:
        """The options that are given, as ``fit`` takes them."""
        return {self.options[name]: getattr(options, name) for name in options.given}
