"""LIT in a notebook cell: ``from lit_probe.notebook import ProbeWidget``."""

from lit_probe.lit.notebook import Address, ProbeWidget

__all__ = ["Address", "ProbeWidget"]
