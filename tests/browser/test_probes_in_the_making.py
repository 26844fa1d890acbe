"""LIT's page while the probes are still being computed: it opens, says how far they are, and fills itself when they are ready."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from lit_page import SERVICES, LitPage
from playwright.sync_api import Request, expect
from tiny_probing import tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers

MODEL = "tiny-bert-on-tiny"
STATUS = "services.apiService.statusService"
SWITCH = "(settings) => document.createElement('lit-global-settings').settingsService.updateSettings(settings)"


class Held:
    """Holds every study until it is let go; those of data sets in `fail` then fail."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.fail: set[str] = set()

    def make_study(self, encoder, splits, progress):
        progress(f"Encoding {splits.name} train", 20, 80, "texts")
        self.go_on.wait(60)
        if splits.name in self.fail:
            raise LitProbeError("Layer 2 is not finite")
        return probe_layers(encoder, splits, progress=progress)


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.go_on.set()


@pytest.fixture
def server(held, tiny_folder) -> Iterator[str]:
    """A server whose studies are held; it takes the place of the one whose probes are ready."""
    splits = [tiny_splits(), tiny_splits("other", start=-70)]
    server = serve(build([load_encoder(str(tiny_folder()))], splits, AppOptions(), held.make_study), "127.0.0.1", 0).start()
    yield server.url
    held.go_on.set()
    server.close()


def errors(lit: LitPage) -> list[str]:
    """What stands in LIT's status bar in red."""
    return lit.page.evaluate(f"() => {{{SERVICES} return {STATUS}.errorMessages}}")


def predicted(lit: LitPage) -> int:
    """How many rows of LIT's table have a predicted class, by which LIT also colors."""
    column = f"services.dataService.getColumn('{MODEL}:probe:class')"
    return lit.page.evaluate(f"() => {{{SERVICES} return {column}.filter((value) => value != null).length}}")


def expect_everything_predicted(lit: LitPage, metrics_tab: str = "Metrics") -> None:
    """Without a reload, LIT's own panels show what the probes say."""
    lit.page.locator(".tab", has_text=re.compile(f"^\\s*{metrics_tab}\\s*$")).click()
    expect(lit.page.locator("metrics-module:visible")).to_contain_text("probe_layer_03")
    expect(lit.page.locator("metrics-module:visible")).to_contain_text("dataset")
    n_rows = len(lit.ids())
    lit.page.wait_for_function(
        f"() => {{{SERVICES} return services.dataService.getColumn('{MODEL}:probe:class').every((value) => value != null)}}"
    )
    assert predicted(lit) == n_rows > 0
    lit.select(lit.ids()[:1])
    lit.page.locator(".tab", has_text=re.compile(r"^\s*Predictions\s*$")).click()
    expect(lit.page.locator("classification-module:visible")).to_contain_text("probe_layer_03")
    assert errors(lit) == []


def test_the_page_opens_tells_the_progress_at_once_and_fills_itself(lit: LitPage, held: Held):
    lit.open(dataset="tiny")
    expect(lit.panel).to_be_visible()
    expect(lit.panel).to_contain_text("Encoding tiny train: 20 of 80 texts", timeout=1_000)
    expect(lit.page.locator("lit-app-statusbar")).to_contain_text(f"Waiting for the probes of {MODEL}")
    assert predicted(lit) == 0 and errors(lit) == []
    held.go_on.set()
    lit.wait_for_curve()
    expect_everything_predicted(lit)
    expect(lit.page.locator("lit-app-statusbar")).not_to_contain_text("Waiting")


def test_a_layout_without_our_panels_fills_itself_too(lit: LitPage, held: Held):
    lit.open(dataset="tiny", layout="default")
    expect(lit.page.locator("lit-app-statusbar")).to_contain_text(f"Waiting for the probes of {MODEL}")
    held.go_on.set()
    expect_everything_predicted(lit, metrics_tab="Metrics")


def test_an_edit_added_meanwhile_is_predicted_with_the_rest(lit: LitPage, held: Held):
    lit.open(dataset="tiny")
    expect(lit.panel).to_contain_text("Encoding tiny train: 20 of 80 texts")
    n_rows = len(lit.ids())
    lit.select(lit.ids()[:1])
    lit.add_edited("A text that was added while the probes were being computed.")
    lit.page.wait_for_function(f"(n) => {{{SERVICES} return services.appState.currentInputData.length > n}}", arg=n_rows)
    held.go_on.set()
    lit.wait_for_curve()
    lit.page.wait_for_function(
        f"() => {{{SERVICES} return services.dataService.getColumn('{MODEL}:probe:class').every((value) => value != null)}}"
    )
    assert predicted(lit) == n_rows + 1 and errors(lit) == []


def test_switching_data_sets_back_and_forth_never_stops_the_progress(lit: LitPage, held: Held):
    lit.open(dataset="tiny")
    expect(lit.panel).to_contain_text("Encoding tiny train: 20 of 80 texts")
    for dataset in ("other", "tiny", "other", "tiny", "other"):
        lit.page.evaluate(SWITCH, {"dataset": dataset})
        lit.page.wait_for_timeout(300)
    looks: list[Request] = []
    lit.page.on("requestfinished", lambda request: looks.append(request) if "layer_metrics" in request.url else None)
    lit.page.wait_for_timeout(3_500)
    of_the_panel = [look for look in looks if '"whole":true' in (look.post_data or "")]
    assert len(of_the_panel) >= 2
    assert all("dataset_name=other" in look.url for look in of_the_panel)
    lit.page.evaluate(SWITCH, {"dataset": "tiny"})
    held.go_on.set()
    lit.wait_for_curve()
    expect_everything_predicted(lit)
    # LIT leaves the requests that were given up uncaught.
    assert all("would not be shown any more" in problem for problem in lit.problems)
    lit.problems.clear()


def test_a_study_that_fails_is_told_by_the_panel_and_by_lits_status_bar(lit: LitPage, held: Held):
    held.fail.add("tiny")
    lit.open(dataset="tiny")
    expect(lit.panel).to_contain_text("Encoding tiny train: 20 of 80 texts")
    held.go_on.set()
    told = "The probes of tiny-bert on tiny could not be computed: Layer 2 is not finite. Once this is mended, "
    expect(lit.panel).to_contain_text(f"{told}press Retry.")
    expect(lit.page.locator("lit-app-statusbar")).to_contain_text(f"{told}start again.")


def test_a_study_that_failed_is_computed_when_retry_is_pressed(lit: LitPage, held: Held):
    held.fail.add("tiny")
    held.go_on.set()
    lit.open(dataset="tiny")
    retry = lit.panel.locator(".retry").first
    expect(retry).to_be_visible()
    retry.click()
    expect(lit.panel).to_contain_text("Layer 2 is not finite")
    held.fail.clear()
    retry.click()
    lit.wait_for_curve()
    lit.problems.clear()
