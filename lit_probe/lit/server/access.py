"""Who may ask: whoever has the token. A browser shows it once, in the link that the server prints; then it has a cookie.

access = Access("a token of sixteen characters or more")
"""

from __future__ import annotations

import hashlib
import hmac
import html
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote_plus, urlencode
from wsgiref.types import WSGIEnvironment

from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError
from lit_probe.lit.server import guard
from lit_probe.lit.server.guard import Refusal

AUTO = "auto"
# What needs no quoting in an address, a header and a shell.
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,256}")
_PARAMETER = re.compile(r"(?<![^?&])([^=&?]+)=[^&#]*")
_AUTHORIZATION = re.compile(r"(?:Bearer|token) +(\S+)", re.IGNORECASE)
# What servers tell in place of an address over a Unix socket.
_NO_ADDRESS = ("", "localhost")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="lit_probe"'}
_ASKS_FOR = (
    "This server asks for a token. Open the link that lit-probe serve has printed, or put ?token=… with the token behind the "
    "address; a program sends the header Authorization: Bearer …"
)


def chosen_token(given: str | None) -> str | None:
    """The token that was asked for, a new one for `auto`; None where there is none.

    Raises:
      LitProbeError: it is too short to be safe, or has characters that an address cannot hold as they are.

    >>> chosen_token(""), chosen_token("0123456789abcdef")
    (None, '0123456789abcdef')
    """
    if not given:
        return None
    if given == AUTO:
        return secrets.token_urlsafe(24)
    if not _TOKEN.fullmatch(given):
        raise LitProbeError(
            f"A token has 16 to 256 letters, digits, dots, hyphens, underscores or tildes, and this one does not. --token={AUTO} "
            "makes a good one."
        )
    return given


def check_reach(host: str, token: str | None) -> None:
    """That a server whom other machines can reach has a token.

    Raises:
      LitProbeError: it has none.
    """
    if token is None and not is_loopback(host):
        raise LitProbeError(
            f"With --host={host} other machines can reach the server, and whoever reaches it reads the data. Give it a token: "
            f"--token={AUTO} makes one and prints the link, and the environment variable LIT_PROBE_TOKEN holds one of your own."
        )


def is_loopback(host: str) -> bool:
    """Whether an address, or a name with all its addresses, can be reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, False, False)
    """
    if not host:
        return False
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (socket.gaierror, UnicodeError):
        return True  # nothing listens there; what binds it says so
    return all(_is_loopback_address(one) for one in found)


def _is_loopback_address(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def peer(environ: WSGIEnvironment) -> str:
    """The address of another machine that asks; empty of this one, where a proxy may stand for anybody.

    >>> peer({"REMOTE_ADDR": "10.0.0.7"}), peer({"REMOTE_ADDR": "127.0.0.1"}), peer({"REMOTE_ADDR": "localhost"}), peer({})
    ('10.0.0.7', '', '', '')
    """
    address = environ.get("REMOTE_ADDR") or ""
    return "" if address in _NO_ADDRESS or _is_loopback_address(address) else address


def without_token(address: str) -> str:
    """An address as it may stand in a log.

    >>> without_token("GET /?a=1&token=secret&b=2"), without_token("/?t%6Fken=secret")
    ('GET /?a=1&token=…&b=2', '/?token=…')
    """
    return _PARAMETER.sub(lambda found: "token=…" if unquote_plus(found[1]) == "token" else found[0], address)


@dataclass(frozen=True)
class Access:
    """Lets those in who have the token; without one, everybody, or everybody on this machine.

    Attributes:
      token: what has to be shown; None where nothing has to be.
      only_here: whether other machines are refused where there is no token. A deployment server binds what it likes.
    """

    token: str | None = field(default=None, repr=False)
    only_here: bool = False

    def admit(self, environ: WSGIEnvironment) -> Response | None:
        """Lets a request go on, or gives the answer that turns a link with the token into a cookie.

        Raises:
          Refusal: 401 without the token; 403 from another machine where there is none.
        """
        if self.token is None:
            self._check_is_here(environ)
            return None
        is_page = environ.get("REQUEST_METHOD") == "GET" and (environ.get("PATH_INFO") or "/") in guard.PAGES
        sent = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, errors="replace")
        shown = [value for name, value in sent if name == "token"]
        if is_page and any(self._is_token(value) for value in shown):
            return self._welcome(environ, [(name, value) for name, value in sent if name != "token"])
        if self._has_header(environ) or self._has_cookie(environ):
            return None
        if is_page and environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
            # After a link on another site a browser keeps the cookie back. When our own page loads itself again, it sends it.
            return _loads_again(_address(environ, sent), _ASKS_FOR, HTTPStatus.UNAUTHORIZED)
        raise Refusal(HTTPStatus.UNAUTHORIZED, _ASKS_FOR, _CHALLENGE)

    def _check_is_here(self, environ: WSGIEnvironment) -> None:
        if self.only_here and peer(environ):
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "This server answers other machines only with a token. Set one where it is started: --token, or the environment "
                "variable LIT_PROBE_TOKEN.",
            )

    def _welcome(self, environ: WSGIEnvironment, others: list[tuple[str, str]]) -> Response:
        """A cookie in place of the token, and the way to the same page without it."""
        address = _address(environ, others)
        if environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
            response = _loads_again(address, "Opening LIT …", HTTPStatus.OK)
        else:
            response = Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address, "Cache-Control": "no-store"})
        secure = "https" in (environ.get("wsgi.url_scheme"), environ.get("HTTP_X_FORWARDED_PROTO"))
        # Without a path of its own it is sent to the folder of this page, which only the proxy may know.
        response.set_cookie(_cookie_name(environ), self._proof, path=None, httponly=True, samesite="Strict", secure=secure)
        return response

    def _has_header(self, environ: WSGIEnvironment) -> bool:
        sent = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        return sent is not None and self._is_token(sent[1])

    def _has_cookie(self, environ: WSGIEnvironment) -> bool:
        # Other programs on this host set cookies, too, which need not be UTF-8; ours is ASCII.
        cookies = environ.get("HTTP_COOKIE", "").encode("ascii", "replace").decode()
        sent = parse_cookie(cookies).getlist(_cookie_name(environ))
        return any(_same(value, self._proof) for value in sent)

    def _is_token(self, sent: str) -> bool:
        return _same(sent, self.token or "")

    @property
    def _proof(self) -> str:
        """What the cookie holds: it proves that the token was known, and does not give it away."""
        return hmac.new((self.token or "").encode(), b"lit_probe cookie", hashlib.sha256).hexdigest()


def _same(sent: str, expected: str) -> bool:
    """Whether two texts are equal, in a time that tells neither where they differ nor how long they are."""
    one, other = (hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (sent, expected))
    return hmac.compare_digest(one, other)


def _cookie_name(environ: WSGIEnvironment) -> str:
    """One for each port: browsers send the cookies of a host to all its ports."""
    port = re.search(r":(\d{1,5})$", environ.get("HTTP_HOST", ""))
    return f"lit_probe_{port[1]}" if port else "lit_probe"


def _address(environ: WSGIEnvironment, parameters: list[tuple[str, str]]) -> str:
    """Where the page is, seen from itself: a proxy may have put a folder before it."""
    name = (environ.get("PATH_INFO") or "/").removeprefix("/") or "./"
    return f"{name}?{urlencode(parameters)}" if parameters else name


def _loads_again(address: str, words: str, status: HTTPStatus) -> Response:
    refresh = f'<meta http-equiv="refresh" content="0; url={html.escape(address, quote=True)}">'
    page = f'<!doctype html><html lang="en"><head><title>lit_probe</title>{refresh}</head><body><p>{words}</p></body></html>'
    return Response(page, status, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})
