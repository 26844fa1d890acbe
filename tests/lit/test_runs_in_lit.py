"""Runs of one encoder in one LIT application, started from flags: their names, curves, differences and cards."""

from __future__ import annotations

import json

import pytest
from counted import count_forwards
from test_app import Browser
from tiny_probing import tiny_splits

from lit_probe import cli
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.host.fields import model_name
from lit_probe.probing.runs import load_runs, parse_model_flag
from lit_probe.probing.study import probe_layers

# What stands in the brackets of each run, with its pooling and probe.
RUNS = {
    "": ("mean", "logistic"),
    "pooling=cls": ("cls", "logistic"),
    "probe=mlp": ("mean", "mlp"),
    "weights=random": ("mean", "logistic"),
}
DEFAULTS = {"pooling": "mean", "probe": "logistic", "seed": 0}
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


def test_random_weights_are_no_baseline_of_themselves_and_others_take_their_place(browser):
    config = {"check": "baselines", "baseline": "random_weights"}
    while (found := browser.interpret("probe_checks", [], MODELS[3], "demo", config, 0))["status"] == "computing":
        pass
    assert found["layers"][0]["score"] is not None
    assert "by seeds 1, 2 and 3. Seed 0 draws the weights of" in found["notes"][0] and "is passed over" in found["notes"][0]


def test_an_edit_is_read_once_for_all_runs_that_read_it_alike(tiny_folder):
    folder = tiny_folder()
    runs = load_runs(parse_model_flag(f"{folder},{folder}[probe=mlp],{folder}[weights=random]"), load_encoder, **DEFAULTS)
    by_name = {run.encoder.name: run for run in runs}

    def make_study(encoder, splits, progress):
        return probe_layers(encoder, splits, probe=by_name[encoder.name].probe)

    browser = Browser(build([run.encoder for run in runs], [tiny_splits()], AppOptions(), make_study))
    names = [model_name(name, "tiny") for name in by_name]
    for model in names:
        browser.wait_for(model)
    passes, passes_of_random = count_forwards(runs[0].encoder), count_forwards(runs[2].encoder)
    edit = browser.add(browser.rows("tiny")[0], "a text that nobody has read before")
    for model in names:
        browser.ask("/get_preds", {"inputs": [edit]}, model=model, dataset_name="tiny")
    assert (passes, passes_of_random) == ([1], [1])
