"""The one thread on which all torch work of the process runs.

A single-text forward takes about twice as long once several threads have each run torch, because every one of them gets its own
pool of workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from lit_probe.encoder.wanted import check_wanted, wait_while_wanted

P = ParamSpec("P")
R = TypeVar("R")

_THREAD_NAME = "lit_probe_encoder"
_encoder_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=_THREAD_NAME)


def on_encoder_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs ``function`` on the one thread that does torch work, and waits for its result."""
    if threading.current_thread().name.startswith(_THREAD_NAME):
        return function(*args, **kwargs)
    check_wanted()
    return wait_while_wanted(_encoder_thread.submit(function, *args, **kwargs))
