"""How answers travel: compressed for who reads that, and not at all to who has them already."""

from __future__ import annotations

import gzip
from wsgiref.types import WSGIEnvironment

from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

from lit_probe.lit.server.page import FOR_EVER
from lit_probe.once import Memo

# What fits into one packet is no faster for being smaller.
_SMALLEST = 1_400
_TYPES = ("text/", "application/json", "application/javascript")
# Of JSON that is made anew for each answer, more effort takes longer than it saves.
_LEVEL, _LEVEL_OF_FILES = 4, 9
_N_FILES = 256


class Transport:
    """Fits answers for their way. Files are compressed once, however often they are sent."""

    def __init__(self) -> None:
        self._files: Memo[str, bytes] = Memo(_N_FILES)

    def fitted(self, response: Response, environ: WSGIEnvironment) -> Response:
        """The same answer: a file with an ``ETag``, or 304 where the browser has it, and compressed where it takes that.

        Args:
          response: the whole answer, not compressed yet.
          environ: the request.
        """
        may_be_kept = not response.cache_control.no_store  # a health check, or the link with the token
        is_file = environ.get("REQUEST_METHOD") in ("GET", "HEAD") and response.status_code == 200 and may_be_kept
        tag = None
        if is_file:
            if environ["REQUEST_METHOD"] == "GET":
                response.add_etag()
            tag, _ = response.get_etag()
            response.headers["Cache-Control"] = _how_long(response, environ.get("QUERY_STRING"), tag)
            response.headers.pop("Expires", None)
            response.make_conditional(environ)
        if not (response.content_type or "").startswith(_TYPES) or response.headers.get("Content-Encoding"):
            return response
        response.vary.add("Accept-Encoding")
        body = response.get_data()
        if response.status_code == 304 or len(body) < _SMALLEST or not _takes_gzip(environ):
            return response
        if tag is None or response.is_json:
            response.set_data(_packed(body, _LEVEL))
        else:
            response.set_data(self._files.get(tag, lambda: _packed(body, _LEVEL_OF_FILES)))
        response.headers["Content-Encoding"] = "gzip"
        if tag:
            response.set_etag(tag, weak=True)  # these are other bytes than those that are not compressed
        return response


def _how_long(response: Response, query: str | None, tag: str | None) -> str:
    """What a browser is told of how long it may keep a file."""
    kept = response.cache_control
    if kept.immutable or kept.no_cache:
        return str(kept)
    if tag and query == f"v={tag}":
        return FOR_EVER
    # LIT says an hour. Its script would then meet a page of another version; its pictures need not match anything.
    return str(kept) if (response.content_type or "").startswith("image/") else "no-cache"


def _packed(body: bytes, level: int) -> bytes:
    return gzip.compress(body, level, mtime=0)


def _takes_gzip(environ: WSGIEnvironment) -> bool:
    return parse_accept_header(environ.get("HTTP_ACCEPT_ENCODING", ""))["gzip"] > 0
