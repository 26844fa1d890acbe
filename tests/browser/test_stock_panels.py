"""Every panel of stock LIT on a model of ours, in a browser: which LIT shows, and that those which it shows draw themselves."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from foreign_lit import CLIENT
from lit_nlp import app as lit_app
from lit_nlp.api.layout import LitCanonicalLayout, LitModuleName
from lit_page import LitPage
from stock_components import NOT, WITH_TOKEN_FIELDS, WORKS, Reviews, stock_model, told
from werkzeug.serving import make_server


@contextmanager
def stock_server(folder: Any, token_fields: bool) -> Iterator[str]:
    """The address of a stock LIT whose layout has each panel on a tab of its own."""
    lower = {name.name: [name] for name in LitModuleName}
    layouts = {"all": LitCanonicalLayout(upper={"Main": [LitModuleName.DataTableModule]}, lower=lower)}
    models = {"mine": stock_model(folder, token_fields)}
    app = lit_app.LitApp(
        models, {"data": Reviews()}, layouts=layouts, default_layout="all", client_root=CLIENT, inline_doc="What is shown."
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join(10)
    server.server_close()


def shown_panels(page: Any, url: str) -> set[str]:
    """The panels that LIT shows; each is opened, and draws itself without an error."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{error.message} {error.stack}"))
    lit = LitPage(page, url).open(dataset="data", models="mine", layout="all")
    page.locator("data-table-module:visible").first.wait_for()
    lit.select(
        lit.page.evaluate(
            "() => document.createElement('data-table-module').appState.currentInputData.slice(0, 1).map((one) => one.id)"
        )
    )
    shown = set()
    for name in LitModuleName:
        tab = page.locator("lit-tabs .tab, .tab", has_text=re.compile(rf"^\s*{name.name}\s*$"))
        if tab.count():
            tab.first.dispatch_event("click")  # the strip of so many tabs is wider than the page
            panel = page.locator(name.value).first
            panel.wait_for(state="attached")
            page.wait_for_timeout(200)
            if panel.is_visible():
                shown.add(name.name)
    assert errors == []
    return shown


def test_the_page_says_of_every_stock_panel_whether_lit_shows_it(chromium: Any, tiny_folder: Any):
    seen = {}
    for token_fields in (False, True):
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        with stock_server(tiny_folder(), token_fields) as url:
            seen[token_fields] = shown_panels(page, url)
        page.close()
    found = {
        one.name: WORKS if one.name in seen[False] else WITH_TOKEN_FIELDS if one.name in seen[True] else NOT
        for one in LitModuleName
    }
    assert seen[False] <= seen[True]
    assert told("Panels") == found
