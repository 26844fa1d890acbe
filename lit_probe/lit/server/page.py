"""The files that the browser gets: LIT's page with our script and fonts in it, our client, and the fonts themselves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError

LIT_VERSION = "1.3.1"

# Only these are served. Stated, not guessed: some systems guess text/plain for .js, and browsers refuse such modules.
CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
}

GOOGLE_FONT_LINK = re.compile(rb'\s*<link href="https://fonts\.googleapis\.com/[^"]*" rel="stylesheet">')
GOOGLE_FONT_LINKS = 4

# All addresses are relative, so at an address without a slash at its end (behind a proxy) none of them leads anywhere, and the
# page would stay empty. No script of ours can run there; the page's own style still can tell.
_LOST = (
    b"  <style>\n"
    b"    .lit-probe-lost { visibility: hidden; margin: 24px; animation: lit-probe-lost 0s 4s forwards; }\n"
    b"    lit-app:defined ~ .lit-probe-lost { display: none; }\n"
    b"    @keyframes lit-probe-lost { to { visibility: visible; } }\n"
    b"  </style>\n"
)
_LOST_WORDS = (
    b'\n  <p class="lit-probe-lost">LIT does not start, because its files are not found beside this page. Behind a proxy, the '
    b"address must end with a slash: /proxy/5432/ and not /proxy/5432.</p>"
)


def with_our_tags(index: bytes, client_version: str) -> bytes:
    """LIT's `index.html` without Google's fonts, and with ours and our script.

    All addresses are relative to the page, so that it also works under a prefix, behind a proxy. Our script is a module:
    it runs after LIT's bundle has defined its panels, and before the `load` event on which LIT starts.

    Raises:
      LitProbeError: the page is not the one that lit-nlp 1.3.1 ships.
    """
    installed = version("lit-nlp")
    if installed != LIT_VERSION:
        raise LitProbeError(
            f"lit_probe works with lit-nlp {LIT_VERSION}, but {installed} is installed. Run: pip install lit-nlp=={LIT_VERSION}"
        )
    page, n_links = GOOGLE_FONT_LINK.subn(b"", index)
    n_heads = page.count(b"</head>")
    if n_links != GOOGLE_FONT_LINKS or n_heads != 1 or b"googleapis" in page:
        raise LitProbeError(
            f"LIT's index.html is not the one of lit-nlp {LIT_VERSION}: it has {n_links} font links and {n_heads} </head>, not "
            f"{GOOGLE_FONT_LINKS} and 1. Run: pip install --force-reinstall lit-nlp=={LIT_VERSION}"
        )
    tags = (
        '  <link href="./lit_probe/fonts/fonts.css" rel="stylesheet">\n'
        f'  <script type="module" src="./lit_probe/index.js?v={client_version}"></script>\n'
    )
    page = page.replace(b"<html>", b'<html lang="en">').replace(b"</head>", tags.encode() + _LOST + b"</head>")
    return page.replace(b"</lit-app>", b"</lit-app>" + _LOST_WORDS)


@dataclass(frozen=True)
class PackagedFiles:
    """Our own static files by URL. What is not in this table is not served, so no path can lead elsewhere.

    Attributes:
      by_url: `/lit_probe/index.js`, `/lit_probe/fonts/fonts.css`, … → the file, inside the installed package.
    """

    by_url: Mapping[str, Traversable]

    @classmethod
    def find(cls) -> PackagedFiles:
        """The client and the fonts of the installed package, be it a folder or a wheel's content."""
        package = files("lit_probe")
        by_url = dict(_walk(package / "client", "/lit_probe")) | dict(
            _walk(package / "lit" / "server" / "assets", "/lit_probe/fonts")
        )
        for needed in ("/lit_probe/index.js", "/lit_probe/fonts/fonts.css"):
            if needed not in by_url:
                raise LitProbeError(f"This installation of lit_probe is incomplete: {needed[1:]} is missing. Install it again.")
        return cls(by_url)

    @property
    def version(self) -> str:
        """A short hash that changes when any of the files does."""
        digest = hashlib.sha256()
        for url, file in sorted(self.by_url.items()):
            digest.update(url.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:12]

    def response(self, url: str) -> Response:
        """The file as it is now, which makes work on the client a matter of reloading the page."""
        return static_response(self.by_url[url].read_bytes(), CONTENT_TYPES[_suffix(url)])


def static_response(body: bytes, content_type: str) -> Response:
    """An answer that the browser may keep, but must ask about before each use."""
    response = Response(body, content_type=content_type, headers={"Cache-Control": "no-cache"})
    response.add_etag()
    return response


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _walk(folder: Traversable, url: str) -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{url}/{entry.name}")
        elif _suffix(entry.name) in CONTENT_TYPES:
            yield f"{url}/{entry.name}", entry
