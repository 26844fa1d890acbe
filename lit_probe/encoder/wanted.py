"""Whether what a thread computes is still wanted. Who answers a request says so: its client may leave, and its time may end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from lit_probe.errors import CancelledError

R = TypeVar("R")

# Seconds between two looks, while a thread waits for others.
LOOK_S = 0.2

_check: ContextVar[Callable[[], None] | None] = ContextVar("_check", default=None)


@contextmanager
def while_wanted(check: Callable[[], None]) -> Iterator[None]:
    """What this thread has computed in the meantime on the encoder thread ends, between two batches, once ``check`` raises.

    Args:
      check: raises ``CancelledError`` once nobody wants the result any more.
    """
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def check_wanted() -> None:
    """Ends what nobody wants any more.

    Raises:
      CancelledError: that is so.
    """
    check = _check.get()
    if check is not None:
        check()


def wait_while_wanted(future: Future[R]) -> R:
    """The result of something that another thread computes; it is not begun once nobody wants it any more.

    Raises:
      CancelledError: that is so.
    """
    try:
        return leave_when_unwanted(future)
    except CancelledError:
        if not future.cancel():
            wait([future])  # What has begun works on what is ours. It is one batch.
        raise


def leave_when_unwanted(future: Future[R]) -> R:
    """The result of something that another thread computes and that may go on without this one.

    Raises:
      CancelledError: nobody wants it any more.
    """
    while _check.get() is not None and not wait([future], timeout=LOOK_S).done:
        check_wanted()
    return future.result()
