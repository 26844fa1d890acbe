"""The kinds of probe that tell classes apart, over which the laws of classes run."""

from lit_probe.data.asked import CLASSES
from lit_probe.probing.probes import PROBES

OF_CLASSES = [name for name, kind in PROBES.items() if CLASSES in kind.targets]
