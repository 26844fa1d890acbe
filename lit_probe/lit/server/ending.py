"""How a server ends: it stops accepting, ends computations, finishes short requests, and is gone after about five seconds.

Python's own way out would wait for threads in the middle of a forward pass.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from lit_probe.lit.server.serving import Server

PATIENCE_S = 5.0
# SIGTERM is how an administrator, systemd or a container ends a server that did nothing wrong; 130 is what shells say of Ctrl-C.
EXIT_CODES = {signal.SIGTERM: 0, signal.SIGINT: 130}


def wait_for_end() -> None:
    """Waits for the signal, in the main thread, while another one answers; does not return."""
    while True:
        threading.Event().wait()


def end_on_signal(server: Server, stop: Callable[[], None], patience_s: float = PATIENCE_S) -> None:
    """From now on SIGTERM and SIGINT end the process, whatever the main thread does. A second signal ends it at once.

    To be called in the main thread, which alone hears of signals.

    Args:
      server: the server that is then answering, or is not running yet.
      stop: ends computations, so that the requests which are finished have the machine.
      patience_s: seconds that requests may take to be finished.
    """
    code: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        if code:
            _leave(code[0])
        code.append(EXIT_CODES[signal.Signals(number)])
        # Not here: the handler interrupts the very loop that has to go on until the last answer is sent.
        arguments = (server, stop, patience_s, code[0])
        threading.Thread(target=_finish, args=arguments, name="lit_probe-ending", daemon=True).start()

    for number in EXIT_CODES:
        signal.signal(number, end)


def _finish(server: Server, stop: Callable[[], None], patience_s: float, code: int) -> None:
    sys.stderr.write(f"lit_probe: ending; requests have {patience_s:g} s to finish\n")
    try:
        stop()
    finally:
        try:
            server.finish(patience_s)
        finally:
            _leave(code)


def _leave(code: int) -> None:
    """Ends the process without waiting for any thread; the cache is written so that this leaves nothing half-done in it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
