"""The kinds of numbers in which a network's weights are held, and its passes computed."""

from __future__ import annotations

from lit_probe.registry import lookup

AUTO = "auto"
FLOAT32 = "float32"
# By its name in torch, how many bytes one number takes.
DTYPES = {FLOAT32: 4, "bfloat16": 2, "float16": 2}


def dtype_of(wanted: str) -> str:
    """The name in `DTYPES` that is meant. ``auto`` is float32 everywhere: digits must not depend on the machine, nor on the file.

    Raises:
      UnknownNameError: there is no such dtype.

    >>> dtype_of("auto"), dtype_of("bfloat16")
    ('float32', 'bfloat16')
    """
    lookup({AUTO: None, **DTYPES}, wanted, "dtype")
    return FLOAT32 if wanted == AUTO else wanted
