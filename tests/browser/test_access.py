"""A token in a real browser: from the link to the cookie, from a link on another site, and what another site's script gets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from foreign_lit import Planted, Sentences, lit_with
from lit_page import LitPage
from playwright.sync_api import BrowserContext, expect

import lit_probe.lit
from lit_probe.lit.server.access import Access
from tools.page import TOUR_CLOSED

TOKEN = "a-token-for-the-tests-in-a-browser"
STATE = "dataset=data&models=mine"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Somebody's own LIT with our panels, behind a token."""
    application = lit_with({"mine": Planted()}, {"data": Sentences()})
    running = lit_probe.lit.serve(lit_probe.lit.attach(application, access=Access(TOKEN)), "127.0.0.1", 0).start()
    yield running.url
    running.close(1.0)


@pytest.fixture
def context(chromium) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    context.add_init_script(TOUR_CLOSED)
    yield context
    context.close()


@pytest.fixture(scope="module")
def elsewhere(server) -> Iterator[str]:
    """A page of another site, whose reader may follow a link to ours, and whose script tries what it can."""
    page = f"""<!doctype html><title>elsewhere</title>
      <a id="link" href="{server}?{STATE}">the results</a>
      <form id="form" method="post" enctype="text/plain" action="{server}get_info"><input name="a" value="b"></form>
      <iframe name="frame"></iframe>"""

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *of: object) -> None:
            """Says nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    # Another name is another site to a browser, though it is the same machine.
    yield f"http://localhost:{site.server_port}/"
    site.shutdown()
    site.server_close()


def signed_in(context: BrowserContext, server: str) -> LitPage:
    lit = LitPage(context.new_page(), server)
    lit.page.goto(f"{server}?{STATE}&token={TOKEN}")
    lit.wait_for_curve()
    context.unroute_all()  # which let nothing but our server through
    return lit


def test_the_link_opens_the_page_and_leaves_the_token_nowhere(context: BrowserContext, server: str):
    lit = signed_in(context, server)
    [cookie] = context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["name"].startswith("lit_probe_")
    assert cookie["expires"] == -1, "it is gone with the browser"
    assert TOKEN not in str(cookie)
    seen = lit.page.evaluate(
        "() => JSON.stringify([location.href, document.cookie, document.referrer, document.documentElement.innerHTML,"
        " {...localStorage}, {...sessionStorage}, performance.getEntriesByType('resource').map(({name}) => name)])"
    )
    assert TOKEN not in seen and cookie["value"] not in seen
    assert lit.page.evaluate("() => document.cookie") == ""
    assert "token" not in lit.page.url and "models=mine" in lit.page.url
    # A second tab, and the page loaded again, need no link.
    lit.page.reload()
    lit.wait_for_curve()
    other = LitPage(context.new_page(), server)
    other.page.goto(f"{server}?{STATE}")
    other.wait_for_curve()
    assert lit.problems == other.problems == []


def test_without_the_link_a_browser_is_told_what_to_do(context: BrowserContext, server: str):
    page = context.new_page()
    answer = page.goto(server)
    assert answer is not None and answer.status == 401
    expect(page.locator("body")).to_contain_text("This server asks for a token. Open the link")


def test_a_link_on_another_site_leads_to_the_page(context: BrowserContext, server: str, elsewhere: str):
    signed_in(context, server)
    page = context.new_page()
    page.goto(elsewhere)
    page.click("#link")
    page.wait_for_url(f"{server}**")
    lit = LitPage(page, server)
    lit.wait_for_curve()
    assert lit.page.evaluate("() => document.cookie") == ""


def test_a_link_with_the_token_on_another_site_leads_there_too(context: BrowserContext, server: str, elsewhere: str):
    page = context.new_page()
    page.goto(elsewhere)
    page.evaluate("(to) => { document.querySelector('#link').href = to; }", f"{server}?{STATE}&token={TOKEN}")
    page.click("#link")
    LitPage(page, server).wait_for_curve()
    assert "token" not in page.url


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
@pytest.mark.parametrize("path", ["get_info", "get_dataset?dataset_name=data", "lit_probe/left"])
def test_script_of_another_site_reads_and_changes_nothing(
    context: BrowserContext, server: str, elsewhere: str, path: str, mode: str
):
    signed_in(context, server)
    page = context.new_page()
    page.goto(elsewhere)
    heard: list[int] = []
    context.on("response", lambda answer: heard.append(answer.status) if answer.url == server + path else None)
    got = page.evaluate(
        "async ([url, mode]) => { try {"
        " const answer = await fetch(url, {method: 'POST', mode, credentials: 'include', body: '{}'});"
        " return await answer.text(); } catch (error) { return 'refused'; } }",
        [server + path, mode],
    )
    assert got in ("", "refused")
    assert set(heard) <= {401, 403}


def test_neither_a_form_nor_a_frame_nor_a_script_tag_of_another_site_gets_anything(
    context: BrowserContext, server: str, elsewhere: str
):
    signed_in(context, server)
    page = context.new_page()
    page.goto(elsewhere)
    loaded = page.evaluate(
        "(url) => new Promise((told) => { const script = document.createElement('script');"
        " script.onload = () => told('loaded'); script.onerror = () => told('refused');"
        " script.src = url; document.head.append(script); })",
        f"{server}main.js",
    )
    assert loaded == "refused"
    page.evaluate("(url) => { document.querySelector('iframe').src = url; }", f"{server}?{STATE}")
    page.wait_for_timeout(1_000)
    assert all(frame.query_selector("lit-app") is None for frame in page.frames)
    with page.expect_response(lambda answer: answer.url == f"{server}get_info") as sent:
        page.evaluate("() => document.querySelector('#form').submit()")
    assert sent.value.status in (401, 403)
