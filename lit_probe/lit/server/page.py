"""The files that the browser gets: LIT's page with our script and fonts in it, our client, and the fonts themselves."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from werkzeug.http import generate_etag
from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError

LIT_VERSION = "1.3.1"

# Only these are served. Stated, not guessed: some systems guess text/plain for .js, and browsers refuse such modules.
CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
}

# What never changes under its address: a browser need not ask again. `private`, since a token may stand before it.
FOR_EVER = "private, max-age=31536000, immutable"

# The files that a module of ours imports; the panels of `index.js` with their files.
_IMPORTS = re.compile(r"^(?:import|export)\b[^;]*?from '(\.[^']+)'", re.MULTILINE)
_PANELS = re.compile(r"^importPanel\('([^']+)', new URL\('\./([^']+)'", re.MULTILINE)

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


def with_our_tags(index: bytes, ours: PackagedFiles, lit_script: bytes, icon: bytes, panels: Collection[str]) -> bytes:
    """LIT's `index.html` without Google's fonts, and with ours and our script.

    All addresses are relative to the page, so that it also works under a prefix, behind a proxy. Our script is a module:
    it runs after LIT's bundle has defined its panels, and before the `load` event on which LIT starts. Its modules and those of
    the panels that are shown first are named, so that a browser need not read one to hear of the next.

    Args:
      index: LIT's page.
      ours: our files.
      lit_script: LIT's bundle, by whose content the page names it.
      icon: LIT's, likewise.
      panels: the tags of the layout that is shown first.

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
    folder = f"./lit_probe/{ours.version}"
    tags = [
        f'<link href="{folder}/fonts/fonts.css" rel="stylesheet">',
        f'<script src="{folder}/page/before_lit.js"></script>',
        f'<script type="module" src="{folder}/index.js"></script>',
        *(f'<link rel="modulepreload" href="{folder}/{name}">' for name in ours.modules(panels)),
    ]
    page = page.replace(b"<html>", b'<html lang="en">')
    page = page.replace(b"</head>", "".join(f"  {tag}\n" for tag in tags).encode() + _LOST + b"</head>")
    for name, body in ((b"main.js", lit_script), (b"static/favicon.png", icon)):
        page = page.replace(b'"%s"' % name, b'"%s?v=%s"' % (name, content_tag(body).encode()))
    return page.replace(b"</lit-app>", b"</lit-app>" + _LOST_WORDS)


def content_tag(body: bytes) -> str:
    """What stands for the content of a file: its ``ETag``, and the `v` of an address that is asked for that content alone."""
    return generate_etag(body)


@dataclass(frozen=True)
class PackagedFiles:
    """Our own static files as they are at one moment. What is not in this table is not served, so no path can lead elsewhere.

    Their addresses hold a hash of them all. So a browser may keep them for ever, and modules, which import each other by
    relative addresses, never meet one of another version.

    Attributes:
      by_name: `index.js`, `fonts/fonts.css`, … → the file's content.
    """

    by_name: Mapping[str, bytes]

    @classmethod
    def find(cls) -> PackagedFiles:
        """The client and the fonts of the installed package, be it a folder or a wheel's content."""
        package = files("lit_probe")
        by_name = dict(_walk(package / "client", "")) | dict(_walk(package / "lit" / "server" / "assets", "fonts/"))
        for needed in ("index.js", "fonts/fonts.css"):
            if needed not in by_name:
                raise LitProbeError(f"This installation of lit_probe is incomplete: {needed} is missing. Install it again.")
        return cls(by_name)

    @cached_property
    def version(self) -> str:
        """A short hash that changes when any of the files does."""
        digest = hashlib.sha256()
        for name, body in sorted(self.by_name.items()):
            digest.update(b"%d %d " % (len(name), len(body)) + name.encode() + body)
        return digest.hexdigest()[:16]

    def modules(self, panels: Collection[str]) -> list[str]:
        """The modules that a page loads beside `index.js` where these panels are shown, each after the one that names it."""
        found = ["index.js"] + [file for tag, file in _PANELS.findall(self.by_name["index.js"].decode()) if tag in panels]
        for name in found:
            for imported in self._imports[name]:
                if imported not in found:
                    found.append(imported)
        return found[1:]

    @cached_property
    def _imports(self) -> dict[str, list[str]]:
        """The modules that each module imports."""
        return {
            name: [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in _IMPORTS.findall(body.decode())]
            for name, body in self.by_name.items()
            if name.endswith(".js")
        }

    def response(self, path: str) -> Response | None:
        """The file at an address of this version; None where there is none."""
        name = path.removeprefix(f"/lit_probe/{self.version}/")
        if name == path or name not in self.by_name:
            return None
        return static_response(self.by_name[name], CONTENT_TYPES[_suffix(name)], FOR_EVER)


def static_response(body: bytes, content_type: str, kept: str = "no-cache") -> Response:
    """An answer that the browser may keep; without another word it must ask about it before each use."""
    response = Response(body, content_type=content_type, headers={"Cache-Control": kept})
    response.add_etag()
    return response


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _walk(folder: Traversable, before: str) -> Iterator[tuple[str, bytes]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{before}{entry.name}/")
        elif _suffix(entry.name) in CONTENT_TYPES:
            yield f"{before}{entry.name}", entry.read_bytes()
