"""How long connections stay open, and bodies over the limit: what waitress, the server, leaves to us.

waitress closes connections where nothing happens, but any byte counts as something, and when all places are taken it lets
everybody wait. Here heads and bodies have deadlines, and a new connection takes the place of the one that is missed the least.
"""

from __future__ import annotations

import contextlib
import copy
import socket
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import BadRequest, RequestEntityTooLarge, ServerNotImplemented

from lit_probe.lit.server.limits import Limits

# Connections that are taken in between two looks at those that are open.
AT_ONCE = 32
# Files that a process may open where the system does not say it.
_USUAL_FILES = 1_024


def open_files() -> int:
    """How many files the process may open."""
    try:
        import resource
    except ImportError:  # Windows
        return _USUAL_FILES
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _USUAL_FILES if soft == resource.RLIM_INFINITY else int(soft)


class Request(HTTPRequestParser):
    """A request; when its body is too large, the application gets it at once, unread, and words the refusal.

    waitress answers such bodies itself and then resets the connection, so that a client which is still sending never sees the
    answer.

    Args:
      max_body: function from the path of a request to the bytes that its body may have.
      adj: waitress's settings.
    """

    error: Any
    adj: Any
    unread = False

    def __init__(self, max_body: Callable[[str], int], adj: Any):
        super().__init__(adj)
        self._max_body = max_body

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the head, and then knows how large the body may be."""
        super().parse_header(header_plus)
        self.adj = copy.copy(self.adj)
        self.adj.max_request_body_size = self._max_body(self.path) + 1

    def received(self, data: bytes) -> int:
        """Takes in what has come."""
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = None
            self.unread = True
            self.expect_continue = False
            self.headers["CONTENT_LENGTH"] = str(max(self.content_length, self.body_bytes_received))
            self.headers["CONNECTION"] = "close"  # waitress then drops what it takes for a next request
        elif isinstance(self.error, ServerNotImplemented):
            # The client's mistake as well as ours: no answer of 500 and above but the planned 503.
            self.error = BadRequest(self.error.body)
        return consumed


class Connection(HTTPChannel):
    """A connection with deadlines.

    After a body was refused it goes on reading, and drops what it reads, until the client has seen the answer and hangs up. All
    times are waitress's, of ``time.time()``.

    Args:
      limits: how long things may take.
      most: connections that may be open; one more ends another.
      max_body: as of `Request`.
      arguments: waitress's.
      options: waitress's.
    """

    will_close: bool
    last_activity: float
    unread = False
    draining = False

    def __init__(self, limits: Limits, most: int, max_body: Callable[[str], int], *arguments: Any, **options: Any):
        self._limits = limits
        self._begun = 0.0
        self.parser_class = lambda adj: Request(max_body, adj)
        super().__init__(*arguments, **options)
        others = [one for one in self.server.active_channels.values() if one is not self and not one.will_close]
        if len(others) >= most:
            least = min((one for one in others if not one.requests), key=Connection._claim, default=None)
            if least is not None:
                # Not closed here: an event of this round may be its own, and a new connection may have its number by then.
                least.will_close = True

    def late(self, now: float) -> bool:
        """Whether it has been open for too long with nothing, a part of a request, or an answer that nobody reads."""
        limits, request = self._limits, self.request
        if self.will_close and not self.draining:
            return True
        if self.requests:
            return False  # it is answered, for which requests have a time of their own
        if self.draining:
            return now - self.last_activity > limits.body_s
        if self.total_outbufs_len or request is None:
            return now - self.last_activity > limits.idle_s
        if not request.headers_finished:
            return now - self._begun > limits.head_s
        return now - self._begun > limits.body_s + request.body_bytes_received / limits.body_rate

    def _claim(self) -> tuple[int, float]:
        """How much it would be missed, the least first: where nothing goes on, longest first; then the oldest of the others."""
        if self.request is None and not self.total_outbufs_len and not self.draining:
            return 0, self.last_activity
        return 1, self._begun

    def received(self, data: bytes) -> bool:
        """Takes in what has come, and notes when a request begins."""
        before = self.request
        taken: bool = super().received(data)
        if self.request is not before or before is None:
            self._begun = time.time()
        return taken

    def service(self) -> None:
        """Has the first of its requests answered."""
        self.unread = self.requests[0].unread
        super().service()

    def readable(self) -> bool:
        """Whether it would take in more; not where `close_late` has just closed it, whose number a new one may have next."""
        return self._fileno is not None and bool(self.draining or super().readable())

    def writable(self) -> bool:
        """Whether it has something to say; as for `readable`."""
        return self._fileno is not None and bool(super().writable())

    def handle_read(self) -> None:
        """Takes in more, or drops it."""
        if self.draining:
            self.recv(1 << 16)
        else:
            super().handle_read()

    def handle_close(self) -> None:
        """Closes it, at once or after what is still coming."""
        if self.unread and self.will_close and not self.draining:
            self.draining, self.will_close = True, False
            with contextlib.suppress(OSError):  # the client is gone already: the next read says so
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()


def accept_waiting(accept: Callable[[], None], connections: Collection[Connection]) -> None:
    """Takes in up to `AT_ONCE` of those that wait outside; waitress takes in one between two looks at all connections.

    Args:
      accept: waitress's own.
      connections: those that are open.
    """
    for _ in range(AT_ONCE):
        before = len(connections)
        accept()
        if len(connections) == before:
            return


def close_late(connections: Iterable[Connection], now: float) -> None:
    """Ends the connections that are late; in place of waitress's own upkeep, which it calls every second.

    waitress's own closes a connection when more can be written to it, which is never where nobody reads.
    """
    for connection in connections:
        if connection.late(now):
            connection.handle_close()
