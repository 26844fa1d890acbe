"""LIT in a notebook cell: ``from lit_probe.notebook import ProbeWidget``."""

from lit_probe.lit.notebook import ProbeWidget

__all__ = ["ProbeWidget"]
