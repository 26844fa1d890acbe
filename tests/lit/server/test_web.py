"""LIT's page as we serve it, the answers' headers, and what becomes of errors."""

from __future__ import annotations

import logging
import re
from importlib.metadata import version
from importlib.resources import files

import pytest
from lit_nlp.api.layout import LitCanonicalLayout
from tiny_lit_app import Browser, tiny_lit_app, wrapped
from werkzeug.test import create_environ
from werkzeug.wrappers import Response

from lit_probe.errors import LitProbeError
from lit_probe.layouts import LAYOUTS
from lit_probe.lit.server import page
from lit_probe.lit.server.page import CONTENT_TYPES, PackagedFiles, content_tag, with_our_tags
from lit_probe.lit.server.web import wrap

OURS = f"/lit_probe/{PackagedFiles.find().version}"
INTERPRETER = "/get_interpretations?model=letters&dataset_name=films&interpreter=misbehaving&do_predict=0"


@pytest.fixture(scope="module")
def browser():
    return Browser(wrapped())


@pytest.fixture(scope="module")
def stock_page():
    return Response.from_app(tiny_lit_app(), create_environ("/")).get_data()


# ---- the page


def test_the_page_asks_no_outside_address_and_everything_is_relative_to_it(browser):
    html = browser.get("/").text
    addresses = re.findall(r'(?:href|src)="([^"]*)"', html)
    scripts = [f".{OURS}/{name}" for name in ("page/before_lit.js", "index.js", *PackagedFiles.find().modules(()))]
    icon, bundle = (f"{name}?v={content_tag(browser.get(f'/{name}').data)}" for name in ("static/favicon.png", "main.js"))
    assert addresses == [icon, f".{OURS}/fonts/fonts.css", *scripts, bundle]
    for address in addresses:
        assert browser.get("/" + address.removeprefix("./")).status_code == 200


def test_our_script_is_a_module_in_the_head_and_lits_page_is_otherwise_untouched(browser, stock_page):
    html = browser.get("/").data
    # What is shown where the address lacks its slash.
    lost = re.compile(rb'  <style>\n    \.lit-probe-lost.*?</style>\n|\n  <p class="lit-probe-lost">.*?</p>', re.DOTALL)
    html, n_lost = lost.subn(b"", html)
    assert n_lost == 2
    ours = re.compile(rb'  <(?:script|script type="module"|link) (?:src|href)="\./lit_probe/[^>]*>(?:</script>)?\n')
    ahead = re.compile(rb'  <link rel="modulepreload" href="\./lit_probe/[^>]*>\n')
    html = ahead.sub(b"", html)
    assert len(ours.findall(html[: html.index(b"</head>")])) == 3
    html, n_versions = re.subn(rb"\?v=\w+", b"", html)
    assert n_versions == 2
    # A screen reader is told the language of the page.
    assert html.count(b'<html lang="en">') == 1
    assert ours.sub(b"", html.replace(b'<html lang="en">', b"<html>")) == page.GOOGLE_FONT_LINK.sub(b"", stock_page)


def test_another_lit_version_or_another_page_is_refused_with_what_to_do(stock_page, monkeypatch):
    with pytest.raises(LitProbeError, match=r"0 font links.*pip install --force-reinstall lit-nlp==1\.3\.1"):
        with_our_tags(b"<head></head>", PackagedFiles.find(), b"", b"", ())
    with pytest.raises(LitProbeError, match="2 </head>"):
        with_our_tags(stock_page + b"</head>", PackagedFiles.find(), b"", b"", ())
    assert version("lit-nlp") == page.LIT_VERSION
    monkeypatch.setattr(page, "LIT_VERSION", "1.4.0")
    with pytest.raises(LitProbeError, match=r"lit_probe works with lit-nlp 1\.4\.0, but 1\.3\.1 is installed\. Run: pip install"):
        with_our_tags(stock_page, PackagedFiles.find(), b"", b"", ())


def test_the_browser_asks_again_before_it_uses_a_kept_page_and_never_for_a_file_of_this_version(browser):
    for path in ("/", f"{OURS}/index.js", f"{OURS}/fonts/material-icons.woff2"):
        first = browser.get(path)
        assert first.headers["Cache-Control"] == ("no-cache" if path == "/" else page.FOR_EVER)
        again = browser.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert browser.get(path, headers={"If-None-Match": '"old"'}).status_code == 200


def test_every_client_file_is_served_as_what_it_is(browser):
    table = PackagedFiles.find().by_name
    assert {name.rpartition(".")[2] for name in table} == {"js", "css", "woff2"}
    for name, body in table.items():
        response = browser.get(f"{OURS}/{name}")
        assert response.data == body
        assert response.content_type == CONTENT_TYPES["." + name.rpartition(".")[2]]


def test_the_addresses_of_our_files_change_with_the_client():
    versions = {
        PackagedFiles(table).version for table in ({"a.js": b"1"}, {"a.js": b"2"}, {"b.js": b"1"}, {"a.j": b"s1"}, {"a.js": b""})
    }
    assert len(versions) == 5


def test_a_changed_client_is_on_the_next_page_and_its_old_addresses_are_gone(monkeypatch):
    changing = Browser(wrapped())
    files_now = PackagedFiles.find().by_name
    monkeypatch.setattr(PackagedFiles, "find", lambda: PackagedFiles({**files_now, "index.js": files_now["index.js"] + b"\n"}))
    [script] = re.findall(r'src="\.(/lit_probe/\w+/index\.js)"', changing.get("/").text)
    assert script != f"{OURS}/index.js" and changing.get(script).data == files_now["index.js"] + b"\n"
    gone = changing.get(f"{OURS}/index.js")
    assert gone.status_code == 404 and "has to be loaded again" in gone.text


def test_a_module_is_named_once_and_each_is_needed_by_some_panel():
    ours, tags = PackagedFiles.find(), set().union(*map(tags_of, LAYOUTS.values()))
    modules = ours.modules(tags)
    assert len(modules) == len(set(modules)) > len(ours.modules(())) > 10
    # Described types are for the checker alone.
    others = {"index.js", "page/before_lit.js", "page/types.js", "charts/types.js", "fonts/fonts.css"}
    assert set(ours.by_name) - set(modules) == others | {name for name in ours.by_name if name.endswith(".woff2")}


@pytest.mark.parametrize(
    ("address", "layout"),
    [
        ("/", "decodability"),
        ("/?layout=neurons&a=1", "neurons"),
        ("/index.html?layout=nowhere", "decodability"),
        ("/?layout=", "decodability"),
    ],
)
def test_the_page_names_the_modules_of_the_layout_that_it_opens_with(address, layout):
    html = Browser(wrap(tiny_lit_app(layouts=LAYOUTS, default_layout="decodability"))).get(address).text
    named = re.findall(rf'<link rel="modulepreload" href="\.{OURS}/([^"]*)">', html)
    assert named == PackagedFiles.find().modules(tags_of(LAYOUTS[layout]))
    assert ("neurons/neurons_module.js" in named) == (layout == "neurons")


def tags_of(layout: LitCanonicalLayout) -> set[str]:
    tabs = [*layout.upper.values(), *layout.lower.values(), *layout.left.values()]
    return {str(getattr(one, "module", one)) for tab in tabs for one in tab}


# ---- the fonts


def test_the_style_sheet_brings_every_font_that_lit_asks_google_for_from_files_that_are_there(browser):
    css = browser.get(f"{OURS}/fonts/fonts.css").text
    families = set(re.findall(r"font-family: '([^']+)'", css))
    assert families >= {"Material Icons", "Material Icons Outlined", "Google Material Icons", "Roboto", "Google Sans"}
    assert families >= {"Roboto Mono", "Share Tech Mono"}
    for address in re.findall(r"url\('([^']+)'\)", css):
        font = browser.get(f"{OURS}/fonts/{address}")
        assert (font.status_code, font.data[:4]) == (200, b"wOF2")
    assert "http" not in css


def test_each_font_has_its_licence_beside_it():
    assets = files("lit_probe") / "lit" / "server" / "assets"
    assert "Apache License" in (assets / "material-icons.LICENSE.txt").read_text()
    assert "SIL Open Font License, Version 1.1" in (assets / "roboto.LICENSE.txt").read_text()


# ---- headers


@pytest.mark.parametrize("path", ["/", "/main.js", f"{OURS}/index.js", "/nowhere"])
def test_every_answer_forbids_foreign_script_framing_and_guessing(browser, path):
    for response in (browser.get(path), browser.post(path), browser.post("/get_info")):
        policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
        assert policy["script-src"] == policy["default-src"] == "'self'"
        assert policy["style-src"] == "'self' 'unsafe-inline'"
        assert policy["frame-ancestors"] == "'self'"
        assert policy["object-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_notebook_may_allow_its_own_page_to_frame_ours():
    response = Browser(wrapped(frame_ancestors=["'self'", "http://localhost:*"])).get("/")
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors 'self' http://localhost:*")


# ---- errors


def ask(browser, what):
    return browser.post(INTERPRETER, {"inputs": [], "config": {"what": what}})


def test_an_unexpected_error_shows_its_message_without_traceback_path_or_html(browser, caplog):
    with caplog.at_level(logging.WARNING, logger="lit_probe"):
        response = ask(browser, "break")
    assert response.status_code == 500
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.text == "Uncaught error: ‹script›alert(1)‹/script› in [path], line 3\n\nDetails: see the server log\n"
    [record] = [record for record in caplog.records if record.name == "lit_probe.lit.server.web"]
    assert "POST /get_interpretations" in record.message
    assert "failed with ValueError: " in record.message
    assert "/home/somebody/secret data/reviews.csv" in record.message


def test_our_own_errors_are_the_persons_to_mend(browser):
    response = ask(browser, "refuse")
    assert response.status_code == 400
    assert response.text == "The file [path] has no column 'label'. It has: a, b.\n\nDetails: HTTP 400 Bad Request\n"


def test_a_message_cannot_pretend_to_be_one_of_ours(browser):
    assert ask(browser, "pretend").status_code == 500


def test_a_long_message_is_cut(browser):
    assert len(ask(browser, "long").text) < 1200


def test_an_error_leaves_the_server_usable(browser):
    ask(browser, "break")
    assert ask(browser, None).json == {"texts": []}


def test_numbers_that_are_not_finite_never_reach_the_browser(browser, caplog):
    response = ask(browser, "not finite")
    assert "Infinity" not in response.text
    assert response.json == {"scores": [None, None, 1.0], "note": "NaN stays in texts"}
    assert "2 numbers are not finite" in caplog.text


def test_an_exception_that_escapes_lit_is_logged_and_answered(caplog):
    broken = False
    lit_app = tiny_lit_app()

    def breaks_later(environ, start_response):
        if broken:
            raise RuntimeError("lost in /usr/lib/somewhere")
        return lit_app(environ, start_response)

    app = wrap(breaks_later)
    broken = True
    response = Browser(app).post("/get_info")
    assert (response.status_code, response.mimetype) == (500, "text/plain")
    assert response.text == "Uncaught error: lost in [path]\n\nDetails: see the server log\n"
    assert "Traceback" in caplog.text
