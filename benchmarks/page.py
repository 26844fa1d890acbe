"""What goes over the wire when the page is opened, and how long is the browser busy, beside LIT's own page?

(ad) requests that leave the browser's cache and bytes: a reload at most 10 requests and 100 kB, a first load at most 1.5 MB.
(ae) main-thread time of a reload: at most 1.5x that of LIT's own page, served by LIT from the same models and rows.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright
from waitress.server import create_server

from benchmarks.common import default_encoder, sentences
from benchmarks.figures import Figure, Times, tell
from lit_probe.data import load_dataset
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.lit import app
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.server.serving import serve
from lit_probe.probing.study import probe_layers
from tools.page import TOUR_CLOSED
from tools.wire import Load, Wire

ROUNDS = 7
N_MANY = 5_000
# Its panels about examples, predictions and embeddings, without those that draw for half a minute.
LITS_LAYOUT = "default"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # LIT's own page asks Google for fonts.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def main() -> None:
    """Prints what each page takes."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("the demo", load_dataset("demo"), folder)
        table = Path(folder) / "many.csv"
        texts = [text for text in dict.fromkeys(sentences("train", "dev")) if '"' not in text]
        table.write_text("text,label\n" + "".join(f'"{text}",{"ab"[len(text) % 2]}\n' for text in texts))
        _measure(f"{N_MANY:,} rows", load_dataset("csv", table), folder)


def _measure(name: str, splits: Splits, folder: str) -> None:
    with served(splits, folder) as (ours, lits), sync_playwright() as playwright:
        pages = {"ours": ours, "LIT's": f"{lits}?layout={LITS_LAYOUT}"}
        wires = {whose: _newcomer(playwright, f"{folder}/{name}/{whose}", url) for whose, url in pages.items()}
        first = {whose: wire.load(pages[whose]) for whose, wire in wires.items()}
        again: dict[str, list[Load]] = {whose: [] for whose in wires}
        for _, (whose, wire) in itertools.product(range(ROUNDS), wires.items()):
            again[whose].append(wire.load())
    for whose, loads in again.items():
        asked = whose == "ours" and name == "the demo"
        tell(
            Figure(f"(ad) {name}, {whose}, at first: requests", len(first[whose].requests), "requests"),
            Figure(f"(ad) {name}, {whose}, at first", first[whose].n_bytes / 1e6, "MB", at_most=1.5 if asked else None),
            Figure(f"(ad) {name}, {whose}, again: requests", len(loads[-1].requests), "requests", at_most=10 if asked else None),
            Figure(f"(ad) {name}, {whose}, again", loads[-1].n_bytes / 1e3, "kB", at_most=100 if asked else None),
            Figure(f"{name}, {whose}, at first: main thread", first[whose].busy_s, "s"),
        )
    busy = Times({whose: [one.busy_s for one in loads] for whose, loads in again.items()})
    tell(busy.seconds(f"{name}: main thread", "ours"), busy.ratio(f"(ae) {name}: main thread / LIT's own", *again, at_most=1.5))


@contextmanager
def served(splits: Splits, folder: str) -> Iterator[tuple[str, str]]:
    """Our page and LIT's own of one application, the default encoder's, once its probes are fitted: their addresses."""
    options, cache = app.AppOptions(), Cache(Path(folder) / "cache")
    checks = PendingChecks(cache)
    assembled = app.assemble([default_encoder()], [splits], options, checks)
    app.start(assembled.studies, lambda encoder, rows, progress: probe_layers(encoder, rows, cache=cache, progress=progress))
    for study in assembled.studies:
        study.future.result()
    server = serve(app.guarded(assembled, options, checks), "127.0.0.1", 0).start()
    stock = create_server(assembled.application, host="127.0.0.1", port=0)
    threading.Thread(target=stock.run, daemon=True).start()
    try:
        yield server.url, f"http://127.0.0.1:{stock.effective_port}/"
    finally:
        server.close()
        stock.close()


def _newcomer(playwright: Playwright, profile: str, url: str) -> Wire:
    """The wire of a browser that has kept nothing yet, and keeps its files on disk as people's browsers do."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=executable, args=_ARGUMENTS, viewport={"width": 1440, "height": 900}
    )
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.add_init_script(TOUR_CLOSED)
    # From the same server, so that the page's process is the same.
    page.goto(f"{url.partition('?')[0]}static/favicon.png")
    return Wire(page)


if __name__ == "__main__":
    main()
