"""The WSGI layer around LIT: our page and files, the guard at the door, and errors that a person can read.

app = wrap(lit_app, host="127.0.0.1")
serve(app, "127.0.0.1", 5432).run()
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from lit_probe.encoder.wanted import while_wanted
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.lit.host.asker import asked_from
from lit_probe.lit.host.messages import MAX_MESSAGE
from lit_probe.lit.server import guard, health
from lit_probe.lit.server.access import Access, peer, without_token
from lit_probe.lit.server.answers import SECURITY_HEADERS, allowed_names, error_response, refused
from lit_probe.lit.server.guard import Refusal
from lit_probe.lit.server.limits import DEFAULT_LIMITS, Limits
from lit_probe.lit.server.loaded import Loaded
from lit_probe.lit.server.page import PackagedFiles, static_response, with_our_tags
from lit_probe.lit.server.patience import Patience
from lit_probe.lit.server.serving import Server, serve
from lit_probe.lit.server.transport import Transport

__all__ = ["Server", "WebApp", "serve", "wrap"]

logger = logging.getLogger(__name__)

_NOTHING_HERE = "Nothing is served at this address. A page that was opened before an update of lit_probe has to be loaded again."

NotReady = Callable[[Mapping[str, str]], str | None]
Leave = Callable[[str, int | None], None]

# The last two are the schemes of VS Code's own pages, which have no address on any network.
_FRAME_ANCESTOR = re.compile(r"'self'|'none'|https?://[A-Za-z0-9.*-]+(?::(?:\d{1,5}|\*))?|vscode-(?:webview|file):")


def wrap(
    lit_app: WSGIApplication,
    *,
    host: str = "127.0.0.1",
    allowed_hosts: Sequence[str] = (),
    frame_ancestors: Sequence[str] = ("'self'",),
    limits: Limits = DEFAULT_LIMITS,
    not_ready: NotReady = lambda parameters: None,
    leave: Leave = lambda page, question: None,
    guarded: bool = True,
    access: Access | None = None,
) -> WebApp:
    """Puts our page, our files and the guard around LIT's application.

    Args:
      lit_app: what `dev_server.Server(…, server_type="external").serve()` returns. Its names are read here, and by `read_names`.
      host: the address that the server is bound to; requests may name it.
      allowed_hosts: further host names, without port, under which people reach the server (behind a proxy, on a network).
      frame_ancestors: who may show the page in a frame, in the words of the content security policy; notebooks need
        `"http://localhost:*"` and the like.
      limits: how much a request may hold, and how long it may take.
      not_ready: says what a request with these URL parameters would have to wait for; None when LIT can be asked.
      leave: hears of a page that has been left, or that has given up the question with that number.
      guarded: whether requests are checked. If not, everything but our own page and files is LIT's, its answers too.
      access: who may ask; everybody where it is None.

    Raises:
      LitProbeError: another lit-nlp is installed, an option makes no sense, or our own files are missing.
    """
    names, trusted = allowed_names(host, allowed_hosts)
    for entry in frame_ancestors:
        if not _FRAME_ANCESTOR.fullmatch(entry):
            raise LitProbeError(
                f"{entry!r} cannot be a frame ancestor. Give 'self', 'none' (with their quotes) or http://host:port."
            )
    kind = WebApp if guarded else OpenApp
    app = kind(lit_app, names, trusted, " ".join(frame_ancestors), limits, not_ready, leave)
    app.access = access or app.access
    return app


class WebApp:
    """The WSGI application that is served; `wrap` makes it.

    Attributes:
      max_body: the largest request body, in bytes.
      access: who may ask.
      stop: ends all computations, when the server ends.
      studies: how many of its studies are in which state.
    """

    access = Access()
    stop: Callable[[], None] = staticmethod(lambda: None)
    studies: Callable[[], health.StudyCounts] = staticmethod(health.StudyCounts)

    def __init__(
        self,
        lit_app: WSGIApplication,
        hosts: frozenset[str],
        trusted: frozenset[str],
        frame_ancestors: str,
        limits: Limits,
        not_ready: NotReady,
        leave: Leave,
    ):
        self.limits = limits
        self._transport = Transport()
        self._not_ready = not_ready
        self._leave = leave
        self._lit_app = lit_app
        self._hosts = hosts
        self._trusted = trusted
        self.read_names()
        self._of_lit = tuple(
            Response.from_app(lit_app, create_environ(path), buffered=True).get_data()
            for path in ("/", "/main.js", "/static/favicon.png")
        )
        self._files = PackagedFiles.find()
        self._page("")
        self._headers = {name: value.format(frame_ancestors=frame_ancestors) for name, value in SECURITY_HEADERS.items()}

    def max_body(self, path: str) -> int:
        """The largest body of a request for this path, in bytes."""
        return guard.max_body(path, self.limits)

    def read_names(self) -> None:
        """Takes note of what LIT knows; again, where it has come to know of something new."""
        self._loaded = Loaded.ask(self._lit_app)

    def _page(self, query: str) -> Response:
        """The page for this address."""
        # As they are now, which makes work on the client a matter of reloading the page.
        if (now := PackagedFiles.find()).version != self._files.version:
            self._files = now
        page, script, icon = self._of_lit
        layout = dict(parse_qsl(query, errors="replace")).get("layout", "")
        panels = self._loaded.panels.get(layout, self._loaded.panels[""])
        return static_response(with_our_tags(page, self._files, script, icon, panels), "text/html; charset=utf-8")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        begun = time.monotonic()
        try:
            response = self._respond(environ)
        except Refusal as refusal:
            response = refused(environ, refusal)
        except UnknownNameError as error:
            response = error_response(HTTPStatus.NOT_FOUND, str(error))
        except Exception as error:
            logger.exception("%s failed", _address(environ))
            response = error_response(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        if response.status_code >= HTTPStatus.BAD_REQUEST and response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.info("%s answered %s", _address(environ), response.status)
        response = self._transport.fitted(response, environ)
        logger.info("answered", extra={"safe": _safe(environ, response.status_code, time.monotonic() - begun)})
        response.headers.update(self._headers)
        return response(environ, start_response)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        if environ.get("PATH_INFO") in health.PATHS:
            return health.answer(environ, self.studies())
        guard.check_host(environ, self._hosts)
        guard.check_origin(environ, self._trusted)
        if welcome := self.access.admit(environ):
            return welcome
        path = environ.get("PATH_INFO") or "/"
        if path in guard.ENDPOINTS or path in guard.REFUSED_ENDPOINTS:
            guard.check_method(environ, "POST")
            guard.check_permitted(path)
            return self._ask_lit(path, environ)
        if kept := guard.kept_path(environ):
            return self._ask_kept(kept, environ)
        if path == guard.LEFT:
            guard.check_method(environ, "POST")
            self._leave(*guard.check_left(guard.parse_body(guard.read_body(environ, self.max_body(path)))))
            return Response(status=HTTPStatus.NO_CONTENT)
        if path in guard.PAGES:
            guard.check_method(environ, "GET", "HEAD")
            return self._page(environ.get("QUERY_STRING", "")).make_conditional(environ)
        if ours := self._files.response(path):
            guard.check_method(environ, "GET", "HEAD")
            return ours.make_conditional(environ)
        if guard.STATIC_FILES.fullmatch(path):
            guard.check_method(environ, "GET", "HEAD")
            return Response.from_app(self._lit_app, environ, buffered=True)
        raise Refusal(HTTPStatus.NOT_FOUND, _NOTHING_HERE)

    def _ask_kept(self, path: str, environ: WSGIEnvironment) -> Response:
        """The answer to a question about all rows or none of them, as a file, which a browser keeps and asks about."""
        guard.check_method(environ, "GET")
        query = environ.get("QUERY_STRING", "")
        asked = guard.kept_question(query, self._loaded.datasets)
        response = self._ask_lit(path, {**environ, "CONTENT_LENGTH": str(len(asked)), "wsgi.input": BytesIO(asked)})
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def _ask_lit(self, path: str, environ: WSGIEnvironment) -> Response:
        """Checks an API request, hands LIT only what was checked, and makes LIT's answer fit for a browser."""
        body = guard.read_body(environ, self.max_body(path)) or b"{}"
        data = guard.parse_body(body, self.limits)
        guard.check_keys(data)
        parameters = guard.check_parameters(path, environ.get("QUERY_STRING", ""), self._loaded)
        guard.check_config(parameters, data, self._loaded)
        ids: Collection[str] = self._loaded.datasets.get(parameters.get("dataset_name", ""), ())
        guard.check_inputs(path, data, ids, self.limits)
        if waits_for := self._not_ready(parameters):
            # At once: requests that wait take the server's threads, and the few connections that a browser has.
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, waits_for, {"Retry-After": "1"})
        if guard.ENDPOINTS[path].inputs == "none":
            body = b"{}"
        checked = dict(environ) | {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": urlencode(parameters),
            "CONTENT_TYPE": "application/json",  # under a form's type, which curl sends, LIT would see no body
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
        patience = Patience(environ, self.limits.request_s)
        with while_wanted(patience.check), asked_from(peer(environ)):
            response = Response.from_app(self._lit_app, checked, buffered=True)
        patience.check_over()
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _lit_error(response.get_data(as_text=True), environ)
        return _with_finite_numbers(response, environ)


class OpenApp(WebApp):
    """The same page without the guard, for a server that has one of its own, or needs LIT's requests that ours refuses."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._headers = {}

    def _respond(self, environ: WSGIEnvironment) -> Response:
        path = environ.get("PATH_INFO") or "/"
        if path.startswith("/lit_probe/") or path in guard.PAGES or path in health.PATHS:
            return super()._respond(environ)
        if welcome := self.access.admit(environ):
            return welcome
        return Response.from_app(self._lit_app, environ, buffered=True)


# ---- errors --------------------------------------------------------------------------------------------------------------


def _lit_error(text: str, environ: WSGIEnvironment) -> Response:
    """LIT's report of an exception (message, then traceback, both of which LIT has logged) as an answer without the traceback.

    The traceback ends with the exception's class and message. Our own errors are meant for the person who asked: status 400.
    """
    message, _, traceback = text.removeprefix("Uncaught error: ").partition("\n\nDetails: ")
    kind = traceback.rpartition(f": {message}\n")[0].rpartition("\n")[2]
    ours = kind.startswith(f"{LitProbeError.__module__}.")
    logger.warning("%s failed with %s: %r", _address(environ), kind, message[:MAX_MESSAGE])
    return error_response(HTTPStatus.BAD_REQUEST if ours else HTTPStatus.INTERNAL_SERVER_ERROR, message)


def _with_finite_numbers(response: Response, environ: WSGIEnvironment) -> Response:
    """Replaces NaN and infinities by null: LIT writes them out, and a browser then cannot read any of the answer."""
    body = response.get_data()
    if b"NaN" not in body and b"Infinity" not in body:
        return response
    found: list[str] = []

    def null(constant: str) -> Any:
        found.append(constant)

    finite = json.loads(body, parse_constant=null)
    if found:
        logger.warning("%s: %d numbers are not finite and became null", _address(environ), len(found))
        response.set_data(json.dumps(finite))
    return response


def _safe(environ: WSGIEnvironment, status: int, seconds: float) -> dict[str, Any]:
    """What a log may always tell of a request: which of our addresses was asked, and how it went. Others may be anything."""
    path = environ.get("PATH_INFO") or "/"
    known = path.removeprefix(guard.KEPT) in guard.ENDPOINTS or path in guard.PAGES or path in health.PATHS or path == guard.LEFT
    return {
        "method": environ.get("REQUEST_METHOD"),
        "path": path if known else "other",
        "status": status,
        "ms": round(1000 * seconds),
    }


def _address(environ: WSGIEnvironment) -> str:
    """Method and address for the log, with control characters made visible."""
    address = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}?{environ.get('QUERY_STRING', '')}"
    return ascii(without_token(address))
