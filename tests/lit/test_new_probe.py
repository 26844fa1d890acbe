"""Probes that are made on the page: LIT knows them without a restart, and their numbers are the command line's."""

from __future__ import annotations

import gc
import shutil
import time
import weakref

import numpy as np
import pytest
from asking_browser import Browser

from lit_probe import load_encoder
from lit_probe.data import DatasetOptions, load_dataset, split_table
from lit_probe.data.asking import ask
from lit_probe.encoder.cache import Cache
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.host.kept_wishes import Wish, keep_wish
from lit_probe.lit.host.made_probes import MOST_PROBES
from lit_probe.lit.host.model import probe_model
from lit_probe.probing.study import probe_layers

DATASET = "demo"
ENOUGH_S = 120


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder("bert")))


@pytest.fixture(scope="module")
def demo():
    return load_dataset(DATASET)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def page(encoder, demo, cache):
    """A server with one model, whose study is ready, and to whose cache nobody has made probes before."""
    shutil.rmtree(cache.folder / "made_probes", ignore_errors=True)
    return opened(encoder, demo, cache)


def opened(encoder, demo, cache):
    app = build(
        [encoder],
        [demo],
        AppOptions(),
        lambda one, splits, progress: probe_layers(one, splits, cache=cache, progress=progress),
        cache,
    )
    browser = Browser(app)
    browser.wait_for(model_of(encoder), DATASET)
    return browser


def model_of(encoder, dataset=DATASET):
    return f"{encoder.name}-on-{dataset}"


def say(page, encoder, inputs=(), **config):
    return page.interpret("new_probe", list(inputs), model_of(encoder), DATASET, config, do_predict=0)


def make(page, encoder, inputs=(), **config):
    deadline = time.monotonic() + ENOUGH_S
    while (answer := say(page, encoder, inputs, part="make", **config))["status"] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def ready(page, interpreter, model, config):
    deadline = time.monotonic() + ENOUGH_S
    while (answer := page.interpret(interpreter, [], model, DATASET, config, do_predict=0))["status"] != "ready":
        assert answer["status"] == "computing" and time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def by_column(page, column, value):
    return [row["id"] for row in page.rows(DATASET) if row["data"][column] == value]


def test_the_form_offers_what_can_be_asked(page, encoder):
    offers = say(page, encoder)
    assert offers["status"] == "ready"
    assert offers["targets"][0]["name"] == "label"
    assert {"domain", "surface:question", "surface:n_words"} <= {one["name"] for one in offers["targets"]}
    assert {one["name"]: one["target"] for one in offers["targets"]}["surface:question"] == "classes"
    assert offers["probes"]["classes"][0] == "logistic" and {"mlp", "lda"} <= set(offers["probes"]["classes"])
    assert offers["probes"]["number"] == ["ridge"]
    assert offers["poolings"][0] == "mean" and "cls" in offers["poolings"]
    assert offers["sites"][0]["name"] == "layers"
    assert offers["now"] == {"probe": "logistic", "pooling": "mean", "sites": "layers"}
    assert (offers["made"], offers["dataset"]) == ([], DATASET)


def test_a_column_becomes_a_model_with_a_data_set_of_its_own(page, encoder, demo):
    made = make(page, encoder, target="domain")
    assert (made["status"], made["dataset"]) == ("ready", "demo-domain")
    assert made["model"] == model_of(encoder, "demo-domain")
    info = page.ask("/get_info")
    assert made["dataset"] in info["models"][made["model"]]["datasets"]
    assert info["models"][made["model"]]["spec"]["output"]["probe"]["vocab"] == ["film", "product"]
    assert info["datasets"]["demo-domain"]["spec"]["label"]["vocab"] == ["film", "product"]
    rows = page.rows("demo-domain")
    assert {row["data"]["label"] for row in rows} == {"film", "product"}
    # LIT's predictions and metrics come from the new probes, and the old model is as it was.
    predictions = page.ask(
        "/get_preds", {"inputs": [row["id"] for row in rows[:5]]}, model=made["model"], dataset_name="demo-domain"
    )
    assert all(np.isclose(sum(one["probe"]), 1) for one in predictions)
    assert set(info["models"]) == {model_of(encoder), made["model"]}
    assert say(page, encoder)["made"] == [{name: value for name, value in made.items() if name not in ("status", "part")}]


def test_its_numbers_are_those_of_a_run_of_its_own_to_the_last_digit(page, encoder, demo):
    made = make(page, encoder, target="surface:negation", probe="lda")
    own = probe_layers(encoder, ask(demo, "surface:negation"), probe="lda")
    rows = [row["id"] for row in page.rows(made["dataset"]) if row["data"]["probe_split"] == "dev"]
    answer = page.interpret("layer_metrics", rows, made["model"], made["dataset"], {}, do_predict=0)
    [dev] = [one for one in answer["series"] if one["split"] == "dev"]
    scores = own.metrics("dev").scores[own.headline]
    assert [one["score"] for one in dev["layers"]] == [one.value for one in scores]
    assert (made["best_layer"], made["score"]) == (own.best_layer, scores[own.best_layer].value)
    assert answer["probe"] == "lda"
    assert answer["asked_of"] == {"model": model_of(encoder), "dataset": DATASET}


def test_another_kind_for_the_same_label_stands_beside_the_first(page, encoder):
    made = make(page, encoder, target="label", probe="mean_difference", pooling="cls")
    assert (made["model"], made["dataset"]) == (f"{encoder.name} (cls mean_difference)-on-demo", DATASET)
    compared = ready(page, "encoder_comparison", model_of(encoder), {"other": made["model"]})
    assert compared["n"] == len(load_dataset(DATASET).dev)
    back = ready(page, "encoder_comparison", made["model"], {"other": model_of(encoder)})
    assert back["difference"] == pytest.approx(-compared["difference"])


def test_other_places_are_read(page, encoder):
    made = make(page, encoder, target="label", sites="heads")
    assert made["model"] == f"{encoder.name} (at heads)-on-demo"
    answer = page.interpret("layer_metrics", [], made["model"], DATASET, {}, do_predict=0)
    assert {one["family"] for one in answer["sites"]} == {"heads"}


def test_two_selections_are_told_apart(page, encoder):
    films, products = by_column(page, "domain", "film"), by_column(page, "domain", "product")
    picked = {"names": ["films", "products"], "n_first": len(films)}
    made = make(page, encoder, [*films, *products], picked=picked)
    assert (made["status"], made["dataset"]) == ("ready", "demo-films-against-products")
    rows = page.rows(made["dataset"])
    assert all((row["data"]["label"] == "films") == (row["data"]["domain"] == "film") for row in rows)
    card = page.interpret("provenance", [], made["model"], made["dataset"], {"number": {"layer": 1}}, do_predict=0)
    assert "picked on the page" in str(card)


def test_selections_of_one_name_and_other_rows_have_data_sets_of_their_own(page, encoder):
    films, products = by_column(page, "domain", "film"), by_column(page, "domain", "product")
    first = make(page, encoder, [*films, *products], picked={"names": ["a", "b"], "n_first": len(films)})
    again = make(page, encoder, [*films, *products], picked={"names": ["a", "b"], "n_first": len(films)})
    other = make(page, encoder, [*products, *films], picked={"names": ["a", "b"], "n_first": len(products)})
    assert again == first
    assert (first["dataset"], other["dataset"]) == ("demo-a-against-b", "demo-a-against-b-2")
    assert len(say(page, encoder)["made"]) == 2


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "Say what the probe is to tell"),
        ({"target": "label", "picked": {"names": ["a", "b"], "n_first": 1}}, "and not both"),
        ({"target": "colour"}, "has no target 'colour'"),
        ({"target": "label"}, "is there already"),
        ({"target": "holds:xylophonist"}, "No text of demo holds"),
        ({"picked": {"names": ["a", "b"], "n_first": 0}}, "One of the two selections is empty"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told_in_one_sentence(page, encoder, config, sentence):
    answer = make(page, encoder, by_column(page, "domain", "film") if "picked" in config else (), **config)
    assert answer["status"] == "failed" and sentence in answer["message"]
    assert list(page.ask("/get_info")["models"]) == [model_of(encoder)]


@pytest.mark.parametrize(
    "config",
    [
        {"picked": {"names": ["a", "a"], "n_first": 1}},
        {"picked": {"names": ["a"], "n_first": 1}},
        {"picked": ["a", "b"]},
        {"probe": "oracle"},
        {"pooling": "median"},
        {"sites": "soul"},
        {"target": 7},
        {"wish": 1},
    ],
)
def test_what_is_no_wish_is_refused(page, encoder, config):
    body = {"inputs": by_column(page, "domain", "film")[:3], "config": {"part": "make", "target": "domain", **config}}
    response = page.post(
        "/get_interpretations", body, model=model_of(encoder), dataset_name=DATASET, interpreter="new_probe", do_predict=0
    )
    assert 400 <= response.status_code < 500, response.get_data(as_text=True)


def test_a_selection_that_shares_a_text_is_refused(page, encoder):
    films = by_column(page, "domain", "film")
    answer = make(page, encoder, [*films, films[0]], picked={"names": ["a", "b"], "n_first": len(films)})
    assert "One text is in a and in b" in answer["message"]


def test_what_is_dropped_is_forgotten_and_can_be_made_again(page, encoder):
    made = make(page, encoder, target="domain")
    assert say(page, encoder, part="drop", model=made["model"])["made"] == []
    info = page.ask("/get_info")
    assert list(info["models"]) == [model_of(encoder)] and made["dataset"] not in info["datasets"]
    assert page.interpret("layer_metrics", [], model_of(encoder), DATASET, {}, do_predict=0)["status"] == "ready"
    again = make(page, encoder, target="domain")
    assert again == made
    assert say(page, encoder, part="drop", model="nobody")["status"] == "failed"
    assert say(page, encoder, part="drop", model=model_of(encoder))["status"] == "failed"


def test_the_data_set_stays_while_another_probe_is_of_it(page, encoder):
    one, other = make(page, encoder, target="domain"), make(page, encoder, target="domain", probe="lda")
    assert one["dataset"] == other["dataset"]
    say(page, encoder, part="drop", model=one["model"])
    info = page.ask("/get_info")
    assert other["dataset"] in info["datasets"] and other["model"] in info["models"]


def test_what_is_cancelled_leaves_nothing(page, encoder):
    say(page, encoder, part="make", target="surface:n_words")
    assert say(page, encoder, part="make", target="surface:n_words", cancel=True)["status"] in ("cancelled", "ready")
    time.sleep(1)
    offers = say(page, encoder)
    known = set(page.ask("/get_info")["models"])
    assert known == {model_of(encoder), *(one["model"] for one in offers["made"])}


def test_there_are_so_many_at_most(page, encoder):
    kinds = [("lda", "mean"), ("mean_difference", "mean"), ("majority", "mean"), ("lda", "cls"), ("mean_difference", "cls")]
    kinds += [("majority", "cls"), ("lda", "last"), ("mean_difference", "last"), ("majority", "last")]
    answers = [make(page, encoder, target="label", probe=probe, pooling=pooling) for probe, pooling in kinds]
    assert [one["status"] for one in answers] == ["ready"] * MOST_PROBES + ["failed"]
    assert f"{MOST_PROBES} new probes at most" in answers[-1]["message"]


def test_a_later_server_offers_what_was_made_before_and_makes_it_again(page, encoder, demo, cache):
    films, products = by_column(page, "domain", "film"), by_column(page, "domain", "product")
    first = make(page, encoder, [*films, *products], picked={"names": ["films", "products"], "n_first": len(films)}, probe="lda")
    dropped = make(page, encoder, target="domain")
    assert say(page, encoder)["before"] == []
    say(page, encoder, part="drop", model=dropped["model"])
    later = opened(encoder, demo, cache)
    [before] = say(later, encoder)["before"]
    assert (before["title"], before["probe"]) == ("demo (films against products)", "lda")
    assert make(later, encoder, before=before["name"]) == first
    offers = say(later, encoder)
    assert offers["before"] == [] and len(offers["made"]) == 1
    last = opened(encoder, demo, cache)
    assert say(last, encoder, part="forget", before=before["name"])["before"] == []
    assert say(opened(encoder, demo, cache), encoder)["before"] == []
    assert "Unknown probe made before" in make(last, encoder, before=before["name"])["message"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[[[", b"[" * 100_000, b"null", b'{"title": 7}', b"x" * 2_000_000])
def test_a_file_that_is_no_wish_is_passed_over(page, encoder, demo, cache, content):
    make(page, encoder, target="domain")
    [file] = (cache.folder / "made_probes").rglob("wish.json")
    file.write_bytes(content)
    assert say(opened(encoder, demo, cache), encoder)["before"] == []


def test_a_wish_that_names_rows_that_there_are_not_is_a_sentence(page, encoder, demo, cache):
    picked = {"one": {"train": (0, 1), "dev": (0,)}, "other": {"train": (2, 10**6), "dev": (1,)}}
    wish = Wish("forged", None, picked, "logistic", "mean", "layers")
    keep_wish(cache, encoder, demo, wish)
    [before] = say(page, encoder)["before"]
    assert "which demo does not have" in make(page, encoder, before=before["name"])["message"]


def test_what_was_computed_about_a_dropped_selection_answers_for_no_other(page, encoder):
    dev = [row["id"] for row in page.rows(DATASET) if row["data"]["probe_split"] == "dev"]
    train = [row["id"] for row in page.rows(DATASET) if row["data"]["probe_split"] == "train"]
    picked = {"names": ["selection", "rest"], "n_first": 140}
    first = make(page, encoder, [*train[:60], *dev[:80], *train[60:], *dev[80:]], picked=picked, probe="lda")
    say(page, encoder, part="drop", model=first["model"])
    other = make(
        page,
        encoder,
        [*train[60:120], *dev[80:160], *train[:60], *train[120:], *dev[:80], *dev[160:]],
        picked=picked,
        probe="lda",
    )
    assert other["dataset"] == f"{first['dataset']}-2" and other["title"] != first["title"]
    say(page, encoder, part="drop", model=other["model"])
    again = make(page, encoder, [*train[:60], *dev[:80], *train[60:], *dev[80:]], picked=picked, probe="lda")
    assert again["dataset"] == first["dataset"]


def test_what_was_dropped_is_freed_though_checks_were_asked_of_it(page, encoder):
    made = make(page, encoder, target="domain", probe="lda")
    models = page.client.application._lit_app._models
    study = weakref.ref(probe_model(models[made["model"]]).study.result())
    deadline = time.monotonic() + ENOUGH_S
    while (
        page.interpret("probe_checks", [], made["model"], made["dataset"], {"check": "calibration"}, do_predict=0)["status"]
        != "ready"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    say(page, encoder, part="drop", model=made["model"])
    del models
    for _ in range(50):
        gc.collect()
        if study() is None:
            return
        time.sleep(0.1)
    raise AssertionError("the study is still held")


@pytest.fixture(scope="module")
def prices():
    """Texts with a label of two classes, and a number that their words tell."""
    texts = [f"a {word} film of its own, number {row}" for row in range(120) for word in ("good", "bad")]
    columns = {
        "text": texts,
        "label": [row % 2 for row in range(240)],
        "price": [10 * (row % 2) + row / 70 for row in range(240)],
        "mixed": [f"{row / 7}" if row else "no number" for row in range(240)],
    }
    return split_table(columns, DatasetOptions(max_examples=0), "prices")


@pytest.fixture
def prices_page(encoder, prices, cache):
    app = build([encoder], [prices], AppOptions(), lambda one, rows, progress: probe_layers(one, rows, cache=cache), cache)
    page = Browser(app)
    page.wait_for(model_of(encoder, "prices"), "prices")
    return page


def make_of_prices(page, encoder, **config):
    deadline = time.monotonic() + ENOUGH_S
    config = {"part": "make", **config}
    while (answer := page.interpret("new_probe", [], model_of(encoder, "prices"), "prices", config, do_predict=0))[
        "status"
    ] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def test_a_column_of_numbers_becomes_a_probe_of_a_number(prices_page, encoder, prices, cache):
    page = prices_page
    offers = page.interpret("new_probe", [], model_of(encoder, "prices"), "prices", {}, do_predict=0)
    assert {one["name"]: one["target"] for one in offers["targets"]}["price"] == "number"
    made = make_of_prices(page, encoder, target="price")
    assert (made["status"], made["probe"], made["metric"]) == ("ready", "ridge", "r2")
    spec = page.ask("/get_info")["models"][made["model"]]
    assert spec["spec"]["output"]["probe"]["__name__"] == "RegressionScore" and made["dataset"] in spec["datasets"]
    assert "prices" not in spec["datasets"]
    asked = ask(prices, "price")
    study = probe_layers(encoder, asked, cache=cache)
    answer = page.interpret("layer_metrics", [], made["model"], made["dataset"], {"whole": True}, do_predict=0)
    dev = next(one for one in answer["series"] if one["split"] == "dev")
    assert [one["score"] for one in dev["layers"]] == [one.value for one in study.metrics("dev").scores["r2"]]
    assert made["score"] == study.metrics("dev").scores["r2"][study.best_layer].value
    # The first probes are as they were, and LIT shows them on their own rows.
    assert made["dataset"] not in page.ask("/get_info")["models"][model_of(encoder, "prices")]["datasets"]


def test_from_the_probes_of_a_number_classes_can_be_asked_for(prices_page, encoder):
    page = prices_page
    made = make_of_prices(page, encoder, target="price")
    config = {"part": "make", "target": "surface:question"}
    offers = page.interpret("new_probe", [], made["model"], made["dataset"], {"part": "offers"}, do_predict=0)
    assert offers["now"]["probe"] == "ridge" and offers["probes"]["classes"][0] == "logistic"
    assert [one["target"] for one in offers["targets"] if one["name"] == "label"] == ["classes"]
    answer = page.interpret("new_probe", [], made["model"], made["dataset"], config, do_predict=0)
    assert answer["status"] in ("computing", "failed")


@pytest.mark.parametrize(
    ("config", "said"),
    [({"target": "price", "probe": "mlp"}, "asks for a number"), ({"target": "mixed"}, "should hold a number in each row")],
)
def test_a_wish_for_a_number_that_cannot_be_met_is_a_sentence(prices_page, encoder, config, said):
    answer = make_of_prices(prices_page, encoder, **config)
    assert answer["status"] == "failed" and said in answer["message"]


def test_probes_that_do_not_fit_into_the_memory_are_refused(encoder, demo):
    app = build([encoder], [demo], AppOptions(memory_budget=1e-4), lambda one, rows, progress: probe_layers(one, rows))
    page = Browser(app)
    page.wait_for(model_of(encoder), DATASET)
    answer = make(page, encoder, target="label", sites="mlp_neurons")
    assert answer["status"] == "failed" and "memory budget" in answer["message"]
