"""A Hugging Face hub on this machine: it serves the files of one folder per data set, and refuses as the hub does."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"

REFUSALS = {
    "org/gated": (401, "GatedRepo"),
    "org/asked": (403, "GatedRepo"),
    "org/nothing": (401, "RepoNotFound"),
}


class Hub(BaseHTTPRequestHandler):
    """Answers what the clients of a hub ask about data sets."""

    folders: Mapping[str, Path]

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        found = re.match(r"/(?:api/)?datasets/([\w.-]+/[\w.-]+)(?:/(resolve|revision|tree|paths-info)/([^/]+)/?(.*))?$", path)
        if not found:
            return self._answer(404)
        name, what, revision, inner = found[1], found[2], found[3], found[4] or ""
        if name in REFUSALS:
            status, code = REFUSALS[name]
            return self._answer(status, b"{}", {"X-Error-Code": code})
        if name not in self.folders:
            return self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if revision not in (None, "main", COMMIT):
            return self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        folder = self.folders[name]
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        if what == "resolve":
            return self._file(folder / inner)
        if what == "paths-info":
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            files = [file for file in files if file.relative_to(folder).as_posix() in asked]
        if what in ("tree", "paths-info"):
            inside = [file for file in files if file.relative_to(folder).as_posix().startswith(inner)]
            folders = {parent for file in inside for parent in file.relative_to(folder).parents} - {Path()}
            listed = [{"type": "directory", "path": one.as_posix(), "oid": "0" * 40, "size": 0} for one in sorted(folders)]
            listed += [
                {"type": "file", "path": one.relative_to(folder).as_posix(), "oid": etag(one), "size": one.stat().st_size}
                for one in inside
            ]
            return self._json(listed)
        siblings = [{"rfilename": file.relative_to(folder).as_posix()} for file in files]
        return self._json({"id": name, "sha": COMMIT, "siblings": siblings, "private": False, "gated": False, "tags": []})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _file(self, path: Path) -> None:
        if not path.is_file():
            return self._answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        return self._answer(200, path.read_bytes(), {"ETag": f'"{etag(path)}"', "X-Repo-Commit": COMMIT})

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests print their own."""


def etag(path: Path) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha1(path.read_bytes()).hexdigest()


@contextmanager
def serving(folders: Mapping[str, Path]) -> Iterator[str]:
    """The address of a hub that has these data sets, by id."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHub", (Hub,), {"folders": folders}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
