"""How much memory there is, and the weights that do not fit into it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from lit_probe.encoder.dtypes import DTYPES
from lit_probe.encoder.source import Source
from lit_probe.errors import EncoderError, LitProbeError

# In the unit of people who buy memory: 10^9 bytes.
GB = 1e9
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class MemoryBudget:
    """How much memory may be held.

    Attributes:
      n_bytes: so many bytes; infinite where nothing is known.
      given: whether somebody has said so; else it is what the machine has free.
    """

    n_bytes: float
    given: bool

    @classmethod
    def of(cls, gb: float | None) -> MemoryBudget:
        """The budget of so many GB; of what is free now when None, as far as the system tells (Linux does).

        Raises:
          LitProbeError: it is no positive number.
        """
        if gb is None:
            return cls(_free_bytes(), False)
        if not gb > 0:
            raise LitProbeError(f"The memory budget is {gb:g} GB. Give a positive number.")
        return cls(gb * GB, True)

    def less(self, held: float) -> MemoryBudget:
        """What is left beside so many bytes that are held: of a budget that somebody gave; what is free is free beside them."""
        return replace(self, n_bytes=max(0.0, self.n_bytes - held)) if self.given else self

    @property
    def words(self) -> str:
        """How much there is, as the second half of a sentence; empty where nothing is known."""
        if self.given:
            return f"the memory budget is {self.n_bytes / GB:g} GB"
        return f"this machine has {in_gb(self.n_bytes)} of memory free" if math.isfinite(self.n_bytes) else ""


def _free_bytes() -> float:
    """What Linux could hand out without swapping; infinite on other systems."""
    lines = _MEMINFO.read_text().splitlines() if _MEMINFO.is_file() else []
    free = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(free[0]) * 1024 if free else math.inf


def in_gb(n_bytes: float) -> str:
    """A size for people.

    >>> in_gb(1.2e5), in_gb(9.06e7), in_gb(2.7e8), in_gb(4.03e9), in_gb(1.34e11)
    ('0.12 MB', '91 MB', '0.27 GB', '4.03 GB', '134 GB')
    """
    if n_bytes < 1e6:
        return f"{n_bytes / 1e6:.2g} MB"
    if n_bytes < 1e8:
        return f"{n_bytes / 1e6:.0f} MB"
    digits = 2 if n_bytes < 10 * GB else 1 if n_bytes < 100 * GB else 0
    return f"{n_bytes / GB:,.{digits}f} GB"


def check_weights(source: Source, dtype: str, budget: MemoryBudget) -> None:
    """That the weights of one source fit, by the headers of its files: none is loaded.

    Raises:
      EncoderError: they do not; the message says what would.
    """
    needed = source.n_parameters * DTYPES[dtype]
    if needed <= budget.n_bytes:
        return
    fitting = [
        f"the option dtype={other} ({in_gb(source.n_parameters * size)})"
        for other, size in DTYPES.items()
        if source.n_parameters * size <= budget.n_bytes
    ]
    advice = f"Would fit: {' or '.join(fitting)}." if fitting else "Give a smaller model."
    raise EncoderError(f"The weights of {source.model_id!r} take {in_gb(needed)} in {dtype}, and {budget.words}. {advice}")
