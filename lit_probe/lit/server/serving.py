"""Serves the web application with waitress, a threaded WSGI server."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from waitress.server import create_server
from waitress.wasyncore import close_all, dispatcher, loop

from lit_probe.errors import LitProbeError
from lit_probe.lit.server.connections import AT_ONCE, Connection, accept_waiting, close_late, open_files
from lit_probe.lit.server.limits import DEFAULT_LIMITS, Limits
from lit_probe.lit.server.socket_files import check_socket_file, is_socket_file, listen_on_file, remove_socket_file

# Connections over the limit that are open while those they replace are being closed, and waitress's own two sockets.
_OVER = 2 * AT_ONCE + 2
# Threads that have nothing to do end at once; waitress warns of those that have not by then.
_LAST_WORDS_S = 0.3


class LimitedApp(Protocol):
    """A WSGI application that says how much it reads."""

    def max_body(self, path: str) -> int:
        """The largest body of a request for this path, in bytes."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""


def serve(
    app: LimitedApp,
    host: str,
    port: int,
    threads: int = 32,
    limits: Limits = DEFAULT_LIMITS,
    unix_socket: str | None = None,
) -> Server:
    """Binds the address; the server answers from `run()` or `start()` on.

    Args:
      app: what `lit_probe.lit.server.web.wrap` returns.
      host: an address of this machine; `127.0.0.1` is reachable from this machine only.
      port: 0 picks a free one.
      threads: requests that are worked on at a time. Most of them wait for the encoder, so many are cheap.
      limits: how many connections may be open, and how long.
      unix_socket: the file of a socket to listen on in place of host and port.

    Raises:
      LitProbeError: the port is in use, or the address cannot be bound.
    """
    if unix_socket is not None:
        return Server(app, listen_on_file(unix_socket), unix_socket, threads, limits)
    return Server(app, _listen(host, port), host, threads, limits)


def check_address(host: str, port: int, unix_socket: str | None = None) -> None:
    """That the address can be bound, before an application is made for it.

    Raises:
      LitProbeError: the port is in use, or the address cannot be bound.
    """
    if unix_socket is not None:
        check_socket_file(unix_socket)
    else:
        _listen(host, port).close()


class Server:
    """A server that is bound to its address.

    Attributes:
      host: the address as it was given, or the file of its socket.
      port: the port it listens on; 0 where that is a file.
    """

    def __init__(self, app: LimitedApp, listener: socket.socket, host: str, threads: int, limits: Limits = DEFAULT_LIMITS):
        self.host = host
        self._is_file = self._owns_file = is_socket_file(listener)
        self.port: int = 0 if self._is_file else listener.getsockname()[1]
        self._sockets: dict[int, Any] = {}  # waitress's listener, connections and wake-up pipe
        self._thread: threading.Thread | None = None
        self._running = False
        self._is_idle = threading.Event()  # while it finishes: whether the last connection is closed
        self._patience_s = 5.0
        most = limits.connections(open_files())
        self._waitress = create_server(
            app,
            map=self._sockets,
            sockets=[listener],
            threads=threads,
            ident=None,
            # Where all are being answered there is nobody to close; then new ones wait outside.
            connection_limit=most + _OVER,
            cleanup_interval=1,
            outbuf_high_watermark=limits.max_answer,
            # The next request of a connection is read while one is answered, and so is its end: whose client has left is known.
            channel_request_lookahead=1,
        )
        connections = self._waitress.active_channels
        self._waitress.channel_class = partial(Connection, limits, most, app.max_body)
        self._waitress.handle_accept = partial(accept_waiting, self._waitress.handle_accept, connections)
        self._waitress.maintenance = lambda now: close_late(list(connections.values()), now)
        _pull_only_while_open(self._waitress.trigger)

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page.

        An IPv6 address stands in brackets; a server on all interfaces is named by its loopback address; the file of a socket,
        which no browser opens itself, follows `unix:`.
        """
        if self._is_file:
            return f"unix:{self.host}"
        name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{name}]:{self.port}/" if ":" in name else f"http://{name}:{self.port}/"

    def run(self) -> None:
        """Answers requests until another thread calls `close()`, or until Ctrl-C."""
        self._running = True
        try:
            with contextlib.suppress(KeyboardInterrupt):
                # poll() and not select(), which fails in processes with more than a thousand open files.
                loop(timeout=1, map=self._sockets, use_poll=True)
        finally:
            self._running = False
            self._close_sockets()
            self._waitress.task_dispatcher.shutdown(timeout=self._patience_s)

    def start(self) -> Self:
        """Answers requests in a thread of its own."""
        self._running = True
        self._thread = threading.Thread(target=self.run, name="lit_probe-server", daemon=True)
        self._thread.start()
        return self

    def close(self, patience_s: float = 5.0) -> None:
        """Frees the port and closes every connection. May be called twice.

        Args:
          patience_s: seconds to wait for requests that are being answered; those that take longer end by themselves.
        """
        self._patience_s = patience_s
        if self._running:
            self._waitress.trigger.pull_trigger(self._close_sockets)  # in the thread that uses them
        else:
            self._close_sockets()
            self._waitress.task_dispatcher.shutdown(timeout=patience_s)
        if self._thread is not None:
            self._thread.join()

    def finish(self, patience_s: float) -> None:
        """Stops accepting, lets requests that were received be answered, and closes. To be called while another thread serves.

        Args:
          patience_s: seconds after which those that are not answered are cut off.
        """
        until, trigger = time.monotonic() + patience_s, self._waitress.trigger
        trigger.pull_trigger(self._stop_accepting)
        while time.monotonic() < until:
            self._is_idle.clear()
            trigger.pull_trigger(self._close_idle)
            if self._is_idle.wait(timeout=0.05):
                break
            time.sleep(0.02)
        self.close(patience_s=_LAST_WORDS_S)

    def _stop_accepting(self) -> None:
        # Not the server's own close(), which would close the pipe by which threads say that an answer is ready.
        dispatcher.close(self._waitress)
        self._remove_file()

    def _close_idle(self) -> None:
        """Closes connections on which nothing is asked; says so when none is left."""
        for connection in list(self._waitress.active_channels.values()):
            if not (connection.requests or connection.total_outbufs_len):
                connection.handle_close()
        if not self._waitress.active_channels:
            self._is_idle.set()

    def _close_sockets(self) -> None:
        close_all(self._sockets)
        self._remove_file()

    def _remove_file(self) -> None:
        # Once: from then on the file may be another server's, which need not wait for the last answer of this one.
        if self._owns_file:
            self._owns_file = False
            remove_socket_file(self.host)


def _pull_only_while_open(trigger: Any) -> None:
    """Makes waitress's wake-up pipe safe to use while the server closes.

    A request that ends in that moment would write to a pipe that is closed, or to whatever file has its number by then.
    """
    pull, close, lock = trigger._physical_pull, trigger._close, threading.Lock()

    def pull_if_open() -> None:
        with lock:
            if not trigger._closed:
                pull()

    def close_unused() -> None:
        with lock:
            close()

    trigger._physical_pull, trigger._close = pull_if_open, close_unused


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise LitProbeError(f"{port} is not a port; ports are 0 to 65535, and 0 picks a free one.")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise LitProbeError(f"The host {host!r} is not known. Use 127.0.0.1, or an address of this machine.") from None
    # "localhost" may be both; people also type 127.0.0.1 for it, and not every machine can use ::1.
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LitProbeError(
                f"Port {port} is in use on {host}. Choose another one (--port, in a notebook port=), or 0 for a free one."
            ) from None
        raise LitProbeError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from None
