"""The list of what is computed in the background: it is reached by keys, tells how far each is and for whom, and gives one up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lit_page import LitPage
from live_server import ask
from playwright.sync_api import expect

MODEL = "tiny-bert-on-demo"
# Each takes some seconds: the page's own waits behind those of a program.
CURVE: dict[str, Any] = {"part": "curve", "layer": 1, "n_random": 50, "sample": 1_000}
WANTS = """async ([model, config]) => {
  const ours = document.querySelector('script[type=module]').src;
  const {answers} = await import(new URL('page/answers.js', ours));
  const {interpretation} = await import(new URL('page/lit_host.js', ours));
  const load = (asker) => interpretation({model, dataset: 'demo', interpreter: 'neuron_ablation', inputs: [], config, asker});
  answers.want({}, 'own', 'own question', load);
}"""
STATE = """async () => {
  const {answers} = await import(new URL('page/answers.js', document.querySelector('script[type=module]').src));
  return answers.read('own question').state;
}"""


@pytest.fixture
def busy(server: str) -> Iterator[None]:
    """The server computes what a program has asked for."""
    configs = [{**CURVE, "units": [0, 1, 2], "seed": seed} for seed in range(3)]
    for config in configs:
        assert ask(server, "neuron_ablation", MODEL, "demo", [], **config)["status"] == "computing"
    yield
    for config in configs:
        ask(server, "neuron_ablation", MODEL, "demo", [], **config, cancel=True)


def test_the_list_is_used_by_keys_alone(lit: LitPage, busy: None) -> None:
    lit.open(dataset="demo", models=MODEL).wait_for_curve()
    lit.page.evaluate(WANTS, [MODEL, {**CURVE, "units": [0, 1, 2, 3, 4]}])
    button = lit.page.locator("lit-app-toolbar").get_by_role("button", name="Jobs")
    button.focus()
    lit.page.keyboard.press("Enter")
    jobs = lit.page.get_by_role("dialog", name="Jobs in the background")
    expect(jobs.get_by_role("button", name="Close")).to_be_focused()
    own = jobs.get_by_role("listitem").filter(has_text="Ablation of 5 neurons")
    expect(own).to_contain_text("before it")
    of_program = jobs.get_by_role("listitem").filter(has_text="Ablation of 3 neurons").first
    expect(of_program).to_contain_text("asked for by another page or program")
    expect(of_program.get_by_role("button")).to_have_count(0)
    lit.page.keyboard.press("Tab")
    expect(own.get_by_role("button", name="Cancel Ablation of 5 neurons")).to_be_focused()
    lit.page.keyboard.press("Enter")
    expect(own).to_have_count(0)
    assert lit.page.evaluate(STATE) == "cancelled"
    lit.page.keyboard.press("Escape")
    expect(jobs).to_have_count(0)
    expect(button).to_be_focused()


def test_an_empty_list_says_so(lit: LitPage) -> None:
    lit.open(dataset="demo", models=MODEL).wait_for_curve()
    lit.page.locator("lit-app-toolbar").get_by_role("button", name="Jobs").click()
    jobs = lit.page.get_by_role("dialog", name="Jobs in the background")
    expect(jobs).to_contain_text("Nothing is computed in the background.", timeout=30_000)
    jobs.get_by_role("button", name="Close").click()
    expect(jobs).to_have_count(0)
