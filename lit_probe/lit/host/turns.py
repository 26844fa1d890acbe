"""A few places for computations that cannot be interrupted: LIT's own, which hear nothing while numpy is at work."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from lit_probe.encoder.wanted import LOOK_S, check_wanted, leave_when_unwanted

R = TypeVar("R")


class Turns:
    """Lets so many computations run at a time; whose client leaves, or whose time is over, waits no more.

    What has not begun by then is never begun. What has begun goes on by itself, on a thread of its own, and keeps its place until
    it ends; the request is answered meanwhile. So there are never more of them than places, however many ask.

    Args:
      n_places: how many run at a time.
    """

    def __init__(self, n_places: int):
        self._free = threading.Semaphore(n_places)

    def run(self, compute: Callable[[], R]) -> R:
        """The result of a computation, begun once there is a place.

        Raises:
          CancelledError: nobody wants it any more; see `while_wanted`.
        """
        check_wanted()
        while not self._free.acquire(timeout=LOOK_S):
            check_wanted()
        result: Future[R] = Future()
        result.set_running_or_notify_cancel()

        def work() -> None:
            try:
                result.set_result(compute())
            except BaseException as error:
                result.set_exception(error)
            finally:
                self._free.release()

        # With what this thread knows, so that passes of the encoder within it do end. A daemon, so that Ctrl-C need not wait.
        own = contextvars.copy_context()
        try:
            threading.Thread(target=own.run, args=(work,), name="lit_probe_turn", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._free.release()
            raise
        return leave_when_unwanted(result)
