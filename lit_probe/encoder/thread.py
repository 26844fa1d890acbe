"""The one thread on which all torch work of the process runs, and whose turn it is.

A single-text forward takes about twice as long once several threads have each run torch, because every one of them gets its own
pool of workers. There are two lanes: what somebody waits for goes at once, what runs in the background goes when nobody has
wanted the thread for a moment. So an edit, which takes several turns, waits for one batch of background work at most. What has
waited for long goes first all the same, so that many edits do not hold it up for ever. No digit depends on the order of turns.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from lit_probe.encoder.wanted import check_wanted, wait_while_wanted

P = ParamSpec("P")
R = TypeVar("R")

_THREAD_NAME = "lit_probe_encoder"
_encoder_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=_THREAD_NAME)

# How long a turn of background work waits at most while others want the thread.
PATIENCE_S = 2.0
# Whoever has just had a turn comes back: an edit asks for several, in several requests.
_COMES_BACK_S = 0.25


class _Here(threading.local):
    """What is known of the thread that asks for a turn: when it last began to work."""

    working_since = 0.0


@dataclass(order=True)
class _Turn:
    due: float
    number: int
    patient: bool = field(compare=False)
    run: Callable[[], Any] = field(compare=False)
    future: Future[Any] = field(compare=False, default_factory=Future)


_here = _Here()
# How long a turn waits; threads that work for another one take it over with its context.
_patience_s: ContextVar[float] = ContextVar("_patience_s", default=0.0)
_changed = threading.Condition()
_waiting: list[_Turn] = []
_numbers = itertools.count()
_last_wanted = -_COMES_BACK_S


def on_encoder_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs ``function`` on the one thread that does torch work, and waits for its result."""
    if threading.current_thread().name.startswith(_THREAD_NAME):
        return function(*args, **kwargs)
    check_wanted()
    patience = _patience_s.get()
    turn = _Turn(time.monotonic() + patience, next(_numbers), patience > 0, lambda: function(*args, **kwargs))
    with _changed:
        # First, since it refuses at the end of the program.
        _encoder_thread.submit(_take_turn)
        heapq.heappush(_waiting, turn)
        _changed.notify_all()
    result: R = wait_while_wanted(turn.future)
    return result


@contextmanager
def in_background(patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Within the context, turns of this thread, and of those that work for it, wait while others want the encoder.

    Args:
      patience_s: how long each of them waits at most; above 0.
    """
    token, _here.working_since = _patience_s.set(patience_s), time.monotonic()
    try:
        yield
    finally:
        _patience_s.reset(token)


def give_way() -> None:
    """Waits while others want the encoder, so that what this thread computes without it does not slow them down.

    It waits no longer than it has worked since it last did, and does nothing on a thread that is not `in_background`.
    """
    patience = _patience_s.get()
    if not patience:
        return
    now = time.monotonic()
    until = now + min(patience, now - _here.working_since)
    with _changed:
        while (wait := min(until, _free_from()) - time.monotonic()) > 0:
            _changed.wait(wait)
    _here.working_since = time.monotonic()


def _free_from() -> float:
    """When background work may go on, unless somebody wants the thread until then. Holds the lock."""
    return float("inf") if any(not one.patient for one in _waiting) else _last_wanted + _COMES_BACK_S


def _take_turn() -> None:
    global _last_wanted
    with _changed:
        while (first := _waiting[0]).patient and (wait := min(first.due, _last_wanted + _COMES_BACK_S) - time.monotonic()) > 0:
            _changed.wait(wait)
        heapq.heappop(_waiting)
        if not first.future.set_running_or_notify_cancel():
            return  # Nobody wants it any more.
        if not first.patient:
            _last_wanted = time.monotonic()
    try:
        result = first.run()
    except BaseException as error:
        first.future.set_exception(error)
    else:
        first.future.set_result(result)
    finally:
        if not first.patient:
            with _changed:
                _last_wanted = time.monotonic()
