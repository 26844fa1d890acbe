"""Two kinds of probe of one encoder overlay in "Probe by layer"."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from lit_page import LitPage
from live_server import curve, live_server
from playwright.sync_api import expect

NAMES = ["encoder", "encoder (mlp hidden units 8-4)", "encoder (lda)"]
MODELS = [f"{name}-on-demo" for name in NAMES]


@pytest.fixture(scope="module")
def server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    """A server with three kinds of probe of one encoder."""
    root = tmp_path_factory.mktemp("kinds")
    folder = shutil.copytree(tiny_folder(), root / "encoder")
    models = f"{folder},{folder}[probe=mlp,hidden_units=8-4],{folder}[probe=lda]"
    with live_server([f"--model={models}", "--datasets=demo"], root) as url:
        for model in MODELS:
            curve(url, model.replace(" ", "%20"), "demo")
        yield url


def test_kinds_of_probe_overlay_in_one_chart(lit: LitPage):
    lit.open(dataset="demo", models=",".join(MODELS)).wait_for_curve(3)
    expect(lit.panel.locator(".reading > b:first-child")).to_have_text(NAMES)
    notes = lit.panel.locator(".notes")
    for name, kind in zip(NAMES, ("logistic", "mlp", "lda"), strict=True):
        expect(notes).to_contain_text(f"{name}, mean pooling; {kind} probes trained on demo")
