"""Runs of one encoder in one LIT application, started from flags: their names, curves, differences and cards."""

from __future__ import annotations

import json

import pytest
from test_app import Browser

from lit_probe import cli
from lit_probe.lit.host.fields import model_name

# What stands in the brackets of each run, with its pooling and probe.
RUNS = {
    "": ("mean", "logistic"),
    "pooling=cls": ("cls", "logistic"),
    "probe=mlp": ("mean", "mlp"),
    "weights=random": ("mean", "logistic"),
}
NAMES = ["tiny-bert", "tiny-bert (cls)", "tiny-bert (mlp)", "tiny-bert (random weights)"]
MODELS = [model_name(name, "demo") for name in NAMES]


@pytest.fixture(scope="module")
def browser(tiny_folder, tmp_path_factory) -> Browser:
    cli.FLAGS.unparse_flags()
    models = ",".join(f"{tiny_folder()}[{options}]" if options else str(tiny_folder()) for options in RUNS)
    flags = [f"--model={models}", "--datasets=demo", "--max_examples=200", f"--cache_dir={tmp_path_factory.mktemp('cache')}"]
    browser = Browser(cli.get_wsgi_app(flags))
    for model in MODELS:
        browser.wait_for(model, "demo")
    return browser


def curve(browser: Browser, model: str) -> dict:
    return browser.interpret("layer_metrics", [], model, "demo", {"whole": True}, do_predict=0)


def test_every_run_is_a_model_with_a_curve_of_its_own_settings(browser):
    assert list(browser.ask("/get_info")["models"])[:4] == MODELS
    curves = [curve(browser, model) for model in MODELS]
    assert [one["encoder"] for one in curves] == NAMES
    assert [(one["pooling"], one["probe"]) for one in curves] == list(RUNS.values())
    layers = [json.dumps(one["series"]) for one in curves]
    assert len(set(layers)) == 4, "four different curves"


def test_names_survive_lits_addresses_and_lists(browser):
    rows = browser.rows("demo")[:5]
    for model in MODELS:
        answered = browser.ask("/get_preds", {"inputs": [row["id"] for row in rows]}, model=model, dataset_name="demo")
        assert len(answered) == 5
        metrics = browser.ask(
            "/get_metrics", {"inputs": [row["id"] for row in browser.rows("demo")]}, model=model, dataset_name="demo"
        )
        assert metrics


@pytest.mark.parametrize("other", MODELS[1:])
def test_every_two_runs_are_compared_on_the_same_dev_rows(browser, other):
    for one, two in ((MODELS[0], other), (other, MODELS[0])):
        config = {"other": two, "layer": 1}
        while (found := browser.interpret("encoder_comparison", [], one, "demo", config, 0))["status"] == "computing":
            pass
        assert found["status"] == "ready" and found["low"] <= found["difference"] <= found["high"]


@pytest.mark.parametrize(
    ("model", "flags"),
    [
        (MODELS[1], ["--pooling=cls", "--probe=logistic"]),
        (MODELS[2], ["--pooling=mean", "--probe=mlp"]),
        (MODELS[3], ["--pooling=mean", "--probe=logistic"]),
    ],
)
def test_a_card_says_what_the_run_was_and_how_to_do_it_again(browser, tiny_folder, model, flags):
    number = {"check": "layer_metrics", "layer": 1, "whole": True}
    answer = browser.interpret("provenance", [], model, "demo", {"number": number}, 0)
    random = model == MODELS[3]
    assert f"--model={tiny_folder()}{'[weights=random]' if random else ''}" in answer["command"]
    assert set(flags) <= set(answer["command"])
    assert answer["card"]["model"].get("random_weights") == (0 if random else None)


def test_random_weights_are_said_and_are_never_circular(browser):
    described = browser.ask("/get_info")["models"][MODELS[3]]["description"]
    assert "Its weights were never trained: they are drawn by seed 0." in described
    assert curve(browser, MODELS[3])["circular"] is None


def test_random_weights_are_no_baseline_of_themselves(browser):
    config = {"check": "baselines", "baseline": "random_weights"}
    while (found := browser.interpret("probe_checks", [], MODELS[3], "demo", config, 0))["status"] == "computing":
        pass
    assert "and so no baseline for it. Choose another seed." in found["layers"][0]["reason"]
