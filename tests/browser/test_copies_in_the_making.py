"""The curve's panel while copies across splits are still being looked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from held_checks import HeldSearch
from lit_page import LitPage
from live_server import curve
from playwright.sync_api import expect
from tiny_probing import tiny_splits

from lit_probe.checks.leakage import near_duplicates
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers


@pytest.fixture
def held(monkeypatch) -> Iterator[HeldSearch]:
    held = HeldSearch.instead_of_searches(monkeypatch)
    yield held
    held.finish()


@pytest.fixture
def server(held, tiny_folder) -> Iterator[str]:
    """A server whose probes are ready, and whose search is held; it takes the place of the usual one."""

    def make_study(encoder, splits, progress):
        return probe_layers(encoder, splits, progress=progress)

    server = serve(build([load_encoder(str(tiny_folder()))], [tiny_splits()], AppOptions(), make_study), "127.0.0.1", 0).start()
    curve(server.url, "tiny-bert-on-tiny", "tiny")
    yield server.url
    server.close()


def test_the_curve_is_there_and_its_notes_say_that_copies_are_looked_for_until_they_are_found(lit: LitPage, held: HeldSearch):
    lit.open(dataset="tiny")
    notes = lit.panel.locator(".notes")
    expect(lit.panel.locator(".chart").first).to_be_visible()
    expect(notes).to_contain_text("Looking for copies of texts of tiny in its other splits")
    held.finish()
    found = near_duplicates(tiny_splits())
    expect(notes).to_contain_text(f"Copies left across splits: {found.exact} exact and {found.near} near ones.")
    expect(notes).to_contain_text(found.notes[0])
    expect(notes).not_to_contain_text("Looking for copies")
