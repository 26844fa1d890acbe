"""What all answers of the server have in common, whoever gives them: headers, errors for people, and to whom they are given."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.server import guard

# Of a body that is refused; our own server drops it itself, and hands none of it over.
_MOST_DROPPED = 256 * 1024 * 1024

# Every answer carries these. Style attributes are how LIT draws; script comes from our own files only, which disarms HTML in
# labels and texts. LIT's Scalars and Dive panels would need 'unsafe-eval'; our layouts leave them out.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def allowed_names(host: str, allowed_hosts: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that requests may ask for, and those among them that were added.

    Args:
      host: the address that the server is bound to.
      allowed_hosts: further names.

    Raises:
      LitProbeError: one of them is no host name.
    """
    trusted = set()
    for entry in allowed_hosts:
        name = guard.host_name(entry)
        if name is None:
            raise LitProbeError(f"{entry!r} is not a host name. Allowed hosts look like lab.example.org or 192.168.1.7.")
        trusted.add(name)
    return frozenset(guard.LOOPBACK_NAMES | ({host.lower()} - guard.ALL_INTERFACES) | trusted), frozenset(trusted)


def error_response(status: HTTPStatus, message: str) -> Response:
    """Plain text in the form that LIT's status bar reads: the message, an empty line, `Details:`."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        text = f"Uncaught error: {plain_message(message)}\n\nDetails: see the server log\n"
    else:
        text = f"{plain_message(message)}\n\nDetails: HTTP {status.value} {status.phrase}\n"
    body = text.encode("utf-8", "replace")
    return Response(body, status=status, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def refused(environ: WSGIEnvironment, refusal: guard.Refusal) -> Response:
    """The answer to a request that is refused, its body read away."""
    response = error_response(refusal.status, refusal.message)
    response.headers.update(refusal.headers)
    _drop_body(environ)
    return response


def _drop_body(environ: WSGIEnvironment) -> None:
    """Reads a refused body away: gunicorn would reset the connection on what is unread, and nobody would see the refusal."""
    declared = environ.get("CONTENT_LENGTH") or ""
    left = min(int(declared), _MOST_DROPPED) if declared.isascii() and declared.isdigit() and len(declared) < 16 else 0
    if not declared and environ.get("wsgi.input_terminated"):
        left = _MOST_DROPPED
    while left > 0 and (dropped := environ["wsgi.input"].read(min(left, 1 << 16))):
        left -= len(dropped)
