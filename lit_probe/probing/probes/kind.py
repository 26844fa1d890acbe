"""What a kind of probe is: how it is fitted, and what it can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lit_probe.data.asked import CLASSES, TargetKind
from lit_probe.probing.probes.fitted import FittedProbe


@dataclass(frozen=True)
class ProbeKind:
    """A kind of probe.

    Attributes:
      fit: the function ``(x, labels, n_classes, groups, seed) -> FittedProbe`` of one layer's activations on train.
      targets: what it can be asked for.
    """

    fit: Callable[..., FittedProbe]
    targets: tuple[TargetKind, ...] = (CLASSES,)
