"""How answers travel from a running server: compressed for who reads that, and once."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import foreign_lit
import pytest
from foreign_lit import Planted, Sentences, lit_with
from tiny_lit_app import Browser, wrapped

from lit_probe.lit.server.access import Access
from lit_probe.lit.server.loaded import Loaded
from lit_probe.lit.server.page import FOR_EVER, PackagedFiles
from lit_probe.lit.server.serving import serve

OURS = f"/lit_probe/{PackagedFiles.find().version}"
KEPT = (f"{OURS}/index.js", f"{OURS}/panels/css.js", f"{OURS}/fonts/fonts.css")
FILES = ("/", "/main.js", *KEPT)


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def plain(self) -> bytes:
        return gzip.decompress(self.body) if self.headers["Content-Encoding"] == "gzip" else self.body


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = serve(wrapped(), "127.0.0.1", 0).start()
    yield server.url
    server.close()


def ask(url: str, path: str, method: str = "GET", body: object = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, None if body is None else json.dumps(body), named)
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


@pytest.mark.parametrize("path", FILES)
def test_a_file_travels_compressed_to_who_takes_that_and_as_it_is_to_who_does_not(url, path):
    plain = ask(url, path)
    packed = ask(url, path, Accept_Encoding="br, gzip;q=0.5")
    assert "Content-Encoding" not in plain.headers and packed.plain == plain.body
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) == len(packed.body)
    if len(plain.body) > 2_000:
        assert packed.headers["Content-Encoding"] == "gzip" and len(packed.body) < 0.6 * len(plain.body)
    for refused in ("identity", "gzip;q=0", "br", ""):
        assert ask(url, path, Accept_Encoding=refused).body == plain.body


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_the_browser_has_already_is_not_sent_again(url, path, encoding):
    first = ask(url, path, Accept_Encoding=encoding)
    assert first.headers["Cache-Control"] == (FOR_EVER if path in KEPT else "no-cache")
    again = ask(url, path, Accept_Encoding=encoding, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    changed = ask(url, path, Accept_Encoding=encoding, If_None_Match='"another"')
    assert (changed.status, changed.plain) == (200, first.plain)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_file_that_is_asked_for_by_its_content_is_kept_for_ever_and_another_one_is_not(url, encoding):
    for script in re.findall(r'="((?:main|static/favicon)\.\w+\?v=\w+)"', ask(url, "/").plain.decode()):
        name = script.partition("?")[0]
        by_content, as_it_is = (ask(url, f"/{path}", Accept_Encoding=encoding) for path in (script, name))
        assert by_content.headers["Cache-Control"] == FOR_EVER and by_content.plain == as_it_is.plain
        for other in (name, f"{name}?v=", f"{name}?v=0", f"{script}&a=1", script[:-1]):
            told = ask(url, f"/{other}", Accept_Encoding=encoding).headers["Cache-Control"]
            assert told == ("no-cache" if name == "main.js" else "private, max-age=3600")


# ---- questions about whole data sets, by GET

INFO, DATA = "/lit_probe/kept/get_info", "/lit_probe/kept/get_dataset?dataset_name=films"
IDS = [row["id"] for row in Browser(wrapped()).post("/get_dataset?dataset_name=films").json]
ROWS = f"rows={zlib.adler32(','.join(IDS).encode())}"
PREDS = f"/lit_probe/kept/get_preds?model=letters&dataset_name=films&{ROWS}"
RUN = f"/lit_probe/kept/get_interpretations?model=letters&dataset_name=films&interpreter=misbehaving&do_predict=0&{ROWS}"


def kept(url: str, path: str, **headers: str) -> Answer:
    return ask(url, path, X_Lit_Probe="kept", **headers)


@pytest.mark.parametrize("path", [INFO, DATA, PREDS, RUN, f"{RUN}&config=%7B%22what%22%3A%22not%20finite%22%7D"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_question_about_all_rows_is_answered_as_by_post_once_and_then_by_304(url, path, encoding):
    first = kept(url, path, Accept_Encoding=encoding)
    query = dict(parse_qsl(urlsplit(path).query))
    body = {"inputs": IDS if "rows" in query else [], **({"config": json.loads(query["config"])} if "config" in query else {})}
    assert first.plain == ask(url, path.removeprefix("/lit_probe/kept"), "POST", body).plain
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = kept(url, path, Accept_Encoding=encoding, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_all_rows_are_those_of_the_page_which_shows_equal_ones_once():
    data = Sentences(6)
    data._examples = [data._examples[1], *data._examples, data._examples[0]]
    application = lit_with({"mine": Planted()}, {"data": data})
    ids = foreign_lit.Page(application).ids("data")
    assert len(ids) == 8 and tuple(Loaded.ask(application).datasets["data"]) == (ids[0], ids[1], *ids[3:7])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (DATA.replace("films", "nowhere"), 404),
        (PREDS.replace("letters", "nobody"), 404),
        # A page that was opened before the server was started again, with other rows of the same name.
        (PREDS.replace(ROWS, "rows=1"), 404),
        (PREDS.replace(ROWS, "rows=whole"), 404),
        (f"{RUN}&config=1", 400),
        (f"{RUN}&config=%7B%22__class__%22%3A1%7D", 400),
        (f"{RUN}&config=%7B%22what%22%3A%22refuse%22%7D", 400),
        (f"{RUN}&config=%7B%22what%22%3A%22break%22%7D", 500),
        ("/lit_probe/kept/annotate_new_data?dataset_name=films", 404),
        ("/lit_probe/kept/save_datapoints", 404),
        ("/lit_probe/kept/lit_probe/kept/get_info", 404),
        ("/lit_probe/kept/", 404),
    ],
)
def test_what_may_not_be_asked_by_post_may_not_be_asked_by_get_and_is_not_kept(url, path, status):
    answer = kept(url, path)
    assert answer.status == status and answer.headers["ETag"] is None and b"Traceback" not in answer.body


def test_a_page_of_another_site_cannot_ask_by_get(url):
    # Its header would first be asked for by OPTIONS, which is refused; without it there is no such address.
    assert ask(url, INFO).status == ask(url, INFO, X_Lit_Probe="1").status == 404
    assert ask(url, INFO, "OPTIONS", Origin="http://evil.example").status == 403
    assert kept(url, INFO, Sec_Fetch_Site="cross-site").status == kept(url, INFO, Host="evil.example").status == 403
    for method in ("POST", "PUT", "DELETE"):
        assert ask(url, INFO, method, X_Lit_Probe="kept").status == 405


def test_a_head_request_gets_no_body(url):
    for path in FILES:
        answer = ask(url, path, "HEAD", Accept_Encoding="gzip")
        assert (answer.status, answer.body) == (200, b"")


def test_large_answers_of_the_api_are_compressed_and_small_ones_and_fonts_are_not(url):
    info = ask(url, "/get_info", "POST", {}, Accept_Encoding="gzip")
    assert info.headers["Content-Encoding"] == "gzip"
    assert json.loads(info.plain) == json.loads(ask(url, "/get_info", "POST", {}).body)
    assert "ETag" not in info.headers
    refused = ask(url, "/no/such/page", Accept_Encoding="gzip")
    assert refused.status == 404 and "Content-Encoding" not in refused.headers
    font = ask(url, f"{OURS}/fonts/material-icons.woff2", Accept_Encoding="gzip")
    assert font.status == 200 and "Content-Encoding" not in font.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_what_must_not_be_kept_has_no_tag_and_says_so(url, path):
    answer = ask(url, path)
    assert (answer.headers["Cache-Control"], answer.headers["ETag"]) == ("no-store", None)


def test_the_page_behind_a_link_with_the_token_is_not_kept():
    server = serve(wrapped(access=Access("a-token-of-letters")), "127.0.0.1", 0).start()
    try:
        answer = ask(server.url, "/?token=a-token-of-letters", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    finally:
        server.close()
    assert (answer.status, answer.headers["Cache-Control"], answer.headers["ETag"]) == (200, "no-store", None)
    assert answer.headers["Set-Cookie"]
