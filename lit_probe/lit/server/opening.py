"""What is served before LIT is there: a page that says so and loads itself again, behind the same guard.

opening = Opening("127.0.0.1", (), Access())
server = serve(opening, "127.0.0.1", 5432).start()
opening.open(app)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Response

from lit_probe.lit.server import guard, health
from lit_probe.lit.server.access import Access
from lit_probe.lit.server.answers import SECURITY_HEADERS, allowed_names, refused
from lit_probe.lit.server.guard import Refusal
from lit_probe.lit.server.limits import DEFAULT_LIMITS
from lit_probe.lit.server.serving import LimitedApp

# Seconds until the page asks again. It needs no script, and so no exception from the policy.
_AGAIN_S = 1
_WORDS = "LIT is loading its libraries and the data sets. This takes from some seconds to a minute; the page opens by itself."
_PAGE = (
    f'<!doctype html>\n<html lang="en"><head><meta charset="UTF-8"><title>lit_probe is loading</title>'
    f'<meta http-equiv="refresh" content="{_AGAIN_S}">'
    "<style>body { margin: 20vh auto; max-width: 32em; padding: 0 1em; color-scheme: light dark; "
    "font-family: system-ui, sans-serif; line-height: 1.5 }</style>"
    f'</head><body><main role="status"><h1>lit_probe</h1><p>{_WORDS}</p></main></body></html>\n'
)


class ServedApp(LimitedApp, Protocol):
    """An application that computes."""

    def stop(self) -> None:
        """Ends all computations."""


class Opening:
    """The WSGI application of a server that listens already; once the real one is there, everything is that one's.

    Args:
      host: the address that the server is bound to.
      allowed_hosts: further names under which people reach it.
      access: who may ask.
    """

    def __init__(self, host: str, allowed_hosts: Sequence[str], access: Access):
        self._hosts, self._trusted = allowed_names(host, allowed_hosts)
        self._access = access
        self._app: ServedApp | None = None

    def open(self, app: ServedApp) -> None:
        """Hands everything over."""
        self._app = app

    def stop(self) -> None:
        """Ends what the application computes, if it is there."""
        if self._app is not None:
            self._app.stop()

    def max_body(self, path: str) -> int:
        """The largest body of a request for this path, in bytes."""
        return DEFAULT_LIMITS.small_body if self._app is None else self._app.max_body(path)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        if self._app is not None:
            return self._app(environ, start_response)
        try:
            response = self._respond(environ)
        except Refusal as refusal:
            response = refused(environ, refusal)
        response.headers.update({name: value.format(frame_ancestors="'self'") for name, value in SECURITY_HEADERS.items()})
        return response(environ, start_response)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        if environ.get("PATH_INFO") in health.PATHS:
            return health.answer(environ, None)
        guard.check_host(environ, self._hosts)
        guard.check_origin(environ, self._trusted)
        if welcome := self._access.admit(environ):
            return welcome
        again = {"Retry-After": str(_AGAIN_S), "Cache-Control": "no-store"}
        if (environ.get("PATH_INFO") or "/") not in guard.PAGES:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"{_WORDS} Ask again then.", again)
        guard.check_method(environ, "GET", "HEAD")
        return Response(_PAGE, HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/html; charset=utf-8", headers=again)
