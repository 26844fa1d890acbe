"""What a seed may be: the whole numbers that every generator of random numbers takes."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from lit_probe.errors import LitProbeError

LARGEST_SEED = 2**32 - 1


def checked_seed(seed: Any) -> int:
    """A seed, once it is a whole number from 0 to 2^32 - 1, of Python or numpy.

    Raises:
      LitProbeError: it is another number, or no number.

    >>> checked_seed(-1)
    Traceback (most recent call last):
    ...
    lit_probe.errors.LitProbeError: seed must be a whole number from 0 to 4294967295, not -1.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) <= LARGEST_SEED:
        raise LitProbeError(f"seed must be a whole number from 0 to {LARGEST_SEED}, not {seed!r}.")
    return int(seed)
